/* SPDX-License-Identifier: BSD-3-Clause
 *
 * host_noise: how much of the time a thread that only polls does not have its CPU, and for how long at once.
 * A thread on each CPU reads the clock without rest, all at the same time: what the workers of a stack with
 * idle = poll would miss. It says nothing about why; on a host where nothing else runs it is the hypervisor's
 * or the firmware's doing. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json.h"
#include "common/options.h"
#include "noise/cpus.h"
#include "noise/noise.h"

#define LOOKS_AT_ONCE 1024u /* between two looks at whether to stop */
#define NS_PER_S 1000000000u

static const char usage[] =
    "usage: host_noise [-t SECONDS] [-c CPUS] [-g US] [--json]\n"
    "How much time a thread that only polls misses on each CPU, in gaps longer than a limit.\n"
    "  -t SECONDS  how long (2)\n"
    "  -c CPUS     on these, such as 0-3,8 (all that the process may use)\n"
    "  -g US       gaps longer than this are lost time (20)\n"
    "  --json      a JSON line on standard output\n";

static struct {
    double seconds;
    long lost_above_us;
    cpu_set_t cpus;
    bool json;
} plan = {.seconds = 2, .lost_above_us = 20};

static atomic_bool stopping;
static pthread_barrier_t all_there;

struct spinner {
    pthread_t id;
    int cpu, error; /**< of pinning, 0: none */
    struct noise noise;
};

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void *spin(void *arg)
{
    struct spinner *s = arg;
    uint64_t end_ns;
    cpu_set_t own;

    CPU_ZERO(&own);
    CPU_SET(s->cpu, &own);
    s->error = pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
    memset(&s->noise, 0xff, sizeof(s->noise)); /* its pages are there before it counts */
    pthread_barrier_wait(&all_there);
    noise_begin(&s->noise, (uint64_t)plan.lost_above_us * 1000, now_ns());
    end_ns = s->noise.begin_ns + (uint64_t)(plan.seconds * NS_PER_S);
    while (!s->error && s->noise.last_ns < end_ns && !atomic_load_explicit(&stopping, memory_order_relaxed))
        for (unsigned i = 0; i < LOOKS_AT_ONCE; i++)
            noise_look(&s->noise, now_ns());
    noise_end(&s->noise);
    return NULL;
}

/** Runs a thread on each CPU of the plan to its end; how many there were, 0 after a message. */
static int spin_all(struct spinner *s)
{
    int n = 0, ok = 1;

    pthread_barrier_init(&all_there, NULL, (unsigned)CPU_COUNT(&plan.cpus));
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &plan.cpus))
            continue;
        s[n].cpu = cpu;
        if (pthread_create(&s[n].id, NULL, spin, &s[n]) != 0) {
            fprintf(stderr, "host_noise: no thread for CPU %d\n", cpu);
            exit(1); /* the others wait for it without end */
        }
        n++;
    }
    for (int i = 0; i < n; i++) {
        pthread_join(s[i].id, NULL);
        if (s[i].error)
            fprintf(stderr, "host_noise: CPU %d: %s\n", s[i].cpu, strerror(s[i].error));
        ok = ok && !s[i].error;
    }
    return ok ? n : 0;
}

/* ---- the report ---- */

static void figures(struct json *j, const struct noise *n)
{
    json_double(j, "lost_percent", noise_lost_percent(n));
    json_u64(j, "gaps", n->gaps);
    json_double(j, "longest_us", (double)n->longest_ns / 1e3);
    json_double(j, "p99_us", noise_gap_us(n, 0.99));
    json_double(j, "p999_us", noise_gap_us(n, 0.999));
    json_double(j, "p9999_us", noise_gap_us(n, 0.9999));
}

static void row(const char *name, const struct noise *n)
{
    printf("%-8s %9.3f %8lu %12.1f %10.1f %10.1f %10.1f\n", name, noise_lost_percent(n), n->gaps,
           (double)n->longest_ns / 1e3, noise_gap_us(n, 0.99), noise_gap_us(n, 0.999),
           noise_gap_us(n, 0.9999));
}

static void print_table(const struct spinner *s, int n, const struct noise *all)
{
    char name[32];

    printf(
        "gaps longer than %ld us, seen in %.1f s; quantiles over moments: how long the gap is that one falls "
        "into\n%-8s %9s %8s %12s %10s %10s %10s\n",
        plan.lost_above_us, plan.seconds, "", "lost %", "gaps", "longest us", "99 %", "99.9 %", "99.99 %");
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "CPU %d", s[i].cpu);
        row(name, &s[i].noise);
    }
    row("all", all);
}

static void print_json(const struct spinner *s, int n, const struct noise *all)
{
    static struct json j;

    json_begin(&j, "result", "host_noise");
    json_double(&j, "seconds", plan.seconds);
    json_u64(&j, "lost_above_us", (uint64_t)plan.lost_above_us);
    figures(&j, all);
    json_open(&j, "cpus", '[');
    for (int i = 0; i < n; i++) {
        json_open(&j, NULL, '{');
        json_u64(&j, "cpu", (uint64_t)s[i].cpu);
        figures(&j, &s[i].noise);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_end(&j);
}

/* ---- the program ---- */

static void on_signal(int signum)
{
    (void)signum;
    atomic_store(&stopping, true);
}

static bool take_cpus(const char *text)
{
    if (cpus_parse(text, &plan.cpus))
        return true;
    fprintf(stderr, "-c %s: not a list of CPUs such as 0-3,8\n", text);
    return false;
}

/** -1: go on; else what to exit with. */
static int parse(int argc, char **argv)
{
    static const struct option words[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool ok = sched_getaffinity(0, sizeof(plan.cpus), &plan.cpus) == 0;

    for (int opt; ok && (opt = getopt_long(argc, argv, "t:c:g:h", words, NULL)) != -1;) {
        switch (opt) {
        case 't':
            ok = app_seconds("-t", optarg, 0.001, &plan.seconds);
            break;
        case 'c':
            ok = take_cpus(optarg);
            break;
        case 'g':
            ok = app_number("-g", optarg, 1, 1000000, &plan.lost_above_us);
            break;
        case 'j':
            plan.json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            ok = false;
        }
    }
    if (ok && optind == argc)
        return -1;
    fputs(usage, stderr);
    return APP_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    int n, rc = parse(argc, argv);
    struct sigaction sa = {.sa_handler = on_signal};
    struct spinner *s;
    static struct noise all;

    if (rc >= 0)
        return rc;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    s = calloc((size_t)CPU_COUNT(&plan.cpus), sizeof(*s));
    n = s ? spin_all(s) : 0;
    for (int i = 0; i < n; i++)
        noise_merge(&all, &s[i].noise);
    if (n > 0)
        (plan.json ? print_json : print_table)(s, n, &all);
    free(s);
    return n > 0 ? 0 : 1;
}
