/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See twin.h. */
#define _GNU_SOURCE
#include "testing/designs/twin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "netif/fault.h"
#include "steer/steer_priv.h"
#include "testing/designs/twin_dump.h"
#include "worker/worker_priv.h"

#define EVENTS 64
#define RING_FRAMES 2048
#define NUM_BUFS 65536
#define LINGER_US UINT64_C(60000000) /**< no data is given up, however slow the machine is */
#define LAST_WAIT_MS 1               /**< of workers that wait for the others' last frames */

/** Tests bring their interface; mtcp_init(), which would open one, is not used. */
enum status stack_open_netif(const struct config *cfg, unsigned num_workers, struct log *log,
                             struct netif **out)
{
    (void)cfg, (void)num_workers, (void)log, (void)out;
    return ST_NO_DEVICE;
}

/* ---- building ---- */

static unsigned cores_of(const struct twin_side_params *s)
{
    if (strcmp(s->design, "1kb") == 0)
        return s->workers + 1;
    return strcmp(s->design, "2kb") == 0 ? s->workers + 2 : s->workers;
}

static void configure(struct twin *t, unsigned side)
{
    const struct twin_side_params *s = &t->p.side[side];
    char text[1024], error[CONFIG_ERROR_LEN];

    snprintf(text, sizeof(text),
             "io = tap\nport = none\nlog = error\naddress = 10.0.0.%u/24\nnum_cores = %u\ndistribution = %s\n"
             "tcp_timeout = -1\n%s%s",
             side + 1, cores_of(s), s->design,
             t->p.arp ? ""
             : side   ? "arp = 10.0.0.1 02:00:00:00:00:01\n"
                      : "arp = 10.0.0.2 02:00:00:00:00:02\n",
             t->p.config ? t->p.config : "");
    if (config_parse("twin", text, strlen(text), &t->cfg[side], error) != ST_OK)
        twin_fail(t, "%s", error);
}

static void open_side(struct twin *t, unsigned side)
{
    struct log log = {.level = LOG_ERROR, .sink = log_stderr};
    struct netif *nif = cable_end(t->cable, side);

    configure(t, side);
    if (t->failed)
        return;
    if (side == 0 && t->p.fault && fault_wrap(nif, t->p.fault, NULL, NULL, &nif) != ST_OK)
        twin_fail(t, "fault_wrap");
    if (stack_create(&t->cfg[side], nif, &log, &t->stack[side]) != ST_OK)
        twin_fail(t, "stack_create of side %u", side);
    else if (stack_num_workers(t->stack[side]) != t->p.side[side].workers)
        twin_fail(t, "side %u has %u workers instead of %u", side, stack_num_workers(t->stack[side]),
                  t->p.side[side].workers);
}

static unsigned num_threads(const struct twin *t)
{
    return t->p.side[0].workers + t->p.side[1].workers;
}

void twin_open(struct twin *t, const struct twin_params *p, const struct twin_app *app, void *test)
{
    struct cable_params c = {.spread = p->spread,
                             .mtu = 1500,
                             .num_bufs = NUM_BUFS,
                             .ring_frames = RING_FRAMES,
                             .wakes = p->wakes};

    memset(t, 0, sizeof(*t));
    t->p = *p;
    t->app = app;
    t->test = test;
    pthread_mutex_init(&t->lock, NULL);
    for (unsigned i = 0; i < 2; i++)
        c.queues[i] = p->side[i].queues ? p->side[i].queues : p->side[i].workers;
    pthread_barrier_init(&t->barrier, NULL, num_threads(t));
    if (cable_create(&c, &t->cable) != ST_OK)
        twin_fail(t, "cable_create");
    for (unsigned i = 0; i < 2 && !t->failed; i++)
        open_side(t, i);
}

/* ---- in the worker threads ---- */

