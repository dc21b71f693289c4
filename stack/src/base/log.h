/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where the library says something to people: a sink given by the owner of the stack, never stdio directly.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
    enum log_level level; /**< the most detailed level that is let through */
    void (*sink)(void *ctx, enum log_level level, const char *line);
    void *ctx;
};

/** Formats and hands over one line (no newline). log may be NULL: nothing is said. */
void log_say(struct log *log, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** The sink that writes "libmtcp: LEVEL: line" to standard error. */
void log_stderr(void *ctx, enum log_level level, const char *line);

#endif
