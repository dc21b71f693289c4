/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mtcpstat: what the stacks that run on this host do, looked at from outside. It only reads. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/app.h"
#include "mtcpstat/report.h"

struct options {
    pid_t pid; /**< 0 = all */
    double seconds;
    long count; /**< reports; 0 = until interrupted */
    bool json, buckets;
};

static void usage(FILE *to)
{
    fprintf(
        to,
        "mtcpstat [-p PID] [-i SECONDS] [-n COUNT] [--json] [--buckets]\n"
        "What running stacks do: frames per second, rings, drops, what each thread spends its cycles on.\n"
        "  -p PID      of this process; else of all that may be read\n"
        "  -i SECONDS  a report so often, until interrupted; else one, over one second\n"
        "  -n COUNT    so many reports\n"
        "  --json      one line a stack and report, with all counters\n"
        "  --buckets   also which worker has which bucket of flows\n");
}

static bool parse_seconds(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    if (end != text && *end == '\0' && *out >= 0.01 && *out <= 3600)
        return true;
    fprintf(stderr, "-i %s: not a number of seconds from 0.01 to 3600\n", text);
    return false;
}

/** -1: go on; else what to exit with. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"buckets", no_argument, NULL, 'b'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    bool counted = false, repeated = false;
    long n;

    for (int opt; (opt = getopt_long(argc, argv, "p:i:n:h", longs, NULL)) != -1;) {
        switch (opt) {
        case 'p':
            if (!app_number("-p", optarg, 1, 1 << 30, &n))
                return APP_EXIT_USAGE;
            o->pid = (pid_t)n;
            break;
        case 'i':
            if (!parse_seconds(optarg, &o->seconds))
                return APP_EXIT_USAGE;
            repeated = true;
            break;
        case 'n':
            if (!app_number("-n", optarg, 1, 1 << 30, &o->count))
                return APP_EXIT_USAGE;
            counted = true;
            break;
        case 'j':
            o->json = true;
            break;
        case 'b':
            o->buckets = true;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return APP_EXIT_USAGE;
        }
    }
    if (repeated && !counted)
        o->count = 0;
    return -1;
}

static void on_signal(int signum)
{
    (void)signum;
    app_stop();
}

static void pause_for(double seconds)
{
    struct timespec ts = {.tv_sec = (time_t)seconds};

    ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
    nanosleep(&ts, NULL); /* a signal ends it: then we stop anyway */
}

/** One report of all: the stacks that are there now, looked at twice. */
static size_t report(const struct options *o)
{
    struct stack_file *files;
    size_t n = stack_files_open(o->pid, &files);
    struct sample *s = calloc(2 * n + 1, sizeof(*s));

    for (size_t i = 0; s && i < n; i++)
        if (sample_init(&s[2 * i], &files[i]) && sample_init(&s[2 * i + 1], &files[i]))
            sample_take(&s[2 * i], &files[i]);
    pause_for(o->seconds);
    for (size_t i = 0; s && i < n; i++) {
        if (s[2 * i + 1].value) {
            sample_take(&s[2 * i + 1], &files[i]);
            (o->json ? report_json : report_table)(&files[i], &s[2 * i], &s[2 * i + 1], o->buckets);
        }
        sample_free(&s[2 * i]);
        sample_free(&s[2 * i + 1]);
    }
    free(s);
    stack_files_close(files, n);
    return n;
}

int main(int argc, char **argv)
{
    struct options o = {.seconds = 1, .count = 1};
    int rc = parse(argc, argv, &o);
    struct sigaction sa = {.sa_handler = on_signal};
    size_t found = 0;

    if (rc >= 0)
        return rc;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    for (long i = 0; !app_stopping() && (o.count == 0 || i < o.count); i++)
        found += report(&o);
    if (found > 0)
        return 0;
    fprintf(stderr, "mtcpstat: no stack runs here, or none that we may look at\n");
    return APP_EXIT_FAILED;
}
