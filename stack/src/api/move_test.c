/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A server of two workers on one queue, whose buckets move on demand; one thread polls all in turn. What
 * programs see of it: who goes and who stays, the event, descriptors, user data, accept, datagrams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "api/api_testkit.h"
#include "steer/flow_hash.h"
#include "steer/steer_priv.h"
#include "worker/worker_priv.h"

#define UDP_PORT 6000
#define MAX_EVENTS 16
#define LISTENER_DATA 1000 /**< data of the listener's item; others have their descriptor */

static struct netif *ends[2];
static struct config cfg[2];
static struct mtcp_stack *stacks[2];
static mctx_t C, S[2];
static int ep[2], listener[2], udp[2];

/** What a server's worker was told since it was last asked. */
static struct {
    int moved[MAX_EVENTS], num_moved;
    int readable[MAX_EVENTS], num_readable;
    bool acceptable, mixed;
} told[2];

static struct worker *worker_of(mctx_t m)
{
    return ((struct api_ctx *)m)->worker;
}

static struct steer *steer(void)
{
    return stacks[1]->steer;
}

static void take(unsigned i, const struct mtcp_epoll_event *ev)
{
    int fd = ev->data.sockid;

    if (ev->events & MTCP_EPOLLMOVED) {
        told[i].moved[told[i].num_moved++ % MAX_EVENTS] = fd;
        told[i].mixed = told[i].mixed || ev->events != MTCP_EPOLLMOVED;
    } else if (fd == LISTENER_DATA) {
        told[i].acceptable = true;
    } else {
        told[i].readable[told[i].num_readable++ % MAX_EVENTS] = fd;
    }
}

static void wait_once(unsigned i, int maxevents)
{
    struct mtcp_epoll_event ev[MAX_EVENTS];
    int n = mtcp_epoll_wait(S[i], ep[i], ev, maxevents, 0);

    for (int k = 0; k < n; k++)
        take(i, &ev[k]);
}

/** All run until what is on its way has arrived. */
static void run(void)
{
    memset(told, 0, sizeof(told));
    for (int r = 0; r < 20; r++) {
        worker_round(worker_of(C));
        for (unsigned i = 0; i < 2; i++)
            wait_once(i, MAX_EVENTS);
    }
}

static void watch(unsigned i, int fd, int data)
{
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN, .data.sockid = data};

    assert_int_equal(mtcp_epoll_ctl(S[i], ep[i], MTCP_EPOLL_CTL_ADD, fd, &ev), 0);
}

static void set(unsigned i, int fd, int optname, int on)
{
    assert_int_equal(mtcp_setsockopt(S[i], fd, SOL_MTCP, optname, &on, sizeof(on)), 0);
}

