/* SPDX-License-Identifier: BSD-3-Clause
 *
 * udp_source: sends numbered, verifiable datagrams at a steady rate or as fast as it can, then end markers;
 * with --echo measures the time until each one is back. Each thread has sockets of its own, a flow
 * each, and sends on them in turn. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/histogram.h"
#include "common/json.h"
#include "common/threads.h"
#include "datagram/datagram.h"
#include "mtcp_epoll.h"
#include "mudp_api.h"

#define AT_ONCE 32
#define HELLO_MS 100 /* for ARP, before the first that counts */
#define END_MARKERS 5
#define END_GAP_MS 20
#define ECHO_WAIT_US 1000000u
#define SECOND_US 1000000u

static const char usage[] =
    "usage: udp_source -a ADDRESS -p PORT -f CONF (-n DATAGRAMS | -t SECONDS)\n"
    "                  [-c FLOWS] [-s SIZE] [-r PPS] [--echo] [--fast] [-N CORES] [--json]\n"
    "  -a ADDRESS -p PORT  where to\n"
    "  -n DATAGRAMS        in all\n"
    "  -t SECONDS          how long to send\n"
    "  -c FLOWS            at once, of all threads, 1 to 64; each thread has one at least (1)\n"
    "  -s SIZE             bytes of a datagram, 16 to 65507 (1400)\n"
    "  -r PPS              datagrams a second in all (0 = as fast as it can)\n"
    "  --echo              await each one back and measure how long it took\n"
    "  --fast              one payload for all: measures the stack (udp_sink --fast)\n"
    "  -N CORES            cores of the stack, a thread for each (1)\n"
    "  --json              JSON lines on standard output\n";

static struct {
    struct app_options options;
    struct sockaddr_in to;
    long port, datagrams, size, pps, flows;
    double seconds;
    bool has_address, echo, fast;
} plan = {.options = {.name = "udp_source", .cores = 1}, .size = 1400};

#define FLOWS_MAX 64 /* as many as a thread of udp_sink keeps apart */

/* One thread's share and account. */
struct source {
    struct thread *t;
    mctx_t mctx;
    int ep, fds[FLOWS_MAX];
    uint32_t flows;
    uint32_t share, sent;
    double pps;
    uint64_t failures, echoed, corrupt, first_us, last_us, burst_us;
    struct histogram rtt_us;
    uint8_t out[DATAGRAM_MAX], in[DATAGRAM_MAX];
};

/* Runs the stack for at most so long; takes what came back. */
static void run_stack(struct source *s, int wait_ms)
{
    struct mtcp_epoll_event ev;

    if (thread_wait(s->t, s->ep, &ev, 1, wait_ms) <= 0)
        return;
    for (unsigned i = 0; i < 4 * AT_ONCE; i++) {
        ssize_t n = mudp_recvfrom(s->mctx, ev.data.sockid, s->in, sizeof(s->in), 0, NULL, NULL);
        struct datagram d;

        if (n <= 0)
            return;
        if (!datagram_check(s->in, (size_t)n, &d)) {
            s->corrupt++;
        } else if (d.kind == DATAGRAM_DATA) {
            s->echoed++;
            histogram_add(&s->rtt_us, app_now_us() - d.sent_us);
        }
    }
}

/* `number` is the flow's. */
static int send_one(struct source *s, uint32_t flow, enum datagram_kind kind, uint32_t number, size_t len,
                    uint64_t now_us)
{
    struct datagram d = {kind, number, now_us};

    if (plan.fast && kind == DATAGRAM_DATA && number > 0)
        datagram_mark(&d, s->out);
    else
        datagram_make(&d, s->out, len);
    return (int)mudp_sendto(s->mctx, s->fds[flow], s->out, len, 0, (struct sockaddr *)&plan.to,
                            sizeof(plan.to));
}

/* How many may be sent now at the rate that is wanted. */
static uint32_t due(const struct source *s)
{
    uint32_t left = s->share - s->sent, now = left;
    double ahead;

    if (s->pps > 0) {
        ahead = (double)(app_now_us() - s->first_us) * s->pps / SECOND_US + 1 - s->sent;
        now = ahead <= 0 ? 0 : ahead >= left ? left : (uint32_t)ahead;
    }
    return now < AT_ONCE ? now : AT_ONCE;
}

