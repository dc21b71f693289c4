/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Semantics of epoll sets over fake transports: what state of a connection and what interest give which
 * report, and how level, edge and one-shot triggering behave over several waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sock/epoll_set.h"
#include "sock/fake_transport.h"

#define IN SOCK_EV_IN
#define OUT SOCK_EV_OUT
#define ERR SOCK_EV_ERR
#define HUP SOCK_EV_HUP
#define RDHUP SOCK_EV_RDHUP
#define ET SOCK_EV_ET
#define ONESHOT SOCK_EV_ONESHOT

struct world {
    struct socktab tab;
    struct sock *ep, *s;
    struct tcp_conn *c;
};

/** An epoll and a connected, idle stream that is not yet in it. */
static void world_make(struct world *w)
{
    fake_table(&w->tab, 16);
    assert_int_equal(epoll_open(&w->tab, &w->ep), ST_OK);
    assert_int_equal(sock_open(&w->tab, SOCK_TYPE_STREAM, &w->s), ST_OK);
    assert_int_equal(sock_connect(w->s, (struct tcp_endpoint){0x0a000002, 80}, 0), ST_IN_PROGRESS);
    w->c = w->s->conn;
    w->c->connected = true;
}

/** Waits once: the events of the only ready socket, 0 when there is none. */
static uint32_t wait_once(struct sock *ep)
{
    struct epoll_walk walk = epoll_walk_begin(ep);
    uint32_t events = 0, more;
    uint64_t data;

    if (!epoll_walk_next(&walk, &events, &data))
        return 0;
    assert_int_equal(data, 77);
    assert_false(epoll_walk_next(&walk, &more, &data));
    epoll_walk_end(&walk);
    return events;
}

static void set_readable(struct world *w, bool on)
{
    w->c->readable = on;
    if (on)
        sock_on_tcp_event(w->c, TCP_EV_READABLE);
}