void twin_fail(struct twin *t, const char *format, ...)
{
    va_list args;

    pthread_mutex_lock(&t->lock);
    if (!atomic_load(&t->failed)) {
        va_start(args, format);
        vsnprintf(t->failure, sizeof(t->failure), format, args);
        va_end(args);
        atomic_store(&t->failed, true);
    }
    pthread_mutex_unlock(&t->lock);
    twin_interrupt(t);
}

void twin_interrupt(struct twin *t)
{
    for (unsigned side = 0; side < 2; side++)
        if (t->stack[side])
            stack_interrupt(t->stack[side]);
}

void twin_progress(struct twin_worker *tw)
{
    atomic_fetch_add_explicit(&tw->twin->progress, 1, memory_order_relaxed);
}

void twin_done(struct twin_worker *tw, uint64_t n)
{
    twin_progress(tw);
    if (atomic_fetch_sub(&tw->twin->work, n) == n) {
        atomic_store(&tw->twin->over, true);
        twin_interrupt(tw->twin);
    }
}

struct sockaddr_in twin_addr(unsigned side, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x0a000001u + side)};
}

struct worker *twin_worker_of(const struct twin_worker *tw)
{
    return ((struct api_ctx *)tw->ctx)->worker;
}

static void epoll_change(struct twin_worker *tw, int op, int fd, uint32_t events, struct twin_handler *h)
{
    struct mtcp_epoll_event ev = {.events = events, .data.ptr = h};

    if (mtcp_epoll_ctl(tw->ctx, tw->ep, op, fd, &ev) != 0)
        twin_fail(tw->twin, "epoll_ctl: %s", strerror(errno));
}

void twin_watch(struct twin_worker *tw, int fd, uint32_t events, struct twin_handler *h)
{
    epoll_change(tw, MTCP_EPOLL_CTL_ADD, fd, events, h);
}

void twin_rewatch(struct twin_worker *tw, int fd, uint32_t events, struct twin_handler *h)
{
    epoll_change(tw, MTCP_EPOLL_CTL_MOD, fd, events, h);
}

static bool ended(struct twin_worker *tw)
{
    return atomic_load(&tw->twin->over) || atomic_load(&tw->twin->failed);
}

static void wait_and_handle(struct twin_worker *tw, int timeout_ms)
{
    struct mtcp_epoll_event ev[EVENTS];
    int n = mtcp_epoll_wait(tw->ctx, tw->ep, ev, EVENTS, timeout_ms);

    tw->cut_short = n == EVENTS;
    atomic_fetch_add_explicit(&tw->loops, 1, memory_order_relaxed);
    if (n < 0 && errno != EINTR)
        twin_fail(tw->twin, "epoll_wait: %s", strerror(errno));
    for (int i = 0; i < n && !tw->twin->failed; i++) {
        struct twin_handler *h = ev[i].data.ptr;

        h->on(h, ev[i].events);
    }
}

/** Everything is over when the connections of all workers have ended, each by its own exchange. */
static void wait_for_quiet(struct twin_worker *tw)
{
    struct twin *t = tw->twin;
    bool told = false;

    while (!atomic_load(&t->failed) && atomic_load(&t->quiet) < num_threads(t)) {
        size_t conns = tcp_num_conns(worker_socks(twin_worker_of(tw))->tcp);

        if (atomic_exchange(&tw->conns, conns) != conns)
            twin_progress(tw);
        if (conns == 0 && !told) {
            told = true;
            atomic_fetch_add(&t->quiet, 1);
        }
        wait_and_handle(tw, LAST_WAIT_MS);
    }
}

/* ---- counters ---- */

struct wanted {
    const char *name;
    uint64_t value;
};

static void find_line(void *ctx, const char *text)
{
    struct wanted *w = ctx;
    size_t len = strlen(w->name);

    if (strncmp(text, w->name, len) == 0 && text[len] == ' ')
        w->value = strtoull(text + len, NULL, 10);
}

