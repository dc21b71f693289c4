/* SPDX-License-Identifier: BSD-3-Clause
 *
 * epwget: fetches one URL many times over many connections at once. One thread a core; connections are found
 * by descriptor. A flow is one connection; with -k it carries several requests. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/histogram.h"
#include "common/json.h"
#include "common/threads.h"
#include "epwget/fetch.h"
#include "mtcp_epoll.h"

#define MAX_EVENTS 1024
#define WAIT_MS 100
#define SECOND_US 1000000u
#define HOST_LEN 256

static struct {
    struct app_options options;
    struct fetch_plan plan;
    char host[HOST_LEN];
    long flows, concurrency, port, first_core;
    long seconds, warmup_s;
} client = {.options = {.name = "epwget", .cores = 1}, .concurrency = 100, .port = 80};

/** What a thread has to do and has measured. */
struct share {
    long flows, concurrency;
    struct fetch_stats stats;
    uint64_t from_us, until_us; /**< when what counts began and ended */
};

/* ---- a thread ---- */

static void start_flows(struct fetcher *f, const struct share *s)
{
    while (f->started < s->flows && f->started - f->ended < s->concurrency && !app_stopping())
        if (!fetch_start(f))
            return;
}

static void update_counts(struct thread *t, const struct fetch_stats *s)
{
    atomic_store(&t->counts.connects, s->connects);
    atomic_store(&t->counts.read_bytes, s->read_bytes);
    atomic_store(&t->counts.write_bytes, s->write_bytes);
    atomic_store(&t->counts.completes, s->latency_us.count);
    atomic_store(&t->counts.errors, s->errors);
    atomic_store(&t->counts.time_sum_us, s->time_sum_us);
    atomic_store(&t->counts.time_max_us, s->latency_us.max);
}

static void run_events(struct thread *t, struct fetcher *f, struct share *s)
{
    struct mtcp_epoll_event events[MAX_EVENTS];

    uint64_t begin_us = app_now_us(), warm_us = (uint64_t)client.warmup_s * SECOND_US, now_us = begin_us;
    bool warm = warm_us == 0;

    s->from_us = begin_us;
    while (f->ended < s->flows && !app_stopping() &&
           (!client.seconds || now_us < s->from_us + (uint64_t)client.seconds * SECOND_US || !warm)) {
        int n;

        start_flows(f, s);
        n = thread_wait(t, f->ep, events, MAX_EVENTS, WAIT_MS);
        for (int i = 0; i < n; i++)
            fetch_event(f, events[i].data.sockid, events[i].events);
        now_us = app_now_us();
        if (!warm && now_us >= begin_us + warm_us) {
            warm = true;
            s->from_us = now_us;
            fetch_stats_clear(&s->stats);
        }
        update_counts(t, &s->stats);
    }
    s->until_us = app_now_us();
}

static void run(struct thread *t)
{
    struct share *s = t->arg;
    struct fetcher f = {.mctx = t->mctx, .plan = &client.plan, .stats = &s->stats, .options = t->options};

    if (!fetch_init(&f)) {
        t->failed = true;
        app_stop();
        return;
    }
    mtcp_init_rss(t->mctx, INADDR_ANY, 1, client.plan.addr.sin_addr.s_addr, client.plan.addr.sin_port);
    run_events(t, &f, s);
    update_counts(t, &s->stats);
    fetch_fini(&f);
}

/* ---- the program ---- */

static const char usage[] =
    "usage: epwget HOST/URL FLOWS -f CONF [-N CORES] [-c CONCURRENCY] [-o OUTFILE] [-n CORE] [-P PORT]\n"
    "              [-k REQUESTS] [-t SECONDS] [-w SECONDS] [--json]\n"
    "  HOST/URL        an IPv4 address and a path, e.g. 10.0.0.1/index.html\n"
    "  FLOWS           connections to make in all\n"
    "  -f CONF         configuration of the stack\n"
    "  -N CORES        cores of the stack, a thread for each (1)\n"
    "  -c CONCURRENCY  connections open at once in all (100)\n"
    "  -o OUTFILE      where the bodies go; flow N of several writes OUTFILE.N\n"
    "  -n CORE         one thread only, on this core\n"
    "  -P PORT         the server's port (80)\n"
    "  -k REQUESTS     requests on each connection (1: the connection is closed after it)\n"
    "  -t SECONDS      end after so long, whatever FLOWS says\n"
    "  -w SECONDS      that do not count, at the start (0)\n"
    "  --json          JSON lines on standard output\n";

static bool parse_target(const char *target, const char *flows)
{
    const char *slash = strchr(target, '/');
    size_t len = slash ? (size_t)(slash - target) : strlen(target);
    in_addr_t addr;

    if (len >= sizeof(client.host) || (slash && strlen(slash) >= sizeof(client.plan.url))) {
        fprintf(stderr, "%s: too long\n", target);
        return false;
    }
    memcpy(client.host, target, len);
    strcpy(client.plan.url, slash ? slash : "/");
    if (!app_address("HOST", client.host, &addr) || !app_number("FLOWS", flows, 1, 1000000000, &client.flows))
        return false;
    client.plan.host = client.host;
    client.plan.addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = addr};
    return true;
}