static void reports_what_is_asked_and_true(void **state)
{
    static const struct {
        const char *name;
        bool connected, readable, writable, peer_closed, wr_shut;
        enum status error;
        uint32_t interest, expect;
    } cases[] = {
        {"opening", false, false, false, false, false, ST_OK, IN | OUT | RDHUP, 0},
        {"opened, asks OUT: exactly OUT", true, false, true, false, false, ST_OK, OUT, OUT},
        {"opened, data too, asks OUT", true, true, true, false, false, ST_OK, OUT, OUT},
        {"opened, peer has closed, asks OUT", true, false, true, true, false, ST_OK, OUT, OUT},
        {"data", true, true, true, false, false, ST_OK, IN, IN},
        {"data and room", true, true, true, false, false, ST_OK, IN | OUT, IN | OUT},
        {"full buffer", true, false, false, false, false, ST_OK, OUT, 0},
        {"peer closed, RDHUP unasked", true, false, true, true, false, ST_OK, IN, IN},
        {"peer closed, RDHUP asked", true, false, true, true, false, ST_OK, IN | RDHUP, IN | RDHUP},
        {"both closed", true, false, true, true, true, ST_OK, IN, IN | HUP},
        {"both closed, nothing asked", true, false, true, true, true, ST_OK, 0, HUP},
        {"failed to open", false, false, false, false, false, ST_REFUSED, OUT, OUT | ERR | HUP},
        {"reset, nothing asked", true, false, true, false, false, ST_RESET, 0, ERR | HUP},
        {"reset, asks IN", true, false, true, false, false, ST_RESET, IN, IN | ERR | HUP},
        {"RDNORM is IN by another name", true, true, false, false, false, ST_OK, SOCK_EV_RDNORM,
         SOCK_EV_RDNORM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        uint32_t got;

        world_make(&w);
        w.c->connected = cases[i].connected;
        w.c->readable = cases[i].readable;
        w.c->writable = cases[i].writable;
        w.c->peer_closed = cases[i].peer_closed;
        w.c->error = cases[i].error;
        w.s->wr_shut = cases[i].wr_shut;
        assert_int_equal(epoll_add(w.ep, w.s, cases[i].interest, 77), ST_OK);
        got = wait_once(w.ep);
        if (got != cases[i].expect)
            fail_msg("%s: events %#x, expected %#x", cases[i].name, got, cases[i].expect);
        fake_table_end(&w.tab);
    }
}

static void level_triggered_never_forgets(void **state)
{
    struct world w;

    (void)state;
    world_make(&w);
    epoll_add(w.ep, w.s, IN, 77);
    assert_int_equal(wait_once(w.ep), 0);
    set_readable(&w, true);
    for (int i = 0; i < 5; i++)
        assert_int_equal(wait_once(w.ep), IN);
    set_readable(&w, false);
    assert_int_equal(wait_once(w.ep), 0);
    set_readable(&w, true);
    assert_int_equal(wait_once(w.ep), IN);
    fake_table_end(&w.tab);
}

static void an_event_that_is_over_is_not_reported(void **state)
{
    struct world w;

    (void)state;
    world_make(&w);
    epoll_add(w.ep, w.s, IN | ET, 77);
    set_readable(&w, true);
    w.c->readable = false; /* read by the application before it waits */
    assert_int_equal(wait_once(w.ep), 0);
    fake_table_end(&w.tab);
}

static void edge_triggered_reports_once_an_event(void **state)
{
    struct world w;

    (void)state;
    world_make(&w);
    epoll_add(w.ep, w.s, IN | ET, 77);
    set_readable(&w, true);
    assert_int_equal(wait_once(w.ep), IN);
    assert_int_equal(wait_once(w.ep), 0);
    set_readable(&w, true); /* more data */
    set_readable(&w, true);
    assert_int_equal(wait_once(w.ep), IN);
    assert_int_equal(wait_once(w.ep), 0);
    fake_table_end(&w.tab);
}

static void edge_triggered_starts_with_what_is_ready(void **state)
{
    struct world w;

    (void)state;
    world_make(&w);
    set_readable(&w, true);
    epoll_add(w.ep, w.s, IN | ET, 77);
    assert_int_equal(wait_once(w.ep), IN);
    assert_int_equal(wait_once(w.ep), 0);
    epoll_modify(w.ep, w.s, IN | ET, 77);
    assert_int_equal(wait_once(w.ep), IN);
    fake_table_end(&w.tab);
}

static void one_shot_is_silent_until_modified(void **state)
{
    struct world w;

    (void)state;
    world_make(&w);
    epoll_add(w.ep, w.s, IN | ONESHOT, 77);
    set_readable(&w, true);
    assert_int_equal(wait_once(w.ep), IN);
    set_readable(&w, true);
    w.c->error = ST_RESET;
    sock_on_tcp_event(w.c, TCP_EV_ERROR);
    assert_int_equal(wait_once(w.ep), 0);
    epoll_modify(w.ep, w.s, IN | ONESHOT, 77);
    assert_int_equal(wait_once(w.ep), IN | ERR | HUP);
    fake_table_end(&w.tab);
}

static void an_error_is_gone_once_told_but_the_hang_up_stays(void **state)
{
    struct world w;

    (void)state;
    world_make(&w);
    epoll_add(w.ep, w.s, 0, 77);
    w.c->error = ST_TIMED_OUT;
    sock_on_tcp_event(w.c, TCP_EV_ERROR);
    assert_int_equal(wait_once(w.ep), ERR | HUP);
    assert_int_equal(sock_take_error(w.s), ST_TIMED_OUT);
    assert_int_equal(sock_take_error(w.s), ST_OK);
    assert_int_equal(wait_once(w.ep), HUP);
    fake_table_end(&w.tab);
}

static void several_sets_each_see_the_socket(void **state)
{
    struct world w;
    struct sock *other;

    (void)state;
    world_make(&w);
    assert_int_equal(epoll_open(&w.tab, &other), ST_OK);
    epoll_add(w.ep, w.s, IN | ET, 77);
    epoll_add(other, w.s, IN, 77);
    set_readable(&w, true);
    assert_int_equal(wait_once(w.ep), IN);
    assert_int_equal(wait_once(other), IN);
    assert_int_equal(wait_once(w.ep), 0);
    assert_int_equal(wait_once(other), IN);
    sock_close(other, 0);
    set_readable(&w, true);
    assert_int_equal(wait_once(w.ep), IN);
    fake_table_end(&w.tab);
}

static void closing_a_ready_socket_leaves_no_trace(void **state)
{
    struct world w;

    (void)state;
    world_make(&w);
    epoll_add(w.ep, w.s, IN, 77);
    set_readable(&w, true);
    sock_close(w.s, 0);
    assert_true(w.c->closed);
    assert_int_equal(wait_once(w.ep), 0);
    fake_table_end(&w.tab);
}

static void many_ready_sockets_take_turns(void **state)
{
    struct socktab tab;
    struct sock *ep, *s[8];
    unsigned seen[8] = {0};

    (void)state;
    fake_table(&tab, 16);
    epoll_open(&tab, &ep);
    for (uint64_t i = 0; i < 8; i++) {
        sock_open(&tab, SOCK_TYPE_STREAM, &s[i]);
        sock_connect(s[i], (struct tcp_endpoint){0x0a000002, 80}, 0);
        s[i]->conn->connected = s[i]->conn->readable = true;
        epoll_add(ep, s[i], IN, i);
    }
    for (int round = 0; round < 4; round++) { /* room for 4 events a wait, 8 are ready */
        struct epoll_walk walk = epoll_walk_begin(ep);
        uint32_t events;
        uint64_t data;

        for (int i = 0; i < 4; i++) {
            assert_true(epoll_walk_next(&walk, &events, &data));
            seen[data]++;
        }
        epoll_walk_end(&walk);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(seen[i], 2);
    fake_table_end(&tab);
}

static void add_modify_remove_say_what_is_wrong(void **state)
{
    struct world w;
    struct sock *other;

    (void)state;
    world_make(&w);
    epoll_open(&w.tab, &other);
    assert_int_equal(epoll_modify(w.ep, w.s, IN, 1), ST_NOT_FOUND);
    assert_int_equal(epoll_remove(w.ep, w.s), ST_NOT_FOUND);
    assert_int_equal(epoll_add(w.ep, w.s, IN, 1), ST_OK);
    assert_int_equal(epoll_add(w.ep, w.s, IN, 1), ST_EXISTS);
    assert_int_equal(epoll_add(w.ep, other, IN, 1), ST_INVALID);
    assert_int_equal(epoll_add(w.s, w.s, IN, 1), ST_INVALID);
    assert_int_equal(epoll_remove(w.ep, w.s), ST_OK);
    set_readable(&w, true);
    assert_int_equal(wait_once(w.ep), 0);
    fake_table_end(&w.tab);
}

static void listeners_and_datagrams(void **state)
{
    struct world w;
    struct sock *l, *d;

    (void)state;
    world_make(&w);
    sock_open(&w.tab, SOCK_TYPE_STREAM, &l);
    assert_int_equal(epoll_add(w.ep, l, IN, 77), ST_OK); /* before listen(), as mTCP's programs do */
    assert_int_equal(wait_once(w.ep), 0);
    assert_int_equal(sock_bind(l, (struct tcp_endpoint){0, 80}), ST_OK);
    assert_int_equal(sock_listen(l, 5), ST_OK);
    fake_listener.waiting = 1;
    sock_on_acceptable(&fake_listener);
    assert_int_equal(wait_once(w.ep), IN);
    epoll_remove(w.ep, l);

    sock_open(&w.tab, SOCK_TYPE_DGRAM, &d);
    fake_can_send = false;
    epoll_add(w.ep, d, IN | OUT, 77);
    assert_int_equal(wait_once(w.ep), 0);
    fake_can_send = true;
    socktab_notify_send_room(&w.tab);
    assert_int_equal(wait_once(w.ep), OUT);
    fake_udp.readable = true;
    sock_on_readable(&fake_udp);
    assert_int_equal(wait_once(w.ep), IN | OUT);
    fake_table_end(&w.tab);
    assert_true(fake_udp.destroyed);
    assert_true(fake_listener.closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_what_is_asked_and_true),
        cmocka_unit_test(level_triggered_never_forgets),
        cmocka_unit_test(an_event_that_is_over_is_not_reported),
        cmocka_unit_test(edge_triggered_reports_once_an_event),
        cmocka_unit_test(edge_triggered_starts_with_what_is_ready),
        cmocka_unit_test(one_shot_is_silent_until_modified),
        cmocka_unit_test(an_error_is_gone_once_told_but_the_hang_up_stays),
        cmocka_unit_test(several_sets_each_see_the_socket),
        cmocka_unit_test(closing_a_ready_socket_leaves_no_trace),
        cmocka_unit_test(many_ready_sockets_take_turns),
        cmocka_unit_test(add_modify_remove_say_what_is_wrong),
        cmocka_unit_test(listeners_and_datagrams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
