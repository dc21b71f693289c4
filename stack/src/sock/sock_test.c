/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Descriptors and the life of sockets over fake transports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sock/epoll_set.h"
#include "sock/fake_transport.h"

static const struct tcp_endpoint server = {0x0a000002, 80};

static struct sock *stream(struct socktab *tab)
{
    struct sock *s;

    assert_int_equal(sock_open(tab, SOCK_TYPE_STREAM, &s), ST_OK);
    return s;
}

static void descriptors_are_the_lowest_free_numbers(void **state)
{
    struct socktab tab;
    struct sock *s;

    (void)state;
    fake_table(&tab, 3);
    assert_int_equal(stream(&tab)->id, 0);
    assert_int_equal(stream(&tab)->id, 1);
    assert_int_equal(stream(&tab)->id, 2);
    assert_int_equal(sock_open(&tab, SOCK_TYPE_STREAM, &s), ST_TABLE_FULL);
    assert_int_equal(sock_open(&tab, SOCK_TYPE_DGRAM, &s), ST_TABLE_FULL);
    assert_int_equal(sock_open(&tab, SOCK_TYPE_EPOLL, &s), ST_TABLE_FULL);
    sock_close(socktab_get(&tab, 1), 0);
    assert_null(socktab_get(&tab, 1));
    assert_null(socktab_get(&tab, -1));
    assert_null(socktab_get(&tab, 3));
    assert_int_equal(stream(&tab)->id, 1);
    fake_table_end(&tab);
}

static void bind_checks_the_address(void **state)
{
    struct socktab tab;
    struct sock *s;
    struct tcp_endpoint name;

    (void)state;
    fake_table(&tab, 4);
    s = stream(&tab);
    assert_int_equal(sock_bind(s, (struct tcp_endpoint){0x08080808, 80}), ST_NO_ADDRESS);
    assert_int_equal(sock_bind(s, (struct tcp_endpoint){0x0a000001, 80}), ST_OK);
    assert_int_equal(sock_bind(s, (struct tcp_endpoint){0x0a000001, 81}), ST_INVALID);
    assert_int_equal(sock_local(s, &name), ST_OK);
    assert_int_equal(name.addr, 0x0a000001);
    assert_int_equal(name.port, 80);
    assert_int_equal(sock_peer(s, &name), ST_NOT_CONNECTED);
    fake_table_end(&tab);
}

static void listen_wants_a_bound_fresh_stream(void **state)
{
    struct socktab tab;
    struct sock *s, *c, *out;

    (void)state;
    fake_table(&tab, 4);
    s = stream(&tab);
    assert_int_equal(sock_listen(s, 1), ST_INVALID);
    sock_bind(s, (struct tcp_endpoint){0, 80});
    fake_result = ST_ADDRESS_IN_USE;
    assert_int_equal(sock_listen(s, 1), ST_ADDRESS_IN_USE);
    assert_int_equal(s->type, SOCK_TYPE_STREAM);
    fake_result = ST_OK;
    assert_int_equal(sock_listen(s, 1), ST_OK);
    assert_int_equal(sock_listen(s, 1), ST_INVALID);
    assert_int_equal(sock_connect(s, server, 0), ST_CONNECTED);
    c = stream(&tab);
    sock_connect(c, server, 0);
    assert_int_equal(sock_listen(c, 1), ST_INVALID);
    assert_int_equal(sock_accept(c, &out), ST_INVALID);
    fake_table_end(&tab);
}

static void accepted_sockets_know_both_names(void **state)
{
    struct socktab tab;
    struct sock *s, *c;
    struct tcp_endpoint local, peer;

    (void)state;
    fake_table(&tab, 2);
    s = stream(&tab);
    sock_bind(s, (struct tcp_endpoint){0, 80});
    sock_listen(s, 1);
    assert_int_equal(sock_accept(s, &c), ST_AGAIN);
    fake_listener.waiting = 2;
    assert_int_equal(sock_accept(s, &c), ST_OK);
    sock_local(c, &local);
    sock_peer(c, &peer);
    assert_int_equal(local.addr, 0x0a000001);
    assert_int_equal(local.port, 80);
    assert_int_equal(peer.addr, 0x0a000002);
    assert_int_equal(peer.port, 4000);
    assert_int_equal(sock_accept(s, &c), ST_TABLE_FULL);
    assert_int_equal(fake_listener.waiting, 1); /* not lost: accepted when a descriptor is free */
    fake_table_end(&tab);
}

