/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A server of four workers, a thread each, on one queue, with key `rebalance = on`; the client is the main
 * thread. Four fifths of the messages go to flows of one worker at first, then the load spreads. Messages are
 * numbered and the server's memory of a flow is plain memory that goes from thread to thread: what is lost,
 * doubled or out of order is seen at once, and ThreadSanitizer sees a hand-over without synchronization.
 * With the argument `measure` the times count, too: for a machine on which nothing else runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "api/api_testkit.h"
#include "api/numbered_server.h"
#include "steer/flow_hash.h"
#include "steer/steer_priv.h"
#include "worker/worker_priv.h"

#define WORKERS 4u
#define FLOWS 256u
#define UDP_PORT 53
#define EVENTS 64
#define HOT_OF_TEN 8     /**< messages of ten that go to the flows of one worker */
#define FIRST_LOAD 1000u /**< messages before anything may move: enough to see that they are not even */
#define LOOK_US 100000u
#define EVEN 1.3          /**< times the mean: the most that a worker may carry */
#define UNEVEN 1.5        /**< at least at first, in frames: those of busy flows carry several messages */
#define EVEN_WITHIN_S 1.0 /**< when measured */
#define LOOKS_EVEN 5u     /**< in a row: then the load has spread */
#define GIVE_UP_S 120     /**< a call that waits for ever ends the test */

struct flow {
    int fd;
    bool hot;
    uint64_t sent, received; /**< messages */
};

static struct {
    struct config cfg[2];
    struct mtcp_stack *stack[2];
    mctx_t client;
    int ep;
    struct server server[WORKERS];
    struct servers servers;
    unsigned num_started;
    bool holding;
    struct flow flow[FLOWS];
    struct flow_state datagrams[FLOWS]; /**< the servers' */
    unsigned hot[FLOWS], cold[FLOWS], num_hot, num_cold;
    uint32_t random;
    bool measure;
} world;

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint32_t random_below(uint32_t n)
{
    world.random = world.random * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)world.random * n >> 32);
}

/* ---- the client ---- */

static void client_read(struct flow *f)
{
    struct message m;
    ssize_t n;

    /* The peer sends whole messages, and TCP cuts them only at the end of a segment or of its buffer. */
    while ((n = mtcp_recv(world.client, f->fd, (char *)&m, sizeof(m), 0)) == sizeof(m)) {
        assert_int_equal(m.flow, f - world.flow);
        assert_int_equal(m.seq, f->received);
        f->received++;
    }
    assert_int_equal(n, -1);
    assert_int_equal(errno, EAGAIN);
}

static void client_round(void)
{
    struct mtcp_epoll_event ev[EVENTS];
    int n = mtcp_epoll_wait(world.client, world.ep, ev, EVENTS, 0);

    for (int i = 0; i < n; i++)
        client_read(&world.flow[ev[i].data.u32]);
}

static void servers_are_well(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (atomic_load(&world.server[i].has_failed))
            fail_msg("server %u: %s", i, world.server[i].failed);
}

static void client_send(struct flow *f)
{
    struct message m = {(uint64_t)(f - world.flow), f->sent};

    while (f->sent - f->received >= NUMBERED_WINDOW)
        client_round();
    assert_int_equal(mtcp_send(world.client, f->fd, (char *)&m, sizeof(m), 0), sizeof(m));
    f->sent++;
}

static void client_finish(void)
{
    for (unsigned i = 0; i < FLOWS; i++)
        while (world.flow[i].received < world.flow[i].sent)
            client_round();
}

/** Which worker of the server has the flow. */
static unsigned worker_of_flow(const struct flow *f, uint16_t port)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    mtcp_getsockname(world.client, f->fd, (struct sockaddr *)&a, &len);
    return steer_bucket_worker(
        world.stack[1]->steer,
        flow_hash_ipv4(world.cfg[1].address, world.cfg[0].address, port, ntohs(a.sin_port)) % STEER_BUCKETS);
}

static void open_flow(unsigned i, int type, uint16_t port)
{
    struct sockaddr_in to = kit_addr(1, port);
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN, .data.u32 = i};
    struct flow *f = &world.flow[i];
    int st;

    f->fd = mtcp_socket(world.client, AF_INET, type | SOCK_NONBLOCK, 0);
    st = mtcp_connect(world.client, f->fd, (struct sockaddr *)&to, sizeof(to));
    assert_true(st == 0 || errno == EINPROGRESS);
    assert_int_equal(mtcp_epoll_ctl(world.client, world.ep, MTCP_EPOLL_CTL_ADD, f->fd, &ev), 0);
    if (type == SOCK_STREAM) { /* until it is open */
        while (mtcp_write(world.client, f->fd, "", 0) < 0)
            client_round();
    }
}

