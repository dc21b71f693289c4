/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See app.h. */
#include "common/app.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpu.h"

static atomic_bool stopping;

static void on_signal(int signum)
{
    (void)signum;
    atomic_store(&stopping, true);
}

int app_start(struct app_options *o, int max_concurrency)
{
    struct mtcp_conf conf = {.num_cores = o->cores, .max_concurrency = max_concurrency};

    if (!o->conf) {
        app_complain(o, "no configuration: -f FILE is missing");
        return APP_EXIT_USAGE;
    }
    mtcp_setconf(&conf);
    if (mtcp_init(o->conf) != 0) {
        int saved = errno;

        app_complain(o, "the stack does not start with %s: %s", o->conf, strerror(saved));
        return saved == EINVAL ? APP_EXIT_USAGE : APP_EXIT_FAILED;
    }
    mtcp_getconf(&conf);
    if (conf.num_cores < o->cores)
        o->cores = conf.num_cores; /* The stack has said why. */
    mtcp_register_signal(SIGINT, on_signal);
    mtcp_register_signal(SIGTERM, on_signal);
    return 0;
}

mctx_t app_context(const struct app_options *o, int core)
{
    mctx_t mctx;

    if (core < GetNumCPUs())
        mtcp_core_affinitize(core); /* Only a wish: a container may forbid it. */
    mctx = mtcp_create_context(core);
    if (!mctx)
        app_complain(o, "no context for core %d: %s", core, strerror(errno));
    return mctx;
}

bool app_stopping(void)
{
    return atomic_load_explicit(&stopping, memory_order_relaxed);
}

void app_stop(void)
{
    atomic_store(&stopping, true);
}

uint64_t app_now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t app_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void app_say(const struct app_options *o, const char *fmt, ...)
{
    FILE *out = o->json ? stderr : stdout;
    va_list ap;

    va_start(ap, fmt);
    vfprintf(out, fmt, ap);
    va_end(ap);
    fputc('\n', out);
    fflush(out);
}

void app_complain(const struct app_options *o, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s: ", o->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}