/* Milliseconds that may pass before the next one is due. */
static int pause_ms(const struct source *s)
{
    double next_us;

    if (s->pps <= 0 || s->sent == s->share)
        return 0;
    next_us = (double)s->sent * SECOND_US / s->pps - (double)(app_now_us() - s->first_us);
    return next_us > 1000 ? (int)(next_us / 1000) : 0;
}

static void send_burst(struct source *s)
{
    uint64_t now_us = s->burst_us = app_now_us(); /* reading the clock costs as much as sending */

    for (uint32_t n = due(s); n; n--) {
        if (plan.echo)
            now_us = app_now_us(); /* round trips are timed */
        if (send_one(s, s->sent % s->flows, DATAGRAM_DATA, s->sent / s->flows, (size_t)plan.size, now_us)) {
            if (errno == EAGAIN) /* no room: the stack must run first */
                return;
            if (s->failures++ == 0)
                app_complain(s->t->options, "cannot send: %s", strerror(errno));
        } else {
            count(&s->t->counts.write_bytes, (unsigned long)plan.size);
            count(&s->t->counts.completes, 1);
        }
        s->sent++;
    }
}

static void wait_for_echoes(struct source *s)
{
    uint64_t until_us = app_now_us() + ECHO_WAIT_US, before = s->echoed;

    while (s->echoed < s->sent - s->failures && app_now_us() < until_us && !app_stopping()) {
        run_stack(s, 10);
        if (s->echoed > before)
            until_us = app_now_us() + ECHO_WAIT_US;
        before = s->echoed;
    }
}

static void run_for(struct source *s, int ms)
{
    uint64_t until_us = app_now_us() + (uint64_t)ms * 1000;

    while (app_now_us() < until_us)
        run_stack(s, 1);
}

/* On all flows of the thread; an end marker tells how many datagrams its flow had. */
static void send_each(struct source *s, enum datagram_kind kind)
{
    for (uint32_t flow = 0; flow < s->flows; flow++)
        send_one(s, flow, kind, (s->sent + s->flows - 1 - flow) / s->flows, DATAGRAM_HEADER, app_now_us());
}

static void send_all(struct source *s)
{
    send_each(s, DATAGRAM_HELLO);
    run_for(s, HELLO_MS);
    s->first_us = app_now_us();
    s->burst_us = s->first_us;
    while (s->sent < s->share && !app_stopping() &&
           (plan.seconds <= 0 || s->burst_us < s->first_us + (uint64_t)(plan.seconds * SECOND_US))) {
        send_burst(s);
        run_stack(s, pause_ms(s));
    }
    s->last_us = app_now_us();
    if (plan.echo)
        wait_for_echoes(s);
    for (unsigned i = 0; i < END_MARKERS; i++) {
        send_each(s, DATAGRAM_END);
        run_for(s, END_GAP_MS);
    }
}

static bool open_flow(struct source *s, uint32_t flow)
{
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN};

    ev.data.sockid = s->fds[flow] = mtcp_socket(s->mctx, AF_INET, SOCK_DGRAM, 0);
    return s->fds[flow] >= 0 && !mtcp_epoll_ctl(s->mctx, s->ep, MTCP_EPOLL_CTL_ADD, s->fds[flow], &ev);
}

static void run(struct thread *t)
{
    struct source *s = t->arg;

    s->t = t;
    s->mctx = t->mctx;
    s->ep = mtcp_epoll_create(s->mctx, FLOWS_MAX);
    for (uint32_t flow = 0; flow < s->flows; flow++) {
        if (s->ep < 0 || !open_flow(s, flow)) {
            app_complain(t->options, "no socket: %s", strerror(errno));
            t->failed = true;
            return;
        }
    }
    send_all(s);
}

/* ---- the program ---- */

static bool take_option(int opt, const char *arg)
{
    switch (opt) {
    case 'a':
        plan.has_address = app_address("-a", arg, &plan.to.sin_addr.s_addr);
        return plan.has_address;
    case 'p':
        return app_number("-p", arg, 1, 65535, &plan.port);
    case 'n':
        return app_number("-n", arg, 1, UINT32_MAX - 1, &plan.datagrams);
    case 'c':
        return app_number("-c", arg, 1, FLOWS_MAX, &plan.flows);
    case 's':
        return app_number("-s", arg, DATAGRAM_HEADER, DATAGRAM_MAX, &plan.size);
    case 'r':
        return app_number("-r", arg, 0, 1000000000, &plan.pps);
    case 't':
        return app_seconds("-t", arg, 0.001, &plan.seconds);
    case DATAGRAM_OPT_ECHO:
        return plan.echo = true;
    case DATAGRAM_OPT_FAST:
        return plan.fast = true;
    default:
        return false;
    }
}

