/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See app.h. */
#include "common/app.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpu.h"

#define OPT_JSON 256

const struct option app_long_options[] = {
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static atomic_bool stopping;

enum app_option_result app_option(struct app_options *o, int opt, const char *arg)
{
    long n;

    switch (opt) {
    case 'f':
        o->conf = arg;
        return APP_OPTION_TAKEN;
    case 'N':
        if (!app_number("-N", arg, 1, 64, &n))
            return APP_OPTION_BAD;
        o->cores = (int)n;
        return APP_OPTION_TAKEN;
    case OPT_JSON:
        o->json = true;
        return APP_OPTION_TAKEN;
    case 'h':
        return APP_OPTION_HELP;
    case '?':
        return APP_OPTION_BAD;
    default:
        return APP_OPTION_OTHER;
    }
}

bool app_number(const char *option, const char *text, long min, long max, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *out >= min && *out <= max)
        return true;
    fprintf(stderr, "%s %s: not a number from %ld to %ld\n", option, text, min, max);
    return false;
}

bool app_bytes(const char *option, const char *text, uint64_t *out)
{
    static const char suffixes[] = "kmg";
    unsigned shift = 0;
    const char *suffix;
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    suffix = *end ? strchr(suffixes, *end | 0x20) : NULL;
    if (suffix) {
        shift = 10 * (unsigned)(suffix - suffixes + 1);
        end++;
    }
    if (errno == 0 && end != text && *end == '\0' && *text != '-' && *out <= UINT64_MAX >> shift) {
        *out <<= shift;
        return true;
    }
    fprintf(stderr, "%s %s: not a number of bytes (with k, m or g for 1024, 1024^2, 1024^3)\n", option, text);
    return false;
}

bool app_address(const char *option, const char *text, in_addr_t *out)
{
    struct in_addr in;

    if (inet_pton(AF_INET, text, &in) == 1) {
        *out = in.s_addr;
        return true;
    }
    fprintf(stderr, "%s %s: not an IPv4 address\n", option, text);
    return false;
}

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
