/* SPDX-License-Identifier: BSD-3-Clause
 *
 * udp_sink: receives and verifies datagrams, counts losses, reordering and duplicates of each sender; with
 * --echo sends each one back. Ends after -n datagrams, when the senders have said that they ended, after -t
 * idle seconds, or at a signal. Losses are a result, not a failure; damaged datagrams are. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/threads.h"
#include "datagram/datagram.h"
#include "mtcp_epoll.h"
#include "mudp_api.h"

#define WAIT_MS 50
#define AT_ONCE 256
#define MAX_FLOWS 64    /* senders that one thread hears */
#define LATE_US 500000u /* how long late datagrams are awaited after an end marker */
#define SECOND_US 1000000u

static const char usage[] =
    "usage: udp_sink [-l PORT] -f CONF [-n DATAGRAMS] [-t SECONDS] [--echo] [-N CORES] [-w SECONDS]\n"
    "                [--fast] [--json]\n"
    "  -l PORT       listen (9999)\n"
    "  -n DATAGRAMS  end after so many different ones, if not earlier\n"
    "  -t SECONDS    end when nothing came for so long, once something came\n"
    "  --echo        send every datagram back\n"
    "  -N CORES      cores of the stack, a thread for each (1)\n"
    "  -w SECONDS    that do not count for the rate, after the first datagram (0)\n"
    "  --fast        counts what comes and looks at headers only: measures the stack, not this program\n"
    "  --json        JSON lines on standard output\n"
    "It ends when every sender that it has heard of has sent its end marker.\n";

static struct {
    struct app_options options;
    long port, datagrams;
    double idle_s, warmup_s;
    bool echo, fast;
} plan = {.options = {.name = "udp_sink", .cores = 1}, .port = 9999};

/* A flow may come to several threads: when it is moved to another core, and when a thread that has ended
 * leaves its share to the others. Its account is one all the same. */
struct sender {
    struct sockaddr_in addr;
    pthread_mutex_t lock;
    struct flow flow;
};

/* One thread's account. */
struct sink {
    struct thread *t;
    mctx_t mctx;
    int fd, ep;
    unsigned num_senders;
    struct sender *senders[MAX_FLOWS]; /**< those it has heard, of `senders` */
    uint64_t bytes, corrupt, echo_failures, first_us, last_us;
    unsigned long fresh;                 /**< datagrams of this burst that came for the first time */
    uint64_t received;                   /**< the same of all bursts */
    uint64_t begin_us, warm, warm_bytes; /**< first arrival of all; what came while warming up */
    atomic_ulong drained_us;             /**< when nothing was left to read for the last time */
};

static struct sink sinks[THREADS_MAX];
/* Of all threads, for -n and -t. */
static atomic_ulong all_received, last_arrival_us, last_end_us, running_flows, ended_flows;
/* All that any thread has heard. */
static struct sender *senders[MAX_FLOWS * THREADS_MAX];
static unsigned num_senders;
static pthread_mutex_t senders_lock = PTHREAD_MUTEX_INITIALIZER;

static struct sender *known_in(struct sender *const *list, unsigned n, const struct sockaddr_in *addr)
{
    for (unsigned i = 0; i < n; i++)
        if (list[i]->addr.sin_addr.s_addr == addr->sin_addr.s_addr &&
            list[i]->addr.sin_port == addr->sin_port)
            return list[i];
    return NULL;
}

static struct sender *new_sender(const struct sockaddr_in *addr)
{
    struct sender *from = calloc(1, sizeof(*from));

    if (!from || !flow_init(&from->flow)) {
        free(from);
        return NULL;
    }
    from->addr = *addr;
    pthread_mutex_init(&from->lock, NULL);
    atomic_fetch_add(&running_flows, 1);
    return senders[num_senders++] = from;
}

/* A thread hears no more than MAX_FLOWS, so that there is room for all. */
static struct sender *sender_of(struct sink *s, const struct sockaddr_in *addr)
{
    struct sender *from = known_in(s->senders, s->num_senders, addr);

    if (from || s->num_senders == MAX_FLOWS)
        return from;
    pthread_mutex_lock(&senders_lock);
    from = known_in(senders, num_senders, addr);
    if (!from)
        from = new_sender(addr);
    pthread_mutex_unlock(&senders_lock);
    if (from)
        s->senders[s->num_senders++] = from;
    return from;
}

static void on_data(struct sink *s, struct sender *from, const struct datagram *d, size_t len,
                    uint64_t now_us)
{
    s->last_us = now_us;
    s->bytes += len;
    pthread_mutex_lock(&from->lock);
    s->fresh += flow_data(&from->flow, d->number);
    pthread_mutex_unlock(&from->lock);
    count(&s->t->counts.read_bytes, len);
    count(&s->t->counts.completes, 1);
}

