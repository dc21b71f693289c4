/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two stacks over a cable in memory, polled in turn by one thread, through the API: streams, datagrams,
 * epoll, names, options, closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <cmocka.h>

#include "api/connected_testkit.h"

#define LEN sizeof(struct sockaddr_in)

static int watch(mctx_t m, int fd, uint32_t events)
{
    struct mtcp_epoll_event ev = {.events = events, .data.sockid = fd};
    int ep = mtcp_epoll_create(m, 1);

    assert_true(ep >= 0);
    assert_int_equal(mtcp_epoll_ctl(m, ep, MTCP_EPOLL_CTL_ADD, fd, &ev), 0);
    return ep;
}

/** Events of the one socket in the set, 0 when it is not ready. */
static uint32_t ready(mctx_t m, int ep)
{
    struct mtcp_epoll_event ev[4];
    int n = mtcp_epoll_wait(m, ep, ev, 4, 0);

    assert_in_range(n, 0, 1);
    return n ? ev[0].events : 0;
}

static void connect_completion_is_exactly_out(void **state)
{
    struct sockaddr_in a = kit_addr(1, KIT_PORT);
    int fd = kit_socket(&kit, 0, SOCK_STREAM), ep = watch(C, fd, MTCP_EPOLLOUT), n;

    (void)state;
    assert_int_equal(mtcp_connect(C, fd, (struct sockaddr *)&a, sizeof(a)), -1);
    assert_int_equal(ready(C, ep), 0);
    kit_run(&kit);
    n = mtcp_accept(S, listener, NULL, NULL);
    assert_int_equal(mtcp_write(S, n, "early", 5), 5);
    assert_int_equal(mtcp_close(S, n), 0);
    kit_run(&kit);
    assert_int_equal(ready(C, ep), MTCP_EPOLLOUT);
}

static void a_refused_connection_has_its_reason_in_so_error(void **state)
{
    struct sockaddr_in a = kit_addr(1, KIT_PORT + 1);
    int fd = kit_socket(&kit, 0, SOCK_STREAM), ep = watch(C, fd, MTCP_EPOLLOUT), err = -1;
    socklen_t len = sizeof(err);

    (void)state;
    mtcp_connect(C, fd, (struct sockaddr *)&a, sizeof(a));
    kit_run(&kit);
    assert_true(ready(C, ep) & MTCP_EPOLLERR);
    assert_int_equal(mtcp_getsockopt(C, fd, SOL_SOCKET, SO_ERROR, &err, &len), 0);
    assert_int_equal(err, ECONNREFUSED);
    mtcp_getsockopt(C, fd, SOL_SOCKET, SO_ERROR, &err, &len);
    assert_int_equal(err, 0);
}

static void accepted_sockets_have_our_name_and_the_peers(void **state)
{
    struct sockaddr_in ours, theirs, clients;
    socklen_t len = LEN;

    (void)state;
    assert_int_equal(mtcp_getsockname(S, server, (struct sockaddr *)&ours, &len), 0);
    assert_int_equal(mtcp_getpeername(S, server, (struct sockaddr *)&theirs, &len), 0);
    assert_int_equal(mtcp_getsockname(C, client, (struct sockaddr *)&clients, &len), 0);
    assert_int_equal(ours.sin_addr.s_addr, htonl(0x0a000002));
    assert_int_equal(ours.sin_port, htons(KIT_PORT));
    assert_int_equal(theirs.sin_addr.s_addr, htonl(0x0a000001));
    assert_int_equal(theirs.sin_port, clients.sin_port);
}

