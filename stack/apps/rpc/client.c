/* SPDX-License-Identifier: BSD-3-Clause
 *
 * rpc_client: requests of SIZE bytes and their answers over many connections, one outstanding on each; as
 * fast as answers come (closed loop), at a given rate (open loop), with a pause (ping-pong), or over a new
 * connection for each. Reports answers a second and how long they took. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "common/json.h"
#include "rpc/load.h"

#define OPT_SHORT 300

static const char usage[] =
    "usage: rpc_client -a ADDRESS [-p PORT] -f CONF [-c CONNECTIONS] [-s SIZE] [-r RATE | -i MS | --short]\n"
    "                  [-d SECONDS] [-w SECONDS] [-N CORES] [--json]\n"
    "  -a ADDRESS -p PORT  the server (port 7)\n"
    "  -c CONNECTIONS      at once, of all threads (1)\n"
    "  -s SIZE             bytes of a request and of its answer, 8 to 65536 (64)\n"
    "  -r RATE             requests a second in all, sent when they are due, and their latency counted from\n"
    "                      then (0 = each connection asks again as soon as it is answered)\n"
    "  -i MS               each connection pauses so long after an answer\n"
    "  --short             a new connection for each request; the client closes it after the answer\n"
    "  -d SECONDS          that count (3), after\n"
    "  -w SECONDS          of warming up (1)\n"
    "  -N CORES            cores of the stack, a thread for each (1)\n"
    "  --json              JSON lines on standard output\n";

static struct load_plan plan = {.options = {.name = "rpc_client", .cores = 1},
                                .connections = 1,
                                .size = RPC_DEFAULT_SIZE,
                                .warmup_s = 1,
                                .duration_s = 3};
static long port = RPC_DEFAULT_PORT;

static void run(struct thread *t)
{
    struct load *l = t->arg;

    l->t = t;
    l->mctx = t->mctx;
    if (!load_init(l)) {
        t->failed = true;
        app_stop();
        return;
    }
    mtcp_init_rss(t->mctx, INADDR_ANY, 1, plan.to.sin_addr.s_addr, plan.to.sin_port);
    load_run(l);
    load_fini(l);
}

/* ---- the program ---- */

static bool take_option(int opt, const char *arg)
{
    switch (opt) {
    case 'a':
        return app_address("-a", arg, &plan.to.sin_addr.s_addr);
    case 'p':
        return app_number("-p", arg, 1, 65535, &port);
    case 'c':
        return app_number("-c", arg, 1, 1000000, &plan.connections);
    case 's':
        return app_number("-s", arg, RPC_MIN_SIZE, RPC_MAX_SIZE, &plan.size);
    case 'r':
        return app_number("-r", arg, 0, 1000000000, &plan.rate);
    case 'i':
        return app_number("-i", arg, 0, 60000, &plan.pause_ms);
    case 'd':
        return app_seconds("-d", arg, 0.001, &plan.duration_s);
    case 'w':
        return app_seconds("-w", arg, 0, &plan.warmup_s);
    case OPT_SHORT:
        return plan.is_short = true;
    default:
        return false;
    }
}

static const struct option words[] = {{"short", no_argument, NULL, OPT_SHORT}, {0}};
static const struct app_command_line command_line = {.options = &plan.options,
                                                     .usage = usage,
                                                     .letters = "a:p:c:s:r:i:d:w:",
                                                     .words = words,
                                                     .take = take_option};

static int parse_options(int argc, char **argv)
{
    int rc = app_parse(argc, argv, &command_line);

    if (rc)
        return rc;
    if (!plan.to.sin_addr.s_addr)
        return app_usage_error(&command_line, "where to? -a ADDRESS");
    if ((plan.rate > 0) + (plan.pause_ms > 0) + plan.is_short > 1)
        return app_usage_error(&command_line, "one of -r, -i and --short");
    plan.to.sin_family = AF_INET;
    plan.to.sin_port = htons((uint16_t)port);
    return 0;
}

/** Sums up and prints; true when nothing failed and something was answered. */
static bool report(const struct load_result *results, int n)
{
    static struct load_result all;
    static struct json j;
    double rps;

    for (int i = 0; i < n; i++)
        load_result_add(&all, &results[i]);
    rps = (double)all.answers / plan.duration_s;
    app_say(&plan.options,
            "rpc_client: %lu answers in %.3f s: %.0f requests/s, %lu errors, %lu unanswered, latency median "
            "%.1f us, 99%% %.1f us, 99.9%% %.1f us",
            all.answers, plan.duration_s, rps, all.errors, all.unanswered,
            (double)histogram_quantile(&all.latency_ns, 0.5) / 1e3,
            (double)histogram_quantile(&all.latency_ns, 0.99) / 1e3,
            (double)histogram_quantile(&all.latency_ns, 0.999) / 1e3);
    if (plan.rate)
        app_say(&plan.options,
                "rpc_client: %lu were due: %lu of them and of those before had no answer at the end, %lu had "
                "not even left",
                all.due, all.unanswered, all.unsent);
    if (plan.options.json) {
        json_begin(&j, "result", "rpc_client");
        json_u64(&j, "connections", (uint64_t)plan.connections);
        json_u64(&j, "requests", all.answers);
        json_u64(&j, "errors", all.errors);
        json_u64(&j, "rate", (uint64_t)plan.rate);
        json_u64(&j, "due", all.due);
        json_u64(&j, "unanswered", all.unanswered);
        json_u64(&j, "unsent", all.unsent);
        json_u64(&j, "stalls", all.stalls);
        json_double(&j, "seconds", plan.duration_s);
        json_double(&j, "rps", rps);
        histogram_json(&all.latency_ns, &j, "latency_ns");
        json_end(&j);
    }
    return all.errors == 0 && all.answers > 0;
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    int cores[THREADS_MAX], n, rc = parse_options(argc, argv);
    struct load_result *results;
    struct load *loads;
    bool ok;

    if (rc)
        return rc;
    /* Connections that are closing keep their descriptor's place for a while. */
    rc = app_start(&plan.options, (int)(4 * plan.connections + 1000));
    if (rc)
        return rc;
    n = plan.options.cores;
    loads = calloc((size_t)n, sizeof(*loads));
    results = calloc((size_t)n, sizeof(*results));
    ok = loads && results;
    for (int i = 0; i < n && ok; i++) {
        cores[i] = i;
        loads[i].plan = &plan;
        loads[i].result = &results[i];
        loads[i].share = plan.connections / n + (i < plan.connections % n);
        threads[i].arg = &loads[i];
    }
    ok = ok && threads_run(&plan.options, threads, cores, n, run);
    ok = results && report(results, n) && ok;
    mtcp_destroy();
    free(loads);
    free(results);
    return ok ? 0 : APP_EXIT_FAILED;
}
