/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Descriptors whose connection leaves for another worker, and descriptors for those that come, over fake
 * transports: who lets go, what is reported and when, what travels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sock/epoll_set.h"
#include "sock/fake_transport.h"

#define IN SOCK_EV_IN
#define MOVED SOCK_EV_MOVED

static struct socktab tab;
static struct sock *ep;

static int set_up(void **state)
{
    (void)state;
    fake_table(&tab, 8);
    assert_int_equal(epoll_open(&tab, &ep), ST_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_table_end(&tab);
    return 0;
}

/** A movable, connected stream that ep watches. */
static struct sock *stream(uint32_t interest, uint64_t data)
{
    struct sock *s;

    assert_int_equal(sock_open(&tab, SOCK_TYPE_STREAM, &s), ST_OK);
    assert_int_equal(sock_connect(s, (struct tcp_endpoint){0x0a000002, 80}, 0), ST_IN_PROGRESS);
    s->conn->connected = true;
    s->movable = true;
    assert_int_equal(epoll_add(ep, s, interest, data), ST_OK);
    return s;
}

/** The next report of a set, 0 when there is none. */
static uint32_t next(struct epoll_walk *walk, uint64_t *data)
{
    uint32_t events = 0;

    return epoll_walk_next(walk, &events, data) ? events : 0;
}

static void only_movable_and_watched_ones_go(void **state)
{
    struct sock *s = stream(IN, 1);
    struct tcp_conn *c = s->conn;

    (void)state;
    s->movable = false;
    assert_false(sock_let_go(c));
    s->movable = true;
    assert_int_equal(epoll_remove(ep, s), ST_OK);
    assert_false(sock_let_go(c));
    assert_ptr_equal(s->conn, c);
    assert_int_equal(epoll_add(ep, s, IN, 1), ST_OK);
    assert_true(sock_let_go(c));
    c->owner = NULL;
    assert_false(sock_let_go(c));
    assert_false(c->closed);
}

static void the_descriptor_is_closed_and_not_free_before_the_report(void **state)
{
    struct sock *s = stream(IN, 7), *other;
    struct epoll_walk walk;
    int id = s->id;
    uint64_t data;

    (void)state;
    assert_true(sock_let_go(s->conn));
    assert_null(socktab_get(&tab, id));
    assert_int_equal(sock_open(&tab, SOCK_TYPE_STREAM, &other), ST_OK);
    assert_int_not_equal(other->id, id);
    sock_close(other, 0);
    walk = epoll_walk_begin(ep);
    assert_int_equal(next(&walk, &data), MOVED);
    assert_int_equal(data, 7);
    assert_int_equal(next(&walk, &data), 0);
    assert_int_equal(sock_open(&tab, SOCK_TYPE_STREAM, &other), ST_OK);
    assert_int_equal(other->id, id);
    walk = epoll_walk_begin(ep); /* once */
    assert_int_equal(next(&walk, &data), 0);
}

static void the_report_comes_first_alone_and_unasked(void **state)
{
    struct sock *a = stream(IN, 1), *b = stream(SOCK_EV_OUT | SOCK_EV_ONESHOT, 2), *c = stream(0, 3);
    struct epoll_walk walk;
    uint64_t data;

    (void)state;
    a->conn->readable = b->conn->readable = b->conn->writable = true;
    sock_on_tcp_event(a->conn, TCP_EV_READABLE);
    sock_on_tcp_event(b->conn, TCP_EV_WRITABLE);
    walk = epoll_walk_begin(ep);
    assert_int_equal(next(&walk, &data), IN);
    assert_int_equal(next(&walk, &data), SOCK_EV_OUT); /* disarmed now */
    assert_true(sock_let_go(b->conn));
    assert_true(sock_let_go(c->conn));
    walk = epoll_walk_begin(ep);
    assert_int_equal(next(&walk, &data), MOVED);
    assert_in_range(data, 2, 3);
    assert_int_equal(next(&walk, &data), MOVED);
    assert_in_range(data, 2, 3);
    assert_int_equal(next(&walk, &data), IN);
    assert_int_equal(data, 1);
    assert_int_equal(next(&walk, &data), 0);
}

static void every_set_reports_before_the_descriptor_is_free(void **state)
{
    struct sock *s = stream(IN, 1), *second, *third;
    struct epoll_walk walk;
    unsigned used;
    uint64_t data;

    (void)state;
    assert_int_equal(epoll_open(&tab, &second), ST_OK);
    assert_int_equal(epoll_open(&tab, &third), ST_OK);
    assert_int_equal(epoll_add(second, s, 0, 2), ST_OK);
    assert_int_equal(epoll_add(third, s, 0, 3), ST_OK);
    used = tab.ids.used;
    assert_true(sock_let_go(s->conn));
    walk = epoll_walk_begin(ep);
    assert_int_equal(next(&walk, &data), MOVED);
    assert_int_equal(tab.ids.used, used);
    walk = epoll_walk_begin(second);
    assert_int_equal(next(&walk, &data), MOVED);
    assert_int_equal(data, 2);
    assert_int_equal(tab.ids.used, used);
    sock_close(third, 0); /* nobody will ask it any more */
    assert_int_equal(tab.ids.used, used - 2);
}

static void a_table_closes_over_reports_that_wait(void **state)
{
    struct sock *s = stream(IN, 1), *t = stream(IN, 2);

    (void)state;
    assert_true(sock_let_go(s->conn));
    assert_true(sock_let_go(t->conn));
    sock_close(ep, 0);
    assert_int_equal(tab.ids.used, 0);
}

static struct sock *accept_from(struct sock *l)
{
    struct sock *s;

    fake_listener.waiting = 1;
    assert_int_equal(sock_accept(l, &s), ST_OK);
    return s;
}

static struct sock *listener(void)
{
    struct sock *l;

    assert_int_equal(sock_open(&tab, SOCK_TYPE_STREAM, &l), ST_OK);
    assert_int_equal(sock_bind(l, (struct tcp_endpoint){0, 80}), ST_OK);
    assert_int_equal(sock_listen(l, 4), ST_OK);
    return l;
}

static void what_belongs_to_the_user_travels(void **state)
{
    int mine;
    struct sock *s = stream(IN, 1), *l = listener(), *t;

    (void)state;
    s->user_data = &mine;
    s->rd_shut = s->no_delay = s->reuse_port = true;
    s->wr_shut = s->reuse_addr = false;
    s->nonblock = true;
    assert_true(sock_let_go(s->conn));
    fake_luggage = fake_conns[0].luggage;
    t = accept_from(l);
    assert_ptr_equal(t->user_data, &mine);
    assert_true(t->rd_shut && t->no_delay && t->reuse_port && t->movable);
    assert_false(t->wr_shut || t->reuse_addr || t->nonblock);
    s = stream(IN, 1);
    s->user_data = NULL;
    s->wr_shut = s->reuse_addr = true;
    s->no_delay = false;
    fake_luggage.data = &mine;
    assert_true(sock_let_go(s->conn));
    fake_luggage = fake_conns[2].luggage;
    t = accept_from(l);
    assert_null(t->user_data);
    assert_true(t->wr_shut && t->reuse_addr && t->movable);
    assert_false(t->rd_shut || t->no_delay || t->reuse_port);
}

static void new_connections_inherit_from_their_listener(void **state)
{
    struct sock *l = listener(), *s;

    (void)state;
    s = accept_from(l);
    assert_false(s->movable || s->reuse_port || s->rd_shut || s->wr_shut);
    assert_true(s->no_delay);
    assert_null(s->user_data);
    l->movable = l->reuse_port = true;
    s = accept_from(l);
    assert_true(s->movable && s->reuse_port);
    assert_null(s->user_data);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_movable_and_watched_ones_go),
        TEST(the_descriptor_is_closed_and_not_free_before_the_report),
        TEST(the_report_comes_first_alone_and_unasked),
        TEST(every_set_reports_before_the_descriptor_is_free),
        TEST(a_table_closes_over_reports_that_wait),
        TEST(what_belongs_to_the_user_travels),
        TEST(new_connections_inherit_from_their_listener),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