static void bytes_arrive_in_order_and_peek_leaves_them(void **state)
{
    struct iovec out[3] = {{"abc", 3}, {NULL, 0}, {"defgh", 5}};
    char a[4] = {0}, b[8] = {0};
    struct iovec in[2] = {{a, 4}, {b, 8}};
    int n = 0;

    (void)state;
    assert_int_equal(mtcp_writev(C, client, out, 3), 8);
    kit_run(&kit);
    assert_int_equal(mtcp_socket_ioctl(S, server, FIONREAD, &n), 0);
    assert_int_equal(n, 8);
    assert_int_equal(mtcp_recv(S, server, b, 8, MSG_PEEK), 8);
    assert_int_equal(mtcp_readv(S, server, in, 2), 8);
    assert_memory_equal(a, "abcd", 4);
    assert_memory_equal(b, "efgh", 4);
    assert_int_equal(mtcp_recv(S, server, b, 8, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

static void a_stream_that_fills_up_drains_again(void **state)
{
    static char chunk[10000], back[10000];
    int ep = watch(C, client, MTCP_EPOLLOUT | MTCP_EPOLLET);
    size_t sent = 0, got = 0;
    ssize_t n;

    (void)state;
    assert_int_equal(ready(C, ep), MTCP_EPOLLOUT);
    do { /* the other side does not read */
        for (size_t i = 0; i < sizeof(chunk); i++)
            chunk[i] = (char)((sent + i) * 7 / 5);
        n = mtcp_write(C, client, chunk, sizeof(chunk));
        sent += n > 0 ? (size_t)n : 0;
        kit_run(&kit);
    } while (n > 0);
    assert_int_equal(errno, EAGAIN);
    assert_true(sent >= 2 * 65536);
    assert_int_equal(ready(C, ep), 0);
    while (got < sent) {
        n = mtcp_read(S, server, back, sizeof(back));
        kit_run(&kit);
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(back[i], (char)((got + (size_t)i) * 7 / 5));
        got += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(ready(C, ep), MTCP_EPOLLOUT);
}

static void a_clean_close_is_seen_as_end_of_stream(void **state)
{
    int ep = watch(S, server, MTCP_EPOLLIN | MTCP_EPOLLRDHUP);
    char buf[8];

    (void)state;
    mtcp_write(C, client, "bye", 3);
    mtcp_close(C, client);
    kit_run(&kit);
    assert_int_equal(ready(S, ep), MTCP_EPOLLIN | MTCP_EPOLLRDHUP);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), 3);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), 0);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), 0);
    assert_int_equal(mtcp_write(S, server, "late", 4), 4);
    kit_run(&kit); /* nobody is there any more: reset */
    assert_true(ready(S, ep) & MTCP_EPOLLERR);
}

static void half_closed_connections_still_carry_the_answer(void **state)
{
    char buf[8];

    (void)state;
    mtcp_write(C, client, "ask", 3);
    assert_int_equal(mtcp_shutdown(C, client, SHUT_WR), 0);
    kit_run(&kit);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), 3);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), 0);
    assert_int_equal(mtcp_write(S, server, "answer", 6), 6);
    kit_run(&kit);
    assert_int_equal(mtcp_read(C, client, buf, sizeof(buf)), 6);
}

static void abort_and_unread_data_reset_the_peer(void **state)
{
    int ep = watch(S, server, 0);
    char buf[8];

    (void)state;
    assert_int_equal(mtcp_abort(C, client), 0);
    kit_run(&kit);
    assert_int_equal(ready(S, ep), MTCP_EPOLLERR | MTCP_EPOLLHUP);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void what_is_not_finished_when_a_context_ends_is_reset(void **state)
{
    struct worker *w = kit_worker(&kit, 1);
    char buf[8];

    (void)state;
    mtcp_write(C, client, "last", 4);
    api_ctx_destroy(C, 1000); /* the peer does not run meanwhile */
    kit.ctx[0] = NULL;
    for (int i = 0; i < 5; i++)
        worker_round(w);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), 4);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void descriptors_and_connections_do_not_leak(void **state)
{
    int first = -1;

    (void)state;
    for (int i = 0; i < 300; i++) { /* the table has 64 places */
        int c, s;

        kit_connect(&kit, listener, &c, &s);
        first = first < 0 ? c : first;
        assert_int_equal(c, first);
        mtcp_write(C, c, "x", 1);
        kit_run(&kit);
        mtcp_close(i % 2 ? C : S, i % 2 ? c : s);
        kit_run(&kit);
        mtcp_close(i % 2 ? S : C, i % 2 ? s : c);
        kit_run(&kit);
    }
}