static bool take_option(int opt, const char *arg)
{
    switch (opt) {
    case 'c':
        return app_number("-c", arg, 1, 1000000, &client.concurrency);
    case 'o':
        client.plan.outfile = arg;
        return true;
    case 'n':
        client.options.cores = 1;
        return app_number("-n", arg, 0, 1023, &client.first_core);
    case 'P':
        return app_number("-P", arg, 1, 65535, &client.port);
    case 't':
        return app_number("-t", arg, 1, 86400, &client.seconds);
    case 'w':
        return app_number("-w", arg, 0, 86400, &client.warmup_s);
    case 'k':
        return app_number("-k", arg, 1, 1000000000, &client.plan.requests);
    default:
        return false;
    }
}

static const struct app_command_line command_line = {.options = &client.options,
                                                     .usage = usage,
                                                     .letters = "c:o:n:P:k:t:w:",
                                                     .take = take_option,
                                                     .operands = 2};

static int parse_options(int argc, char **argv)
{
    int rc;

    client.plan.requests = 1;
    rc = app_parse(argc, argv, &command_line);
    if (rc)
        return rc;
    if (!parse_target(argv[optind], argv[optind + 1]))
        return APP_EXIT_USAGE;
    client.plan.addr.sin_port = htons((uint16_t)client.port);
    client.plan.many = client.flows > 1;
    if (client.options.cores > client.flows)
        client.options.cores = (int)client.flows;
    if (client.concurrency < client.options.cores)
        client.concurrency = client.options.cores;
    return 0;
}

/** Sums up and prints; true when every request got its response, or the user stopped it and none failed. */
static bool report(const struct share *shares, int n, double seconds)
{
    static struct fetch_stats all;
    static struct json j;
    double rate;

    for (int i = 0; i < n; i++)
        fetch_stats_add(&all, &shares[i].stats);
    rate = seconds > 0 ? 1 / seconds : 0;
    app_say(&client.options,
            "epwget: %lu completed, %lu errors (%lu timeouts), %lu bytes in %.3f s: %.0f requests/s, %.3f "
            "Gbit/s, "
            "response time median %lu us, 99%% %lu us",
            (unsigned long)all.latency_us.count, all.errors, all.timeouts, all.read_bytes, seconds,
            (double)all.latency_us.count * rate, (double)all.read_bytes * 8e-9 * rate,
            (unsigned long)histogram_quantile(&all.latency_us, 0.5),
            (unsigned long)histogram_quantile(&all.latency_us, 0.99));
    if (client.options.json) {
        json_begin(&j, "result", "epwget");
        json_u64(&j, "completed", all.latency_us.count);
        json_u64(&j, "errors", all.errors);
        json_u64(&j, "timeouts", all.timeouts);
        json_u64(&j, "bytes", all.read_bytes);
        json_double(&j, "seconds", seconds);
        json_double(&j, "rps", (double)all.latency_us.count * rate);
        json_double(&j, "gbps", (double)all.read_bytes * 8e-9 * rate);
        histogram_json(&all.latency_us, &j, "latency_us");
        json_end(&j);
    }
    return all.errors == 0 &&
           (app_stopping() || client.seconds ||
            all.latency_us.count == (uint64_t)client.flows * (uint64_t)client.plan.requests);
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    static struct share shares[THREADS_MAX];
    int cores[THREADS_MAX], n, rc = parse_options(argc, argv);
    uint64_t start_us = UINT64_MAX, end_us = 0;
    bool ok;

    if (rc != 0)
        return rc;
    /* Descriptors of closed connections come back at once: three times as many as are in use is plenty. How
     * many threads will share them is not known yet. */
    rc = app_start(&client.options, (int)(3 * client.concurrency + 2));
    if (rc != 0)
        return rc;
    n = client.options.cores;
    for (int i = 0; i < n; i++) {
        cores[i] = (int)client.first_core + i;
        shares[i].flows = client.flows / n + (i < client.flows % n);
        shares[i].concurrency = client.concurrency / n + (i < client.concurrency % n);
        threads[i].arg = &shares[i];
    }
    ok = threads_run(&client.options, threads, cores, n, run);
    for (int i = 0; i < n; i++) {
        start_us = shares[i].from_us && shares[i].from_us < start_us ? shares[i].from_us : start_us;
        end_us = shares[i].until_us > end_us ? shares[i].until_us : end_us;
    }
    ok = report(shares, n, end_us > start_us ? (double)(end_us - start_us) / 1e6 : 0) && ok;
    mtcp_destroy();
    return ok ? 0 : APP_EXIT_FAILED;
}
