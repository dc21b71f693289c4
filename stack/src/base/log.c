/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Formatting of log lines; the only place that knows standard error is the sink meant for it. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#define LOG_LINE_BYTES 512

void log_say(struct log *log, enum log_level level, const char *fmt, ...)
{
    char line[LOG_LINE_BYTES];
    va_list ap;

    if (!log || !log->sink || level > log->level)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    log->sink(log->ctx, level, line);
}

void log_stderr(void *ctx, enum log_level level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};

    (void)ctx;
    fprintf(stderr, "libmtcp: %s: %s\n", (unsigned)level <= LOG_DEBUG ? names[level] : "?", line);
}