static int bound(unsigned i, int type, uint16_t port)
{
    struct sockaddr_in a = kit_addr(1, port);
    int fd = mtcp_socket(S[i], AF_INET, type | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(mtcp_bind(S[i], fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void open_listener(unsigned i)
{
    listener[i] = bound(i, SOCK_STREAM, KIT_PORT);
    set(i, listener[i], MTCP_MOVABLE, 1);
    assert_int_equal(mtcp_listen(S[i], listener[i], 16), 0);
    watch(i, listener[i], LISTENER_DATA);
}

static int set_up(void **state)
{
    struct netif_params p = {.num_queues = 1, .mtu = 1500};
    struct log log = {.level = LOG_ERROR, .sink = log_stderr};

    (void)state;
    memset(told, 0, sizeof(told));
    assert_int_equal(pair_open(&p, &ends[0], &ends[1]), ST_OK);
    for (int i = 0; i < 2; i++) {
        kit_config(&cfg[i], i, i ? 2 : 1);
        cfg[i].distribution = CONFIG_DISTRIBUTION_SHARED;
        assert_int_equal(stack_create(&cfg[i], ends[i], &log, &stacks[i]), ST_OK);
    }
    assert_int_equal(api_ctx_create(stacks[0], 0, &C), ST_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(api_ctx_create(stacks[1], (int)i, &S[i]), ST_OK);
        assert_int_equal(worker_index(worker_of(S[i])), i);
        ep[i] = mtcp_epoll_create(S[i], 1);
        open_listener(i);
        udp[i] = bound(i, SOCK_DGRAM, UDP_PORT);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    api_ctx_destroy(C, 0);
    for (unsigned i = 0; i < 2; i++)
        if (S[i])
            api_ctx_destroy(S[i], 0);
    for (int i = 0; i < 2; i++) {
        stack_destroy(stacks[i]);
        config_free(&cfg[i]);
    }
    return 0;
}

/* ---- flows ---- */

static unsigned bucket_of(int client, uint16_t port)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    assert_int_equal(mtcp_getsockname(C, client, (struct sockaddr *)&a, &len), 0);
    return flow_hash_ipv4(cfg[1].address, ntohl(a.sin_addr.s_addr), port, ntohs(a.sin_port)) % STEER_BUCKETS;
}

/** A connection of the client, complete, that nobody has accepted: its worker. */
static unsigned connect_one(int *client)
{
    struct sockaddr_in a = kit_addr(1, KIT_PORT);

    *client = mtcp_socket(C, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(mtcp_connect(C, *client, (struct sockaddr *)&a, sizeof(a)), -1);
    assert_int_equal(errno, EINPROGRESS);
    run();
    return steer_bucket_worker(steer(), bucket_of(*client, KIT_PORT));
}

static int accept_one(unsigned at)
{
    int fd = mtcp_accept(S[at], listener[at], NULL, NULL);

    if (fd >= 0)
        mtcp_setsock_nonblock(S[at], fd);
    return fd;
}

struct pair {
    int client, server;
    unsigned at, bucket;
};

/** Accepted, watched, and with user data. */
static struct pair connected(void *user_data)
{
    struct pair p;

    p.at = connect_one(&p.client);
    p.bucket = bucket_of(p.client, KIT_PORT);
    p.server = accept_one(p.at);
    assert_true(p.server >= 0);
    watch(p.at, p.server, p.server);
    assert_int_equal(mtcp_setsockopt(S[p.at], p.server, SOL_MTCP, MTCP_USER_DATA, &user_data, sizeof(void *)),
                     0);
    return p;
}

/** Moves a bucket; returns where it is then. */
static unsigned move(unsigned bucket)
{
    unsigned to = !steer_bucket_worker(steer(), bucket);

    assert_true(steer_move(steer(), bucket, to));
    run();
    assert_int_equal(steer_bucket_worker(steer(), bucket), to);
    return to;
}

static void *user_data_of(unsigned at, int fd)
{
    void *p = NULL;
    socklen_t len = sizeof(p);

    assert_int_equal(mtcp_getsockopt(S[at], fd, SOL_MTCP, MTCP_USER_DATA, &p, &len), 0);
    return p;
}

static void talk(struct pair *p, const char *text)
{
    char buf[64];
    ssize_t len = (ssize_t)strlen(text);

    assert_int_equal(mtcp_write(C, p->client, text, (size_t)len), len);
    run();
    assert_int_equal(mtcp_read(S[p->at], p->server, buf, sizeof(buf)), len);
    assert_memory_equal(buf, text, (size_t)len);
    assert_int_equal(mtcp_write(S[p->at], p->server, text, (size_t)len), len);
    run();
    assert_int_equal(mtcp_read(C, p->client, buf, sizeof(buf)), len);
    assert_memory_equal(buf, text, (size_t)len);
}

/* ---- connections that go ---- */

static void a_movable_connection_comes_out_at_the_other_worker(void **state)
{
    int mine;
    struct pair p = connected(&mine);
    unsigned from = p.at;
    char buf[64];

    (void)state;
    talk(&p, "before");
    assert_int_equal(mtcp_write(C, p.client, "unread", 6), 6);
    run();
    p.at = move(p.bucket);
    assert_int_equal(told[from].num_moved, 1);
    assert_int_equal(told[from].moved[0], p.server);
    assert_false(told[from].mixed);
    assert_int_equal(told[p.at].num_moved, 0);
    assert_true(told[p.at].acceptable);
    assert_int_equal(mtcp_read(S[from], p.server, buf, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(mtcp_close(S[from], p.server), -1);
    p.server = accept_one(p.at);
    assert_true(p.server >= 0);
    assert_ptr_equal(user_data_of(p.at, p.server), &mine);
    watch(p.at, p.server, p.server);
    run();
    assert_true(told[p.at].num_readable > 0);
    assert_int_equal(mtcp_read(S[p.at], p.server, buf, sizeof(buf)), 6);
    assert_memory_equal(buf, "unread", 6);
    talk(&p, "after");
    assert_int_equal(tcp_num_conns(worker_socks(worker_of(S[from]))->tcp), 0);
    mtcp_close(S[p.at], p.server);
    run();
    assert_int_equal(mtcp_read(C, p.client, buf, 1), 0);
}

static void descriptors_are_not_given_out_before_the_report(void **state)
{
    struct pair p[8];
    unsigned at, n = 0;
    int fd;

    (void)state;
    at = connected(NULL).at;
    while (n < 2) {
        p[n] = connected(NULL);
        n += p[n].at == at;
    }
    run();
    assert_true(steer_move(steer(), p[0].bucket, !at));
    assert_true(p[0].bucket == p[1].bucket || steer_move(steer(), p[1].bucket, !at));
    memset(told, 0, sizeof(told));
    for (int i = 0; i < 20 && told[at].num_moved == 0; i++) {
        wait_once(!at, MAX_EVENTS);
        wait_once(at, 1);
    }
    assert_int_equal(told[at].num_moved, 1); /* the other one's report is still to come */
    fd = mtcp_socket(S[at], AF_INET, SOCK_STREAM, 0);
    assert_int_equal(fd, told[at].moved[0]);
    assert_int_not_equal(mtcp_socket(S[at], AF_INET, SOCK_STREAM, 0), p[0].server + p[1].server - fd);
    wait_once(at, 1);
    assert_int_equal(told[at].num_moved, 2);
    assert_int_equal(told[at].moved[1], p[0].server + p[1].server - fd);
    assert_int_equal(mtcp_socket(S[at], AF_INET, SOCK_STREAM, 0), told[at].moved[1]);
}

static void a_connection_that_waits_to_be_accepted_goes(void **state)
{
    int client, fd;
    unsigned from = connect_one(&client), to;

    (void)state;
    to = move(bucket_of(client, KIT_PORT));
    assert_int_equal(told[from].num_moved, 0);
    assert_int_equal(accept_one(from), -1);
    assert_int_equal(errno, EAGAIN);
    fd = accept_one(to);
    assert_true(fd >= 0);
    assert_null(user_data_of(to, fd));
}

static void a_connection_that_its_user_has_closed_goes(void **state)
{
    struct pair p = connected(NULL);
    char buf[8];

    (void)state;
    assert_int_equal(mtcp_write(S[p.at], p.server, "bye", 3), 3);
    mtcp_close(S[p.at], p.server);
    move(p.bucket);
    assert_int_equal(tcp_num_conns(worker_socks(worker_of(S[p.at]))->tcp), 0);
    assert_int_equal(mtcp_read(C, p.client, buf, sizeof(buf)), 3);
    assert_int_equal(mtcp_read(C, p.client, buf, sizeof(buf)), 0);
    mtcp_close(C, p.client);
    run();
    assert_int_equal(tcp_num_conns(worker_socks(worker_of(S[!p.at]))->tcp), 0);
}

static void a_reset_on_the_way_is_told_to_the_new_thread(void **state)
{
    int mine, fd;
    struct pair p = connected(&mine);
    char buf[8];

    (void)state;
    p.at = move(p.bucket);
    mtcp_abort(C, p.client);
    run();
    fd = accept_one(p.at);
    assert_true(fd >= 0);
    assert_ptr_equal(user_data_of(p.at, fd), &mine);
    assert_int_equal(mtcp_read(S[p.at], fd, buf, sizeof(buf)), -1);
    assert_int_equal(errno, ECONNRESET);
    mtcp_close(S[p.at], fd);
}

static void forth_and_back_without_end(void **state)
{
    int mine;
    struct pair p = connected(&mine);
    char text[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "message %d", i);
        talk(&p, text);
        mtcp_write(C, p.client, "on the way", 10);
        worker_round(worker_of(C));
        p.at = move(p.bucket);
        p.server = accept_one(p.at);
        assert_ptr_equal(user_data_of(p.at, p.server), &mine);
        watch(p.at, p.server, p.server);
        assert_int_equal(mtcp_read(S[p.at], p.server, text, sizeof(text)), 10);
    }
    assert_int_equal(tcp_get_counters(worker_socks(worker_of(C))->tcp)->tx_retransmits, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct steer_counters c;

        steer_get_counters(steer(), i, &c);
        assert_int_equal(c.drop_ring_full + c.drop_park_full, 0);
        assert_int_equal(c.buckets_in, 50);
        assert_int_equal(tcp_get_counters(worker_socks(worker_of(S[i]))->tcp)->rx_out_of_order, 0);
    }
}

/* ---- connections that stay ---- */

/** It works on where it was, and new ones of its bucket begin at the other worker. */
static void stays(struct pair *p, void *mine)
{
    unsigned to = move(p->bucket);

    assert_int_equal(to, !p->at);
    assert_int_equal(told[p->at].num_moved, 0);
    assert_ptr_equal(user_data_of(p->at, p->server), mine);
    talk(p, "still here");
    assert_int_equal(tcp_get_counters(worker_socks(worker_of(S[p->at]))->tcp)->move_pinned, 1);
}

static void one_that_is_not_movable_stays(void **state)
{
    int mine;
    struct pair p = connected(&mine);

    (void)state;
    set(p.at, p.server, MTCP_MOVABLE, 0);
    stays(&p, &mine);
    set(p.at, p.server, MTCP_MOVABLE, 1);
    move(p.bucket); /* the bucket comes back and goes again, and takes it along */
    talk(&p, "home");
    move(p.bucket);
    assert_int_equal(told[p.at].num_moved, 1);
    p.at = !p.at;
    p.server = accept_one(p.at);
    assert_ptr_equal(user_data_of(p.at, p.server), &mine);
    talk(&p, "gone");
}

static void one_that_nobody_watches_stays(void **state)
{
    int mine;
    struct pair p = connected(&mine);

    (void)state;
    mtcp_epoll_ctl(S[p.at], ep[p.at], MTCP_EPOLL_CTL_DEL, p.server, NULL);
    stays(&p, &mine);
}

static void one_stays_when_nobody_listens_there(void **state)
{
    int mine;
    struct pair p = connected(&mine);

    (void)state;
    mtcp_close(S[!p.at], listener[!p.at]);
    stays(&p, &mine);
}

static void one_stays_when_its_thread_is_not_in_a_wait_for_events(void **state)
{
    int mine;
    struct pair p = connected(&mine);

    (void)state;
    assert_true(steer_move(steer(), p.bucket, !p.at));
    for (int i = 0; i < 40; i++) /* as a call that blocks does, or one that is tried again and again */
        worker_round(worker_of(S[i % 2]));
    assert_int_equal(steer_bucket_worker(steer(), p.bucket), !p.at);
    run();
    assert_int_equal(told[p.at].num_moved, 0);
    talk(&p, "still here");
}

static void the_flow_is_free_when_one_that_stayed_has_ended(void **state)
{
    struct pair p = connected(NULL);
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    struct steer_flow flow = {IP_PROTO_TCP, cfg[1].address, cfg[0].address, KIT_PORT, 0};

    (void)state;
    mtcp_getsockname(C, p.client, (struct sockaddr *)&a, &len);
    flow.peer_port = ntohs(a.sin_port);
    set(p.at, p.server, MTCP_MOVABLE, 0);
    move(p.bucket);
    assert_int_equal(steer_target(steer(), &flow, false), p.at);
    mtcp_abort(S[p.at], p.server);
    assert_int_equal(steer_target(steer(), &flow, false), !p.at);
}

/* ---- the end of a worker ---- */

static void a_worker_leaves_while_a_bucket_comes(void **state)
{
    struct pair p = connected(NULL);
    unsigned to = !p.at;
    char buf[4];

    (void)state;
    assert_true(steer_move(steer(), p.bucket, to));
    wait_once(p.at, MAX_EVENTS);
    api_ctx_destroy(S[to], 0);
    S[to] = NULL;
    for (int i = 0; i < 20; i++) {
        worker_round(worker_of(C));
        wait_once(p.at, MAX_EVENTS);
    }
    if (told[p.at].num_moved) /* it had gone, and has come back */
        p.server = accept_one(p.at);
    assert_int_equal(mtcp_write(S[p.at], p.server, "x", 1), 1);
    worker_round(worker_of(S[p.at]));
    worker_round(worker_of(C));
    assert_int_equal(mtcp_read(C, p.client, buf, sizeof(buf)), 1);
}

/* ---- a worker without buckets ---- */

static void a_worker_that_has_no_bucket_connects(void **state)
{
    struct sockaddr_in a = kit_addr(0, KIT_PORT);
    int at_client = mtcp_socket(C, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), fd, accepted;
    uint64_t pins = 0;
    char buf[4];

    (void)state;
    assert_int_equal(mtcp_bind(C, at_client, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(mtcp_listen(C, at_client, 4), 0);
    for (unsigned b = 0; b < STEER_BUCKETS; b += 2)
        assert_true(steer_move(steer(), b, 1));
    run();
    assert_int_equal(steer_bucket_worker(steer(), 0), 1);
    fd = mtcp_socket(S[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(mtcp_connect(S[0], fd, (struct sockaddr *)&a, sizeof(a)), -1);
    assert_int_equal(errno, EINPROGRESS);
    run();
    accepted = mtcp_accept(C, at_client, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(mtcp_write(C, accepted, "x", 1), 1);
    run();
    assert_int_equal(mtcp_read(S[0], fd, buf, sizeof(buf)), 1);
    mtcp_close(C, accepted);
    mtcp_close(S[0], fd);
    run();
    for (unsigned b = 0; b < STEER_BUCKETS; b++)
        pins += steer()->table.bucket[b].pins.count;
    assert_int_equal(pins, 0);
}

/* ---- datagrams ---- */

static void unread_datagrams_go_before_later_ones(void **state)
{
    struct sockaddr_in to = kit_addr(1, UDP_PORT);
    int fd = mtcp_socket(C, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    unsigned at, bucket;
    char n = 0, got;

    (void)state;
    assert_int_equal(mtcp_connect(C, fd, (struct sockaddr *)&to, sizeof(to)), 0);
    bucket = bucket_of(fd, UDP_PORT);
    at = steer_bucket_worker(steer(), bucket);
    for (; n < 10; n++)
        assert_int_equal(mtcp_send(C, fd, &n, 1, 0), 1);
    run();
    assert_int_equal(mtcp_recv(S[at], udp[at], &got, 1, 0), 1);
    assert_int_equal(got, 0);
    assert_int_equal(move(bucket), !at);
    for (; n < 20; n++)
        assert_int_equal(mtcp_send(C, fd, &n, 1, 0), 1);
    run();
    assert_int_equal(mtcp_recv(S[at], udp[at], &got, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
    for (char i = 1; i < 20; i++) {
        assert_int_equal(mtcp_recv(S[!at], udp[!at], &got, 1, 0), 1);
        assert_int_equal(got, i);
    }
}

static void datagrams_stay_when_the_other_worker_has_no_socket(void **state)
{
    struct sockaddr_in to = kit_addr(1, UDP_PORT);
    int fd = mtcp_socket(C, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    unsigned at, bucket;
    char got;

    (void)state;
    assert_int_equal(mtcp_connect(C, fd, (struct sockaddr *)&to, sizeof(to)), 0);
    bucket = bucket_of(fd, UDP_PORT);
    at = steer_bucket_worker(steer(), bucket);
    mtcp_close(S[!at], udp[!at]);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(mtcp_send(C, fd, &"ab"[round], 1, 0), 1);
        run();
        if (round == 0)
            move(bucket);
    }
    assert_int_equal(mtcp_recv(S[at], udp[at], &got, 1, 0), 1);
    assert_int_equal(got, 'a');
    assert_int_equal(mtcp_recv(S[at], udp[at], &got, 1, 0), 1);
    assert_int_equal(got, 'b');
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_movable_connection_comes_out_at_the_other_worker),
        TEST(descriptors_are_not_given_out_before_the_report),
        TEST(a_connection_that_waits_to_be_accepted_goes),
        TEST(a_connection_that_its_user_has_closed_goes),
        TEST(a_reset_on_the_way_is_told_to_the_new_thread),
        TEST(forth_and_back_without_end),
        TEST(one_that_is_not_movable_stays),
        TEST(one_that_nobody_watches_stays),
        TEST(one_stays_when_nobody_listens_there),
        TEST(one_stays_when_its_thread_is_not_in_a_wait_for_events),
        TEST(the_flow_is_free_when_one_that_stayed_has_ended),
        TEST(a_worker_leaves_while_a_bucket_comes),
        TEST(a_worker_that_has_no_bucket_connects),
        TEST(unread_datagrams_go_before_later_ones),
        TEST(datagrams_stay_when_the_other_worker_has_no_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