/** All flows answer; those of worker 0 are the hot ones. */
static void open_flows(int type, uint16_t port)
{
    world.num_hot = world.num_cold = 0;
    for (unsigned i = 0; i < FLOWS; i++) {
        open_flow(i, type, port);
        client_send(&world.flow[i]);
        client_finish();
        world.flow[i].hot = worker_of_flow(&world.flow[i], port) == 0;
        if (world.flow[i].hot)
            world.hot[world.num_hot++] = i;
        else
            world.cold[world.num_cold++] = i;
    }
    assert_true(world.num_hot >= FLOWS / 8);
}

/** So many messages, HOT_OF_TEN of ten to hot flows. */
static void load(unsigned messages)
{
    for (unsigned i = 0; i < messages; i++) {
        bool hot = random_below(10) < HOT_OF_TEN;
        unsigned f = hot ? world.hot[random_below(world.num_hot)] : world.cold[random_below(world.num_cold)];

        client_send(&world.flow[f]);
    }
}

/** The load for about so long. */
static void load_for(uint64_t us)
{
    double end = now_s() + (double)us / 1e6;

    while (now_s() < end)
        load(10);
    servers_are_well();
}

/* ---- the world ---- */

static void set_up(enum config_rebalance rebalance)
{
    struct netif_params p = {.num_queues = 1, .mtu = 1500};
    struct log log = {.level = LOG_ERROR, .sink = log_stderr};
    bool measure = world.measure;
    struct netif *end[2];

    memset(&world, 0, sizeof(world));
    world.measure = measure;
    world.random = 1;
    alarm(GIVE_UP_S);
    assert_int_equal(pair_open(&p, &end[0], &end[1]), ST_OK);
    for (int i = 0; i < 2; i++) {
        kit_config(&world.cfg[i], i, i ? WORKERS : 1);
        world.cfg[i].max_concurrency = NUMBERED_MAX_FDS;
        world.cfg[i].distribution = CONFIG_DISTRIBUTION_SHARED;
        world.cfg[i].rebalance = i ? rebalance : CONFIG_REBALANCE_OFF;
        assert_int_equal(stack_create(&world.cfg[i], end[i], &log, &world.stack[i]), ST_OK);
    }
    assert_int_equal(api_ctx_create(world.stack[0], 0, &world.client), ST_OK);
    world.ep = mtcp_epoll_create(world.client, 1);
}

static void start(void)
{
    world.servers = (struct servers){
        .tcp_port = KIT_PORT, .udp_port = UDP_PORT, .datagrams = world.datagrams, .num_flows = FLOWS};
    for (unsigned i = 0; i < WORKERS; i++) {
        struct server *s = &world.server[i];

        assert_int_equal(api_ctx_create(world.stack[1], (int)i, &s->ctx), ST_OK);
        assert_true(server_start(s, &world.servers));
        world.num_started++;
    }
    while (atomic_load(&world.servers.ready) < WORKERS)
        usleep(1000);
}

/** Nothing moves from here on until let_go(): however long opening takes and whoever is held up meanwhile. */
static void hold_balancer(void)
{
    pthread_mutex_lock(&world.stack[1]->steer->balance_lock);
    world.holding = true;
}

static void let_go(void)
{
    if (world.holding)
        pthread_mutex_unlock(&world.stack[1]->steer->balance_lock);
    world.holding = false;
}

static void stop_servers(void)
{
    let_go();
    atomic_store(&world.servers.stop, true);
    while (world.num_started)
        pthread_join(world.server[--world.num_started].id, NULL);
}

/** A failed test leaves its stacks behind, but no thread that would run on into the next test's memory. */
static int tear_down(void **state)
{
    (void)state;
    stop_servers();
    alarm(0);
    return 0;
}

/** Ends all and looks at what has been counted. */
static void finish(void)
{
    struct steer_counters sc[WORKERS];
    struct tcp_counters client_tcp;
    uint64_t messages = 0, sent = 0;

    client_finish();
    client_tcp = *tcp_get_counters(worker_socks(((struct api_ctx *)world.client)->worker)->tcp);
    stop_servers();
    for (unsigned i = 0; i < WORKERS; i++)
        steer_get_counters(world.stack[1]->steer, i, &sc[i]);
    api_ctx_destroy(world.client, 0);
    for (int i = 0; i < 2; i++) {
        stack_destroy(world.stack[i]);
        config_free(&world.cfg[i]);
    }
    servers_are_well();
    for (unsigned i = 0; i < FLOWS; i++)
        sent += world.flow[i].sent;
    for (unsigned i = 0; i < WORKERS; i++) {
        const struct server *s = &world.server[i];

        messages += s->messages;
        assert_int_equal(sc[i].drop_ring_full, 0);
        assert_int_equal(sc[i].drop_park_full, 0);
        assert_int_equal(s->tcp.rx_out_of_order, 0);
        assert_int_equal(s->tcp.tx_resets, 0);
        assert_int_equal(s->tcp.move_pin_failed + s->tcp.moved_ended, 0);
        assert_int_equal(s->udp_counters.drop_rcvbuf_full + s->udp_counters.drop_no_port, 0);
    }
    assert_int_equal(messages, sent);
    assert_int_equal(client_tcp.rx_out_of_order, 0);
}

/* ---- looking at the load ---- */