static void on_end(struct sender *from, const struct datagram *d, uint64_t now_us)
{
    pthread_mutex_lock(&from->lock);
    if (!from->flow.ended) {
        atomic_fetch_add(&ended_flows, 1);
        atomic_store(&last_end_us, now_us);
    }
    flow_end(&from->flow, d->number);
    pthread_mutex_unlock(&from->lock);
}

static void on_datagram(struct sink *s, const void *buf, size_t len, const struct sockaddr_in *addr,
                        uint64_t now_us)
{
    struct datagram d;
    struct sender *from;

    if (plan.echo && mudp_sendto(s->mctx, s->fd, buf, len, 0, (const struct sockaddr *)addr, sizeof(*addr)))
        s->echo_failures++;
    if (!(plan.fast ? datagram_glance(buf, len, &d) : datagram_check(buf, len, &d))) {
        s->corrupt++;
        return;
    }
    if (plan.fast && d.kind == DATAGRAM_DATA) {
        s->fresh++;
        s->bytes += len;
        s->last_us = now_us;
        return;
    }
    from = sender_of(s, addr); /* from its hello on: what it sends is awaited */
    if (!from)                 /* more senders than are kept apart */
        s->corrupt++;
    else if (d.kind == DATAGRAM_END)
        on_end(from, &d, now_us);
    else if (d.kind == DATAGRAM_DATA)
        on_data(s, from, &d, len, now_us);
}

/* The rate counts from the first arrival, or from the end of the warm-up. */
static void begin_rate(struct sink *s, uint64_t now_us)
{
    if (!s->begin_us)
        s->begin_us = s->first_us = now_us;
    if (now_us >= s->begin_us + (uint64_t)(plan.warmup_s * SECOND_US))
        return;
    s->first_us = now_us;
    s->warm = s->received;
    s->warm_bytes = s->bytes;
}

/* What the threads tell each other, and the clock, are dealt with once a burst: they cost as much as
 * receiving. */
static void publish(struct sink *s, uint64_t now_us)
{
    if (!s->fresh)
        return;
    s->received += s->fresh;
    begin_rate(s, now_us);
    if (plan.fast)
        count(&s->t->counts.completes, s->fresh);
    atomic_fetch_add_explicit(&all_received, s->fresh, memory_order_relaxed);
    atomic_store_explicit(&last_arrival_us, now_us, memory_order_relaxed);
    s->fresh = 0;
}

static void receive(struct sink *s)
{
    static _Thread_local uint8_t buf[DATAGRAM_MAX];
    uint64_t now_us = app_now_us();
    struct sockaddr_in addr;

    for (unsigned i = 0; i < AT_ONCE; i++) {
        socklen_t addr_len = sizeof(addr);
        ssize_t n = mtcp_recvfrom(s->mctx, s->fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&addr,
                                  &addr_len);

        if (n < 0) {
            atomic_store(&s->drained_us, now_us);
            break;
        }
        on_datagram(s, buf, (size_t)n, &addr, now_us);
    }
    publish(s, now_us);
}

static bool misses_some(struct sender *from)
{
    bool misses;

    pthread_mutex_lock(&from->lock);
    misses = flow_lost(&from->flow);
    pthread_mutex_unlock(&from->lock);
    return misses;
}

static bool nothing_missing(void)
{
    bool all_came = !plan.fast;

    pthread_mutex_lock(&senders_lock);
    for (unsigned i = 0; i < num_senders && all_came; i++)
        all_came = !misses_some(senders[i]);
    pthread_mutex_unlock(&senders_lock);
    return all_came;
}

/* Whether no thread has anything in its socket that came before the last end marker: it might be of a sender
 * that nobody has heard of yet. */
static bool all_drained(void)
{
    uint64_t last_us = atomic_load(&last_end_us);

    for (int i = 0; i < plan.options.cores; i++)
        if (atomic_load(&sinks[i].drained_us) < last_us)
            return false;
    return true;
}

/* Whether the run is over. */
static bool is_over(void)
{
    uint64_t now_us = app_now_us(), last_us = atomic_load(&last_arrival_us);

    if (plan.datagrams && atomic_load(&all_received) >= (unsigned long)plan.datagrams)
        return true;
    if (plan.idle_s > 0 && last_us && now_us > last_us + (uint64_t)(plan.idle_s * SECOND_US))
        return true;
    return atomic_load(&ended_flows) && atomic_load(&ended_flows) == atomic_load(&running_flows) &&
           all_drained() && (nothing_missing() || now_us > atomic_load(&last_end_us) + LATE_US);
}

static bool open_socket(struct sink *s)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)plan.port)};
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN};

    s->ep = mtcp_epoll_create(s->mctx, 1);
    s->fd = mtcp_socket(s->mctx, AF_INET, SOCK_DGRAM, 0);
    ev.data.sockid = s->fd;
    if (s->ep >= 0 && s->fd >= 0 && !mtcp_bind(s->mctx, s->fd, (struct sockaddr *)&addr, sizeof(addr)) &&
        !mtcp_epoll_ctl(s->mctx, s->ep, MTCP_EPOLL_CTL_ADD, s->fd, &ev))
        return true;
    app_complain(s->t->options, "cannot listen on port %ld: %s", plan.port, strerror(errno));
    return false;
}