uint64_t twin_counter_now(struct twin_worker *tw, const char *name)
{
    struct wanted w = {.name = name};

    worker_print_counters(twin_worker_of(tw), find_line, &w);
    return w.value;
}

static struct twin_counter *counter_slot(struct twin *t, unsigned side, const char *name)
{
    struct twin_counter *c = t->counters[side];
    unsigned n = t->num_counters[side], i = 0;

    while (i < n && strcmp(c[i].name, name) != 0)
        i++;
    if (i == n) {
        snprintf(c[i].name, sizeof(c[i].name), "%s", name);
        t->num_counters[side]++;
    }
    return &c[i];
}

static void add_line(void *ctx, const char *text)
{
    struct twin_worker *tw = ctx;
    char name[48];
    unsigned long long value;

    if (sscanf(text, "%47s %llu", name, &value) == 2 && strncmp(name, "netif.", 6) != 0)
        counter_slot(tw->twin, tw->side, name)->value += value;
}

static void collect_counters(struct twin_worker *tw)
{
    pthread_mutex_lock(&tw->twin->lock);
    worker_print_counters(twin_worker_of(tw), add_line, tw);
    pthread_mutex_unlock(&tw->twin->lock);
}

/* ---- a thread ---- */

static bool enter(struct twin_worker *tw)
{
    if (api_ctx_create(tw->twin->stack[tw->side], (int)tw->index, &tw->ctx) != ST_OK) {
        twin_fail(tw->twin, "api_ctx_create");
        return false;
    }
    tw->leaves = false;
    tw->index = worker_index(twin_worker_of(tw));
    tw->ep = mtcp_epoll_create(tw->ctx, 16);
    tw->twin->app->start(tw);
    return true;
}

/** Nothing but the epoll descriptor is open when the users have stopped. */
static void check_descriptors(struct twin_worker *tw)
{
    struct worker *w = twin_worker_of(tw);

    for (unsigned fd = 0; fd < worker_max_socks(w); fd++)
        if ((int)fd != tw->ep && socktab_get(worker_socks(w), (int)fd)) {
            twin_fail(tw->twin, "side %u worker %u: descriptor %u stays open", tw->side, tw->index, fd);
            return;
        }
}

/** The context ends; what is pending has linger_us to get out. */
static void leave(struct twin_worker *tw, uint64_t linger_us)
{
    collect_counters(tw);
    check_descriptors(tw);
    api_ctx_destroy(tw->ctx, linger_us);
    tw->ctx = NULL;
}

static void *thread_main(void *arg)
{
    struct twin_worker *tw = arg;
    struct twin *t = tw->twin;
    bool there = enter(tw);

    pthread_barrier_wait(&t->barrier);
    while (there && !ended(tw)) {
        wait_and_handle(tw, t->app->step(tw));
        if (tw->leaves) {
            t->app->stop(tw);
            leave(tw, LINGER_US);
            there = enter(tw);
        }
    }
    if (there) {
        t->app->stop(tw);
        wait_for_quiet(tw);
    }
    pthread_barrier_wait(&t->barrier); /* from here on nobody interrupts anybody */
    if (there)
        leave(tw, 0);
    return NULL;
}

/* ---- the run ---- */

/** Waits for a thread while anything goes on. */
static void join(struct twin *t, pthread_t id)
{
    uint64_t seen = UINT64_MAX;

    for (;;) {
        uint64_t now = atomic_load(&t->progress);
        struct timespec until;

        if (now == seen) {
            fprintf(stderr, "no progress for %u s\n", TWIN_PATIENCE_S);
            twin_dump(t, stderr);
            _exit(99);
        }
        seen = now;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += TWIN_PATIENCE_S;
        if (pthread_timedjoin_np(id, NULL, &until) == 0)
            return;
    }
}