struct look {
    uint64_t frames[WORKERS];
    double share[WORKERS]; /**< of all frames since the look before, times the number of workers */
    double most;           /**< the largest of them: 1 = even */
};

static void look(struct look *l)
{
    uint64_t total = 0, more[WORKERS];

    l->most = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        struct steer_counters c;

        steer_get_counters(world.stack[1]->steer, i, &c);
        more[i] = c.frames - l->frames[i];
        l->frames[i] = c.frames;
        total += more[i];
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        l->share[i] = total ? (double)more[i] * WORKERS / (double)total : 0;
        if (l->share[i] > l->most)
            l->most = l->share[i];
    }
}

/** How many times the mean the busiest worker has while nothing moves. */
static double first_look(struct look *l)
{
    look(l);
    load(FIRST_LOAD);
    client_finish();
    look(l);
    return l->most;
}

/** The load until it has been even for some looks in a row; how long it took to become so. */
static double seconds_until_even(struct look l)
{
    double begin = now_s(), even_since = 0;
    unsigned even = 0;

    while (even < LOOKS_EVEN) {
        load_for(LOOK_US);
        look(&l);
        if (world.measure)
            print_message("%6.3f s: %.2f %.2f %.2f %.2f\n", now_s() - begin, l.share[0], l.share[1],
                          l.share[2], l.share[3]);
        if (l.most > EVEN)
            even = 0;
        else if (even++ == 0)
            even_since = now_s() - begin;
    }
    return even_since;
}

static void load_spreads(int type, uint16_t port)
{
    struct look l = {0};
    double took, at_first;

    set_up(CONFIG_REBALANCE_ON);
    hold_balancer();
    start();
    open_flows(type, port);
    at_first = first_look(&l);
    let_go();
    took = seconds_until_even(l);
    print_message("# one worker had %.2f times the mean; %u flows, even after %.2f s\n", at_first, FLOWS,
                  took);
    assert_true(at_first > UNEVEN);
    if (world.measure)
        assert_true(took <= EVEN_WITHIN_S);
    finish();
}

/* ---- tests ---- */

static void connections_spread_in_order(void **state)
{
    uint64_t moved = 0, in = 0, out = 0;

    (void)state;
    load_spreads(SOCK_STREAM, KIT_PORT);
    for (unsigned i = 0; i < WORKERS; i++) {
        moved += world.server[i].moved;
        in += world.server[i].tcp.moved_in;
        out += world.server[i].tcp.moved_out;
    }
    assert_true(moved > 0);
    assert_int_equal(in, out);
    assert_int_equal(moved, out);
}

static void datagrams_spread_in_order(void **state)
{
    (void)state;
    load_spreads(SOCK_DGRAM, UDP_PORT);
}

#define SLOW_FLOWS 4u
#define PHASES 8u
#define PHASE_US 500000u

/** Messages of the flows of worker 0 as far as their windows allow: nobody waits for them. */
static void load_the_slow_one(bool really)
{
    for (unsigned i = 0; i < SLOW_FLOWS; i++) {
        struct flow *f = &world.flow[world.hot[i]];

        if (f->sent - f->received < NUMBERED_WINDOW && really)
            client_send(f);
    }
}

/** How many messages the flows of the other workers get through in a phase. */
static uint64_t others_do(bool slow_one_too)
{
    double end = now_s() + PHASE_US / 1e6;
    uint64_t n = 0;

    for (; now_s() < end; n++) {
        client_send(&world.flow[world.cold[n % world.num_cold]]);
        load_the_slow_one(slow_one_too);
    }
    return n;
}

/** Its application sleeps 100 ms in each event, while frames for it come all the time. Measured, the others
 * may lose 5 %; else only what a worker that holds up all would cost. */
static void a_sleeping_worker_does_not_slow_the_others(void **state)
{
    double least = world.measure ? 0.95 : 0.25;
    uint64_t with = 0, without = 0, asleep;

    (void)state;
    set_up(CONFIG_REBALANCE_OFF);
    start();
    open_flows(SOCK_STREAM, KIT_PORT);
    atomic_store(&world.server[0].sleep_us, 100000);
    asleep = world.flow[world.hot[0]].received;
    for (unsigned i = 0; i < PHASES; i++) {
        without += others_do(false);
        with += others_do(true);
        client_finish();
    }
    asleep = world.flow[world.hot[0]].received - asleep;
    print_message("# messages of the others with a sleeping worker: %.3f of those without\n",
                  (double)with / (double)without);
    assert_true(asleep >= PHASES && asleep <= PHASES * NUMBERED_WINDOW * 3);
    assert_true((double)with >= least * (double)without);
    atomic_store(&world.server[0].sleep_us, 0);
    finish();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(connections_spread_in_order, tear_down),
        cmocka_unit_test_teardown(datagrams_spread_in_order, tear_down),
        cmocka_unit_test_teardown(a_sleeping_worker_does_not_slow_the_others, tear_down),
    };

    world.measure = argc > 1 && strcmp(argv[1], "measure") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