static void run(struct thread *t)
{
    struct sink *s = t->arg;

    s->t = t;
    s->mctx = t->mctx;
    if (!open_socket(s)) {
        t->failed = true;
        app_stop();
        return;
    }
    if (s == &sinks[0])
        json_listening(t->options->json, "udp_sink", (unsigned)plan.port);
    while (!app_stopping()) {
        struct mtcp_epoll_event ev;

        if (thread_wait(t, s->ep, &ev, 1, WAIT_MS) > 0)
            receive(s);
        else
            atomic_store(&s->drained_us, app_now_us());
        if (is_over())
            app_stop();
    }
}

/* ---- the program ---- */

static bool take_option(int opt, const char *arg)
{
    switch (opt) {
    case 'l':
        return app_number("-l", arg, 1, 65535, &plan.port);
    case 'n':
        return app_number("-n", arg, 1, UINT32_MAX - 1, &plan.datagrams);
    case 't':
        return app_seconds("-t", arg, 0.001, &plan.idle_s);
    case 'w':
        return app_seconds("-w", arg, 0, &plan.warmup_s);
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
                                                     .letters = "l:n:t:w:",
                                                     .words = datagram_words,
                                                     .take = take_option};

struct totals {
    uint64_t flows, received, expected, lost, reordered, duplicates, bytes, corrupt, echo_failures, first_us,
        last_us, warm, warm_bytes;
};

static void add_sink(struct totals *all, const struct sink *s)
{
    all->bytes += s->bytes;
    all->warm += s->warm;
    all->warm_bytes += s->warm_bytes;
    all->received += plan.fast ? s->received : 0;
    all->corrupt += s->corrupt;
    all->echo_failures += s->echo_failures;
    if (s->first_us && (!all->first_us || s->first_us < all->first_us))
        all->first_us = s->first_us;
    if (s->last_us > all->last_us)
        all->last_us = s->last_us;
}

static void add_flow(struct totals *all, const struct flow *f)
{
    all->flows++;
    all->received += f->unique;
    all->expected += f->expected;
    all->lost += plan.fast ? 0 : flow_lost(f);
    all->reordered += f->reordered;
    all->duplicates += f->duplicates;
}

/* True when what came is right. */
static bool report(void)
{
    static struct json j;
    struct totals all = {0};
    double seconds, rate;

    for (int i = 0; i < plan.options.cores; i++)
        add_sink(&all, &sinks[i]);
    for (unsigned i = 0; i < num_senders; i++)
        add_flow(&all, &senders[i]->flow);
    if (plan.fast)
        all.lost = all.expected > all.received ? all.expected - all.received : 0;
    seconds = (double)(all.last_us - all.first_us) / 1e6;
    rate = seconds > 0 ? 1 / seconds : 0;
    app_say(
        &plan.options,
        "udp_sink: %lu of %lu datagrams, %lu bytes in %.3f s: %.0f datagrams/s, %.3f Gbit/s, %lu lost, %lu "
        "reordered, %lu duplicates, %lu corrupt",
        all.received, all.expected, all.bytes, seconds, (double)(all.received - all.warm) * rate,
        (double)(all.bytes - all.warm_bytes) * 8e-9 * rate, all.lost, all.reordered, all.duplicates,
        all.corrupt);
    if (plan.options.json) {
        json_begin(&j, "result", "udp_sink");
        json_u64(&j, "flows", all.flows);
        json_u64(&j, "received", all.received);
        json_u64(&j, "expected", all.expected);
        json_u64(&j, "bytes", all.bytes);
        json_u64(&j, "lost", all.lost);
        json_u64(&j, "reordered", all.reordered);
        json_u64(&j, "duplicates", all.duplicates);
        json_u64(&j, "corrupt", all.corrupt);
        json_u64(&j, "echo_failures", all.echo_failures);
        json_double(&j, "seconds", seconds);
        json_double(&j, "pps", (double)(all.received - all.warm) * rate);
        json_double(&j, "gbps", (double)(all.bytes - all.warm_bytes) * 8e-9 * rate);
        json_end(&j);
    }
    return all.corrupt == 0;
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    int cores[THREADS_MAX], rc = app_parse(argc, argv, &command_line);
    bool ok;

    if (rc)
        return rc;
    rc = app_start(&plan.options, 0);
    if (rc)
        return rc;
    for (int i = 0; i < plan.options.cores; i++) {
        cores[i] = i;
        threads[i].arg = &sinks[i];
    }
    ok = threads_run(&plan.options, threads, cores, plan.options.cores, run);
    ok = report() && ok;
    for (unsigned i = 0; i < num_senders; i++) {
        flow_fini(&senders[i]->flow);
        free(senders[i]);
    }
    mtcp_destroy();
    return ok ? 0 : APP_EXIT_FAILED;
}