static void run_threads(struct twin *t)
{
    for (unsigned side = 0; side < 2; side++)
        for (unsigned i = 0; i < t->p.side[side].workers; i++) {
            struct twin_worker *tw = &t->worker[side][i];

            tw->twin = t;
            tw->side = side;
            tw->index = i;
            if (pthread_create(&tw->thread, NULL, thread_main, tw) != 0) {
                perror("pthread_create");
                _exit(99);
            }
        }
    for (unsigned side = 0; side < 2; side++)
        for (unsigned i = 0; i < t->p.side[side].workers; i++)
            join(t, t->worker[side][i].thread);
}

/** All workers have left: no connection is where its bucket is not. */
static void check_pins(struct twin *t, const struct mtcp_stack *st)
{
    uint64_t pins = 0;

    for (unsigned b = 0; st && st->steer && b < STEER_BUCKETS; b++)
        pins += st->steer->table.bucket[b].pins.count;
    if (pins)
        twin_fail(t, "%" PRIu64 " pins are left", pins);
}

void twin_run(struct twin *t)
{
    struct cable_report r = {0};

    if (!t->failed)
        run_threads(t);
    for (unsigned side = 0; side < 2; side++) {
        check_pins(t, t->stack[side]);
        stack_destroy(t->stack[side]);
        t->stack[side] = NULL;
        config_free(&t->cfg[side]);
    }
    if (t->cable)
        cable_destroy(t->cable, &r);
    if (r.frames_left)
        twin_fail(t, "%u frames were never given back", r.frames_left);
    if (r.breaches)
        twin_fail(t, "%u times two threads used a queue at once", r.breaches);
    pthread_barrier_destroy(&t->barrier);
}

/* ---- afterwards ---- */

uint64_t twin_counter(const struct twin *t, unsigned side, const char *name)
{
    for (unsigned i = 0; i < t->num_counters[side]; i++)
        if (strcmp(t->counters[side][i].name, name) == 0)
            return t->counters[side][i].value;
    return 0;
}

static bool in_list(const char *list, const char *name)
{
    while (list && *list) {
        size_t len = strcspn(list, " ");
        bool any = len > 0 && list[len - 1] == '*';

        if (any ? strncmp(list, name, len - 1) == 0 : len == strlen(name) && strncmp(list, name, len) == 0)
            return true;
        list += len + strspn(list + len, " ");
    }
    return false;
}

static bool tells_of_loss(const char *name)
{
    return strcmp(name, "tcp.rx_out_of_order") == 0 || strstr(name, ".drop_") || strstr(name, "failed") ||
           strstr(name, "refused");
}

/** What a segment that was sent twice meets although nothing is wrong. */
static const char meets_copies[] =
    "tcp.drop_out_of_window tcp.drop_no_connection tcp.drop_reset_no_connection tcp.drop_listen_flags "
    "tcp.drop_syn_in_window tcp.drop_after_fin tcp.drop_data_after_close "
    "tcp.drop_zero_window tcp.drop_paws";

/** Segments sent twice: on a busy machine a thread rests longer than a retransmission timer. */
static uint64_t copies_sent(const struct twin *t)
{
    uint64_t sum = 0;

    for (unsigned side = 0; side < 2; side++)
        sum += twin_counter(t, side, "tcp.tx_retransmits") + twin_counter(t, side, "tcp.tx_syn_retransmits") +
               twin_counter(t, side, "tcp.tx_probes");
    return sum;
}

void twin_expect_no_drops(struct twin *t, const char *allowed)
{
    for (unsigned side = 0; side < 2; side++)
        for (unsigned i = 0; i < t->num_counters[side]; i++) {
            const struct twin_counter *c = &t->counters[side][i];

            if (!tells_of_loss(c->name) || in_list(allowed, c->name))
                continue;
            if (c->value > (in_list(meets_copies, c->name) ? copies_sent(t) : 0))
                twin_fail(t, "side %u: %s is %" PRIu64, side, c->name, c->value);
        }
}

const char *twin_failure(const struct twin *t)
{
    return atomic_load(&((struct twin *)t)->failed) ? t->failure : NULL;
}
