/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Connections that nobody has accepted, and whose listener closes while they move: they are adrift, go on to
 * where somebody listens, or end as their user may expect. */
#include "testing/tcp_move_kit.h"

/** The other TCP's listener has closed by the time the connection, which nobody has accepted, arrives there.
 */
static void move_adrift(struct pair *p)
{
    tcp_listener_close(p->there, p->h->now_us);
    p->there = NULL;
    p->h->conn = NULL;
    assert_int_equal(move(p), 1);
}

/* What the owner of the flows says of connections that are adrift. */
struct elsewhere {
    bool somebody_listens;
    unsigned asked;
};

static bool moves_on(void *ctx, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    struct elsewhere *e = ctx;

    (void)local, (void)peer;
    e->asked++;
    return e->somebody_listens;
}

/** The listener has gone while the cargo was on its way: it may wait to move on, as long as somebody listens.
 */
TRACE(test_listener_gone)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);
    struct elsewhere e = {.somebody_listens = true};

    move_adrift(&p);
    assert_true(tcp_has_adrift(h->tcp));
    tcp_adrift(h->tcp, moves_on, &e, h->now_us);
    assert_int_equal(e.asked, 1);
    assert_true(tcp_has_adrift(h->tcp));
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10); /* it lives on: nobody has closed it */
    COUNTED(h, drop_data_after_close, 0);
    e.somebody_listens = false;
    tcp_adrift(h->tcp, moves_on, &e, h->now_us);
    OUT(h, RST | ACK, .seq = 1, .ack = 11);
    COUNTED(h, moved_ended, 1);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    done(&p);
}

/** What is adrift goes with its flow, also to where nobody listens: there it moves on again. */
TRACE(test_adrift_goes_on)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);
    struct elsewhere e = {.somebody_listens = true};

    move_adrift(&p);
    tcp_adrift(h->tcp, moves_on, &e, h->now_us);
    p.not_listening = true;
    assert_int_equal(move(&p), 1);
    assert_int_equal(pins, 0);
    assert_true(tcp_listener_acceptable(h->listener)); /* he listens by now */
    host_accept(h);
    STATE(h, "ESTABLISHED");
    done(&p);
}

/** A listener that is opened again takes what is adrift. */
TRACE(test_listener_comes_back)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);
    struct elsewhere e = {.somebody_listens = true};

    move_adrift(&p);
    assert_int_equal(tcp_listen(h->tcp, (struct tcp_endpoint){0, HOST_PORT}, 8, h, &h->listener), ST_OK);
    tcp_adrift(h->tcp, moves_on, &e, h->now_us);
    assert_int_equal(e.asked, 0);
    assert_false(tcp_has_adrift(h->tcp));
    assert_true(tcp_listener_acceptable(h->listener));
    host_accept(h);
    STATE(h, "ESTABLISHED");
    done(&p);
}

/** What had a user ends only when a user has heard of it: somebody must free what the luggage points to. */
TRACE(test_reset_before_accept)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 1);
    h->conn = NULL;
    IN(h, RST, .seq = 1);
    assert_true(tcp_listener_acceptable(h->listener));
    host_accept(h);
    STATE(h, "CLOSED");
    assert_int_equal(tcp_error(h->conn), ST_RESET);
    assert_ptr_equal(tcp_conn_luggage(h->conn).data, &p);
    host_close(h);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    done(&p);
}

TRACE(test_ends_cleanly_before_accept)
{
    struct host *h = conn_fin_wait_2(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 1);
    h->conn = NULL;
    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    COUNTED(h, now_time_wait, 1);
    WAIT_MS(h, 1001);
    COUNTED(h, now_closed, 1);
    host_accept(h);
    STATE(h, "CLOSED");
    assert_int_equal(tcp_error(h->conn), ST_OK);
    assert_true(tcp_readable(h->conn));
    host_close(h);
    done(&p);
}

TRACE(test_listener_closes_over_moved)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 1);
    h->conn = NULL;
    IN(h, RST, .seq = 1);
    tcp_listener_close(h->listener, h->now_us);
    h->listener = NULL;
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listener_gone),
        cmocka_unit_test(test_adrift_goes_on),
        cmocka_unit_test(test_listener_comes_back),
        cmocka_unit_test(test_reset_before_accept),
        cmocka_unit_test(test_ends_cleanly_before_accept),
        cmocka_unit_test(test_listener_closes_over_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