static const struct app_command_line command_line = {.options = &plan.options,
                                                     .usage = usage,
                                                     .letters = "a:p:n:c:s:r:t:",
                                                     .words = datagram_words,
                                                     .take = take_option};

static int parse_options(int argc, char **argv)
{
    int rc = app_parse(argc, argv, &command_line);

    if (rc)
        return rc;
    if (!plan.has_address || !plan.port)
        return app_usage_error(&command_line, "where to? -a ADDRESS -p PORT");
    if (!plan.datagrams && plan.seconds > 0)
        plan.datagrams = (long)(UINT32_MAX - 1) * plan.options.cores;
    if (!plan.datagrams)
        return app_usage_error(&command_line, "-n DATAGRAMS or -t SECONDS is missing");
    plan.to.sin_family = AF_INET;
    plan.to.sin_port = htons((uint16_t)plan.port);
    if (plan.options.cores > plan.datagrams)
        plan.options.cores = (int)plan.datagrams;
    if (plan.flows < plan.options.cores)
        plan.flows = plan.options.cores;
    return 0;
}

/* True when all went out and nothing came back damaged. */
static bool report(const struct source *sources)
{
    static struct json j;
    static struct histogram rtt_us;
    uint64_t sent = 0, failures = 0, echoed = 0, corrupt = 0, first_us = UINT64_MAX, last_us = 0, bytes;
    double seconds, rate;

    for (int i = 0; i < plan.options.cores; i++) {
        const struct source *s = &sources[i];

        sent += s->sent - s->failures;
        failures += s->failures;
        echoed += s->echoed;
        corrupt += s->corrupt;
        first_us = s->first_us && s->first_us < first_us ? s->first_us : first_us;
        last_us = s->last_us > last_us ? s->last_us : last_us;
        histogram_merge(&rtt_us, &s->rtt_us);
    }
    bytes = sent * (uint64_t)plan.size;
    seconds = last_us > first_us ? (double)(last_us - first_us) / 1e6 : 0;
    rate = seconds > 0 ? 1 / seconds : 0;
    app_say(&plan.options,
            "udp_source: %lu datagrams, %lu failures, %lu bytes in %.3f s: %.0f datagrams/s, %.3f Gbit/s, "
            "%lu echoed, "
            "round trip median %lu us, 99%% %lu us",
            sent, failures, bytes, seconds, (double)sent * rate, (double)bytes * 8e-9 * rate, echoed,
            histogram_quantile(&rtt_us, 0.5), histogram_quantile(&rtt_us, 0.99));
    if (plan.options.json) {
        json_begin(&j, "result", "udp_source");
        json_u64(&j, "sent", sent);
        json_u64(&j, "send_failures", failures);
        json_u64(&j, "bytes", bytes);
        json_double(&j, "seconds", seconds);
        json_u64(&j, "rate", (uint64_t)plan.pps);
        json_double(&j, "pps", (double)sent * rate);
        json_double(&j, "gbps", (double)bytes * 8e-9 * rate);
        json_u64(&j, "echoed", echoed);
        histogram_json(&rtt_us, &j, "rtt_us");
        json_end(&j);
    }
    return failures == 0 && corrupt == 0;
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    int cores[THREADS_MAX], n, rc = parse_options(argc, argv);
    struct source *sources;
    bool ok;

    if (rc)
        return rc;
    sources = calloc(THREADS_MAX, sizeof(*sources));
    rc = sources ? app_start(&plan.options, 0) : APP_EXIT_FAILED;
    if (rc) {
        free(sources);
        return rc;
    }
    n = plan.options.cores;
    for (int i = 0; i < n; i++) {
        cores[i] = i;
        sources[i].share = (uint32_t)(plan.datagrams / n + (i < plan.datagrams % n));
        sources[i].pps = (double)plan.pps / n;
        sources[i].flows = (uint32_t)(plan.flows / n + (i < plan.flows % n));
        threads[i].arg = &sources[i];
    }
    ok = threads_run(&plan.options, threads, cores, n, run);
    ok = report(sources) && ok;
    mtcp_destroy();
    free(sources);
    return ok ? 0 : APP_EXIT_FAILED;
}