static void connect_tells_how_far_it_is(void **state)
{
    struct socktab tab;
    struct sock *s;

    (void)state;
    fake_table(&tab, 4);
    s = stream(&tab);
    assert_int_equal(sock_connect_result(s), ST_NOT_CONNECTED);
    assert_int_equal(sock_connect(s, (struct tcp_endpoint){0x0a000002, 0}, 0), ST_INVALID);
    fake_result = ST_NO_ROUTE;
    assert_int_equal(sock_connect(s, server, 0), ST_NO_ROUTE);
    fake_result = ST_OK;
    assert_int_equal(sock_connect(s, server, 0), ST_IN_PROGRESS);
    assert_int_equal(sock_connect(s, server, 0), ST_ALREADY);
    assert_int_equal(sock_connect_result(s), ST_AGAIN);
    s->conn->connected = true;
    assert_int_equal(sock_connect_result(s), ST_OK);
    assert_int_equal(sock_connect(s, server, 0), ST_CONNECTED);
    fake_table_end(&tab);
}

static void a_failed_connect_can_be_repeated(void **state)
{
    struct socktab tab;
    struct sock *s;

    (void)state;
    fake_table(&tab, 4);
    s = stream(&tab);
    sock_connect(s, server, 0);
    s->conn->error = ST_REFUSED;
    assert_int_equal(sock_connect(s, server, 0), ST_REFUSED);
    assert_int_equal(sock_connect(s, server, 0), ST_IN_PROGRESS);
    assert_true(fake_conns[0].closed);
    assert_false(fake_conns[1].closed);
    fake_table_end(&tab);
}

static void reads_and_writes_need_a_connection(void **state)
{
    struct socktab tab;
    struct sock *s, *ep;
    char buf[8];
    size_t n;

    (void)state;
    fake_table(&tab, 4);
    s = stream(&tab);
    epoll_open(&tab, &ep);
    assert_int_equal(sock_read(s, buf, sizeof(buf), false, 0, &n), ST_NOT_CONNECTED);
    assert_int_equal(sock_write(s, buf, sizeof(buf), 0, &n), ST_NOT_CONNECTED);
    assert_int_equal(sock_shutdown(s, true, true, 0), ST_NOT_CONNECTED);
    assert_int_equal(sock_abort(s, 0), ST_NOT_CONNECTED);
    assert_int_equal(sock_read(ep, buf, sizeof(buf), false, 0, &n), ST_NOT_SOCKET);
    assert_int_equal(sock_sendto(s, buf, 1, NULL, 0), ST_NOT_SOCKET);
    sock_connect(s, server, 0);
    s->conn->connected = true;
    s->conn->available = 3;
    assert_int_equal(sock_available(s), 3);
    assert_int_equal(sock_read(s, buf, sizeof(buf), true, 0, &n), ST_OK);
    assert_int_equal(sock_read(s, buf, sizeof(buf), false, 0, &n), ST_OK);
    assert_int_equal(n, 3);
    assert_int_equal(sock_read(s, buf, sizeof(buf), false, 0, &n), ST_AGAIN);
    assert_int_equal(sock_shutdown(s, true, false, 0), ST_OK);
    assert_int_equal(sock_read(s, buf, sizeof(buf), false, 0, &n), ST_OK);
    assert_int_equal(n, 0);
    fake_table_end(&tab);
}

static void abort_frees_the_descriptor(void **state)
{
    struct socktab tab;
    struct sock *s;

    (void)state;
    fake_table(&tab, 4);
    s = stream(&tab);
    sock_connect(s, server, 0);
    s->conn->connected = true;
    assert_int_equal(sock_abort(s, 0), ST_OK);
    assert_null(socktab_get(&tab, 0));
    fake_table_end(&tab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_the_lowest_free_numbers),
        cmocka_unit_test(bind_checks_the_address),
        cmocka_unit_test(listen_wants_a_bound_fresh_stream),
        cmocka_unit_test(accepted_sockets_know_both_names),
        cmocka_unit_test(connect_tells_how_far_it_is),
        cmocka_unit_test(a_failed_connect_can_be_repeated),
        cmocka_unit_test(reads_and_writes_need_a_connection),
        cmocka_unit_test(abort_frees_the_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