static void datagrams_both_ways(void **state)
{
    int a = kit_bound(&kit, 0, SOCK_DGRAM, 5000), b = kit_bound(&kit, 1, SOCK_DGRAM, 6000);
    struct sockaddr_in to = kit_addr(1, 6000), from;
    socklen_t len = LEN;
    int ep = watch(S, b, MTCP_EPOLLIN);
    char buf[2000] = {0};

    (void)state;
    assert_int_equal(mudp_sendto(C, a, "one", 3, 0, (struct sockaddr *)&to, LEN), 0);
    assert_int_equal(mtcp_sendto(C, a, "twotwo", 6, 0, (struct sockaddr *)&to, LEN), 6);
    assert_int_equal(mudp_sendto(C, a, "", 0, 0, (struct sockaddr *)&to, LEN), 0);
    kit_run(&kit);
    assert_int_equal(ready(S, ep), MTCP_EPOLLIN);
    assert_int_equal(mudp_recvfrom(S, b, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 3);
    assert_int_equal(from.sin_port, htons(5000));
    assert_int_equal(from.sin_addr.s_addr, htonl(0x0a000001));
    assert_int_equal(mtcp_recvfrom(S, b, buf, 2, MSG_PEEK, NULL, NULL), 2);
    assert_int_equal(mtcp_recvfrom(S, b, buf, 2, MSG_TRUNC, NULL, NULL), 6);
    assert_int_equal(mtcp_recvfrom(S, b, buf, sizeof(buf), 0, NULL, NULL), 0);
    assert_int_equal(mudp_recvfrom(S, b, buf, sizeof(buf), 0, NULL, NULL), 0);
    assert_int_equal(ready(S, ep), 0);
    assert_int_equal(mtcp_connect(S, b, (struct sockaddr *)&from, LEN), 0);
    assert_int_equal(mtcp_send(S, b, "back", 4, 0), 4);
    kit_run(&kit);
    assert_int_equal(mtcp_recv(C, a, buf, sizeof(buf), 0), 4);
    assert_int_equal(mudp_close(C, a), 0);
}

static void options_are_real(void **state)
{
    int v = 0;
    socklen_t len = sizeof(v);

    (void)state;
    mtcp_getsockopt(C, client, SOL_SOCKET, SO_RCVBUF, &v, &len);
    assert_int_equal(v, kit.cfg[0].rcvbuf);
    mtcp_getsockopt(C, client, SOL_SOCKET, SO_TYPE, &v, &len);
    assert_int_equal(v, SOCK_STREAM);
    mtcp_getsockopt(S, listener, SOL_SOCKET, SO_ACCEPTCONN, &v, &len);
    assert_int_equal(v, 1);
    mtcp_getsockopt(C, client, IPPROTO_TCP, 2 /* TCP_MAXSEG */, &v, &len);
    assert_in_range(v, 1400, 1460);
    v = 0;
    assert_int_equal(mtcp_setsockopt(C, client, IPPROTO_TCP, 1 /* TCP_NODELAY */, &v, sizeof(v)), 0);
    mtcp_getsockopt(C, client, IPPROTO_TCP, 1, &v, &len);
    assert_int_equal(v, 0);
    v = 1;
    assert_int_equal(mtcp_socket_ioctl(C, client, FIONBIO, &v), 0);
}

static void options_for_moving(void **state)
{
    void *mine = &kit, *p = NULL;
    socklen_t len = sizeof(int), plen = sizeof(p);
    int v = 7, fd;

    (void)state;
    mtcp_getsockopt(S, listener, SOL_MTCP, MTCP_MOVABLE, &v, &len);
    assert_int_equal(v, 0);
    v = 1;
    assert_int_equal(mtcp_setsockopt(S, listener, SOL_MTCP, MTCP_MOVABLE, &v, len), 0);
    assert_int_equal(mtcp_setsockopt(S, listener, SOL_SOCKET, SO_REUSEPORT, &v, len), 0);
    mtcp_getsockopt(S, server, SOL_MTCP, MTCP_MOVABLE, &v, &len); /* accepted before */
    assert_int_equal(v, 0);
    kit_connect(&kit, listener, &client, &fd);
    mtcp_getsockopt(S, fd, SOL_MTCP, MTCP_MOVABLE, &v, &len);
    assert_int_equal(v, 1);
    v = 0;
    mtcp_getsockopt(S, fd, SOL_SOCKET, SO_REUSEPORT, &v, &len);
    assert_int_equal(v, 1);
    assert_int_equal(mtcp_getsockopt(S, fd, SOL_MTCP, MTCP_USER_DATA, &p, &plen), 0);
    assert_null(p);
    assert_int_equal(mtcp_setsockopt(S, fd, SOL_MTCP, MTCP_USER_DATA, &mine, plen), 0);
    assert_int_equal(mtcp_getsockopt(S, fd, SOL_MTCP, MTCP_USER_DATA, &p, &plen), 0);
    assert_ptr_equal(p, mine);
}

/** Host 0 has two workers, host 1 has two queues and one worker. What the second worker sends arrives in the
 * queue that nobody has, and the answers come to the first worker. */
static void packets_find_their_worker_whatever_the_queue(void **state)
{
    struct sockaddr_in a = kit_addr(1, KIT_PORT), b = kit_addr(1, 6000);
    struct worker *w;
    mctx_t second;
    char buf[8];
    int fd, conn, dgram, udp;

    (void)state;
    kit_open(&kit, 2);
    C = kit.ctx[0];
    S = kit.ctx[1];
    listener = kit_listener(&kit, 1, KIT_PORT);
    udp = kit_bound(&kit, 1, SOCK_DGRAM, 6000);
    assert_int_equal(api_ctx_create(kit.stack[0], 1, &second), ST_OK);
    w = ((struct api_ctx *)second)->worker;
    fd = mtcp_socket(second, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    dgram = mtcp_socket(second, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(mtcp_connect(second, fd, (struct sockaddr *)&a, sizeof(a)), -1);
    assert_int_equal(mtcp_sendto(second, dgram, "ask", 3, 0, (struct sockaddr *)&b, sizeof(b)), 3);
    for (int i = 0; i < 5; i++) {
        worker_round(w);
        kit_run(&kit);
    }
    conn = mtcp_accept(S, listener, NULL, NULL);
    assert_true(conn >= 0);
    assert_int_equal(mtcp_write(S, conn, "stream", 6), 6);
    assert_int_equal(mtcp_recvfrom(S, udp, buf, sizeof(buf), 0, (struct sockaddr *)&a, &(socklen_t){LEN}), 3);
    assert_int_equal(mtcp_sendto(S, udp, "answer", 6, 0, (struct sockaddr *)&a, LEN), 6);
    kit_run(&kit);
    worker_round(w);
    assert_int_equal(mtcp_read(second, fd, buf, sizeof(buf)), 6);
    assert_int_equal(mtcp_recv(second, dgram, buf, sizeof(buf), 0), 6);
    api_ctx_destroy(second, 0);
    kit_close(&kit);
}

static void waits_last_as_long_as_asked(void **state)
{
    int ep = mtcp_epoll_create(C, 1);
    struct mtcp_epoll_event ev;

    (void)state;
    for (int ms = 0; ms <= 40; ms += 20) {
        uint64_t start = worker_now(kit_worker(&kit, 0)), took;

        worker_round(kit_worker(&kit, 0));
        start = worker_now(kit_worker(&kit, 0));
        assert_int_equal(mtcp_epoll_wait(C, ep, &ev, 1, ms), 0);
        took = worker_now(kit_worker(&kit, 0)) - start;
        assert_true(took >= (uint64_t)ms * 1000);
    }
}

static void an_interrupt_ends_the_next_wait_once(void **state)
{
    int ep = mtcp_epoll_create(C, 1);
    struct mtcp_epoll_event ev;

    (void)state;
    assert_int_equal(mtcp_interrupt(C), 0);
    assert_int_equal(mtcp_epoll_wait(C, ep, &ev, 1, -1), -1);
    assert_int_equal(errno, EINTR);
    assert_int_equal(mtcp_epoll_wait(C, ep, &ev, 1, 0), 0);
}

static void a_program_that_only_reads_makes_progress(void **state)
{
    char buf[8];
    ssize_t n = -1;

    (void)state;
    mtcp_write(C, client, "x", 1);
    worker_round(kit_worker(&kit, 0));
    for (int i = 0; i < 100 && n < 0; i++)
        n = mtcp_read(S, server, buf, sizeof(buf));
    assert_int_equal(n, 1);
}

static void if_sleeps(void *arg, const char *text)
{
    unsigned long *sleeps = arg;

    if (!strncmp(text, "worker.sleeps ", strlen("worker.sleeps ")))
        *sleeps = strtoul(text + strlen("worker.sleeps "), NULL, 10);
}

/** Whether one look at the set, which finds nothing, lets other threads run. */
static bool rests(int ep)
{
    unsigned long before = 0, after = 0;

    worker_print_counters(kit_worker(&kit, 0), if_sleeps, &before);
    assert_int_equal(ready(C, ep), 0);
    worker_print_counters(kit_worker(&kit, 0), if_sleeps, &after);
    return after > before;
}

static void who_asks_in_vain_lets_others_run(void **state)
{
    int ep = watch(C, client, MTCP_EPOLLIN);

    (void)state;
    kit_run(&kit);
    assert_true(rests(ep));
    kit.cfg[0].idle = CONFIG_IDLE_POLL;
    assert_false(rests(ep));
    kit.cfg[0].idle = CONFIG_IDLE_YIELD;
    assert_int_equal(mtcp_write(C, client, "x", 1), 1);
    assert_false(rests(ep)); /* it sends */
}

static void who_waits_for_room_to_send_lets_others_run(void **state)
{
    struct sockaddr_in to = kit_addr(1, KIT_PORT);
    int fd = kit_socket(&kit, 0, SOCK_DGRAM), ep = watch(C, fd, MTCP_EPOLLIN);

    (void)state;
    while (mudp_sendto(C, fd, "x", 1, 0, (struct sockaddr *)&to, LEN) ==
           0) /* nobody takes it from the cable */
        ;
    assert_int_equal(errno, EAGAIN);
    rests(ep); /* gives the cable what it still takes */
    assert_int_equal(mudp_sendto(C, fd, "x", 1, 0, (struct sockaddr *)&to, LEN), -1);
    assert_true(rests(ep));
}

static void event_names(void **state)
{
    (void)state;
    assert_string_equal(EventToString(0), "MTCP_EPOLLNONE");
    assert_string_equal(EventToString(MTCP_EPOLLIN), "MTCP_EPOLLIN");
    assert_string_equal(EventToString(MTCP_EPOLLOUT | (uint32_t)MTCP_EPOLLET), "MTCP_EPOLLOUT|MTCP_EPOLLET");
}

static void counters_are_printed(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    (void)state;
    mtcp_print_counters(C, f);
    fclose(f);
    assert_non_null(strstr(text, "tcp.opened_active 1\n"));
    assert_non_null(strstr(text, "worker.rounds "));
    free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connect_completion_is_exactly_out),
        TEST(a_refused_connection_has_its_reason_in_so_error),
        TEST(accepted_sockets_have_our_name_and_the_peers),
        TEST(bytes_arrive_in_order_and_peek_leaves_them),
        TEST(a_stream_that_fills_up_drains_again),
        TEST(a_clean_close_is_seen_as_end_of_stream),
        TEST(half_closed_connections_still_carry_the_answer),
        TEST(abort_and_unread_data_reset_the_peer),
        TEST(what_is_not_finished_when_a_context_ends_is_reset),
        TEST(descriptors_and_connections_do_not_leak),
        TEST(datagrams_both_ways),
        TEST(options_are_real),
        TEST(options_for_moving),
        cmocka_unit_test(packets_find_their_worker_whatever_the_queue),
        TEST(waits_last_as_long_as_asked),
        TEST(an_interrupt_ends_the_next_wait_once),
        TEST(a_program_that_only_reads_makes_progress),
        TEST(who_asks_in_vain_lets_others_run),
        TEST(who_waits_for_room_to_send_lets_others_run),
        TEST(event_names),
        TEST(counters_are_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
