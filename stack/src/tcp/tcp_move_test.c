/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Connections that move to another TCP: who goes and who stays, what becomes of listeners, users, memory and
 * pins. That traces do not differ is tested by the other files of this folder, linked with always_move.c. */
#include "tcp/tcp_internal.h"
#include "testing/tcp_trace.h"

/** Two workers: the host's TCP and another one, with what the callbacks say and saw. */
struct pair {
    struct host *h;
    struct tcp *other;
    struct tcp_listener *there;
    bool not_wanted, not_listening, not_let;
    unsigned asked, let_go;
};

static unsigned pins, unpins;
static bool pin_fails;

static enum status on_pin(void *ctx, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer,
                          uint16_t peer_port)
{
    (void)ctx;
    assert_int_equal(local, HOST_ADDR);
    assert_int_equal(local_port, HOST_PORT);
    assert_int_equal(peer, PEER_ADDR);
    assert_int_equal(peer_port, PEER_PORT);
    pins += !pin_fails;
    return pin_fails ? ST_NO_MEMORY : ST_OK;
}

static void on_unpin(void *ctx, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer, uint16_t peer_port)
{
    (void)ctx, (void)local, (void)local_port, (void)peer, (void)peer_port;
    unpins++;
}

static bool on_wanted(void *ctx, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    struct pair *p = ctx;

    (void)local, (void)peer;
    p->asked++;
    return !p->not_wanted;
}

static bool on_listens(void *ctx, struct tcp_endpoint local)
{
    assert_int_equal(local.port, HOST_PORT);
    return !((struct pair *)ctx)->not_listening;
}

static bool on_let_go(void *ctx, struct tcp_conn *c)
{
    struct pair *p = ctx;

    if (p->not_let)
        return false;
    assert_ptr_equal(tcp_conn_owner(c), p->h);
    tcp_conn_set_luggage(c, (struct tcp_luggage){p, 7});
    p->let_go++;
    return true;
}

static const struct tcp_move_ops move_ops = {on_wanted, on_listens, on_let_go};

static struct pair pair_of(struct host *h)
{
    struct pair p = {.h = h, .other = host_make_tcp(h)};

    pins = unpins = 0;
    pin_fails = false;
    h->tcp->ops.flow_pin = on_pin;
    h->tcp->ops.flow_unpin = on_unpin;
    assert_int_equal(tcp_listen(p.other, (struct tcp_endpoint){0, HOST_PORT}, 1, h, &p.there), ST_OK);
    return p;
}

/** Moves what goes; returns how many went. From then on the script talks to the other TCP. */
static size_t move(struct pair *p)
{
    struct tcp_cargo *cargo = tcp_detach(p->h->tcp, &move_ops, p);
    size_t n = tcp_cargo_count(cargo);
    struct tcp *here = p->h->tcp;
    struct tcp_listener *l = p->h->listener;

    if (!cargo)
        return 0;
    tcp_attach(p->other, cargo, p->h->now_us);
    p->h->tcp = p->other;
    p->other = here;
    p->h->listener = p->there;
    p->there = l;
    return n;
}

/** The other TCP's listener has closed by the time the connection, which nobody has accepted, arrives there.
 */
static void move_adrift(struct pair *p)
{
    tcp_listener_close(p->there, p->h->now_us);
    p->there = NULL;
    p->h->conn = NULL;
    assert_int_equal(move(p), 1);
}

static void done(struct pair *p)
{
    struct host *h = p->h;

    if (p->there)
        tcp_listener_close(p->there, h->now_us);
    if (h->conn)
        host_abort(h);
    if (h->listener)
        tcp_listener_close(h->listener, h->now_us);
    h->listener = NULL;
    host_discard(h);
    for (unsigned i = 0; i < 2; i++) {
        struct tcp *tcp = i ? h->tcp : p->other;

        tcp_abort_all(tcp, h->now_us);
        assert_int_equal(tcp_num_conns(tcp), 0);
        assert_int_equal(tcp->flows.count, 0);
        assert_int_equal(tcp->wheel.count, 0);
        assert_int_equal(tcp->reasms.in_use, 0);
        for (unsigned s = 0; s < TCPS_COUNT; s++)
            assert_int_equal(*tcp_state_gauge(tcp, s), 0);
    }
    host_discard(h);
    assert_int_equal(pins, unpins);
    tcp_destroy(p->other);
    host_free(h);
}

/** Everything that a connection can carry comes along, and deadlines stay. */
TRACE(test_open_with_everything)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);
    struct tcp_conn *old = h->conn;

    host_write(h, 2 * 1460 + 100);
    OUT(h, ACK, .seq = 1, .len = 1460);
    OUT(h, ACK, .seq = 1461, .len = 1460);
    OUT(h, ACK, .seq = 2921, .len = 100);
    IN(h, ACK, .seq = 1, .ack = 1461, .len = 300);   /* unread, part of ours acknowledged */
    IN(h, ACK, .seq = 501, .ack = 1461, .len = 100); /* out of order */
    OUT(h, ACK, .ack = 301);
    WAIT_MS(h, 100);
    host_shutdown(h);
    OUT(h, FIN | ACK, .seq = 3021, .ack = 301);
    assert_int_equal(move(&p), 1);
    assert_int_equal(p.let_go, 1);
    assert_int_equal(tcp_num_conns(p.other), 0);
    assert_int_equal(tcp_num_conns(h->tcp), 1);
    assert_true(tcp_listener_acceptable(h->listener));
    host_accept(h);
    assert_ptr_not_equal(h->conn, old);
    assert_ptr_equal(tcp_conn_luggage(h->conn).data, &p);
    assert_int_equal(tcp_conn_luggage(h->conn).bits, 7);
    STATE(h, "FIN_WAIT_1");
    NO_OUT(h);
    assert_int_equal(host_read(h, 1000), 300);
    IN(h, ACK, .seq = 301, .ack = 1461, .len = 200); /* the gap closes */
    OUT(h, ACK, .seq = 3022, .ack = 601);
    assert_int_equal(host_read(h, 1000), 300);
    WAIT_US(h, h->conn->main.deadline_us - h->now_us);
    assert_int_equal(host_info(h).retransmits, 1);
    COUNTED(h, tx_timeouts, 1);
    OUT(h, ACK, .seq = 1461, .len = 1460, .ack = 601);
    IN(h, FIN | ACK, .seq = 601, .ack = 3022);
    OUT(h, ACK, .seq = 3022, .ack = 602);
    COUNTED(h, moved_in, 1);
    STATE(h, "TIME_WAIT");
    done(&p);
}

/** A connection whose user agrees does not go where nobody listens; it is pinned until it ends. */
TRACE(test_stays_without_listener)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_listening = true;
    assert_int_equal(move(&p), 0);
    assert_int_equal(p.let_go, 0);
    assert_int_equal(pins, 1);
    COUNTED(h, move_pinned, 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10);
    assert_int_equal(host_read(h, 10), 10);
    host_discard(h);
    assert_int_equal(move(&p), 0);
    assert_int_equal(pins, 1);
    assert_int_equal(unpins, 0);
    host_abort(h);
    assert_int_equal(unpins, 1);
    host_discard(h);
    done(&p);
}

/** The flow comes back to this worker and moves once more. */
TRACE(test_pinned_goes_another_time)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_let = true;
    assert_int_equal(move(&p), 0);
    p.not_let = false;
    assert_int_equal(move(&p), 1);
    assert_int_equal(unpins, 1);
    host_accept(h);
    host_abort(h);
    assert_int_equal(unpins, 1);
    host_discard(h);
    done(&p);
}

TRACE(test_stays_when_user_wants)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_let = true;
    assert_int_equal(move(&p), 0);
    assert_int_equal(pins, 1);
    IN(h, RST, .seq = 1);
    EVENTS(h, TCP_EV_ERROR);
    assert_int_equal(unpins, 1);
    done(&p);
}

TRACE(test_unwanted_is_left_alone)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_wanted = true;
    assert_int_equal(move(&p), 0);
    assert_int_equal(p.asked, 1);
    assert_int_equal(pins, 0);
    done(&p);
}

TRACE(test_failed_pin_is_counted)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_let = pin_fails = true;
    assert_int_equal(move(&p), 0);
    COUNTED(h, move_pin_failed, 1);
    COUNTED(h, move_pinned, 0);
    done(&p);
}

TRACE(test_opening_stays)
{
    struct host *h = conn_syn_sent(&(struct host_opts){.port = HOST_PORT});
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 0);
    assert_int_equal(p.let_go, 0);
    assert_int_equal(pins, 1);
    done(&p);
}

TRACE(test_time_wait_of_user_stays)
{
    struct host *h = conn_time_wait(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 0);
    assert_int_equal(pins, 1);
    done(&p);
}

TRACE(test_time_wait_moves)
{
    struct host *h = conn_time_wait(NULL);
    struct pair p = pair_of(h);

    host_close(h);
    assert_int_equal(move(&p), 1);
    assert_int_equal(list_empty(&h->tcp->time_wait), 0);
    COUNTED(h, now_time_wait, 1);
    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    WAIT_MS(h, 1001);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    done(&p);
}

/** Half-open and waiting connections go to a listener only. */
TRACE(test_half_open_moves)
{
    struct host *h = conn_syn_received(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 1);
    assert_int_equal(h->listener->num_half_open, 1);
    assert_int_equal(p.there->num_half_open, 0);
    WAIT_MS(h, 1000);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1); /* the timer came along */
    IN(h, ACK, .seq = 1, .ack = 1);
    assert_int_equal(h->listener->num_accept, 1);
    assert_int_equal(move(&p), 1);
    assert_int_equal(h->listener->num_accept, 1);
    assert_int_equal(p.there->num_accept, 0);
    host_accept(h);
    STATE(h, "ESTABLISHED");
    assert_int_equal(h->listener->num_accept, 0);
    done(&p);
}

TRACE(test_half_open_stays_without_listener)
{
    struct host *h = conn_syn_received(NULL);
    struct pair p = pair_of(h);

    p.not_listening = true;
    assert_int_equal(move(&p), 0);
    assert_int_equal(pins, 1);
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    done(&p);
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

/** The other listener has a backlog of one: it neither limits those that move nor do they use it up. */
TRACE(test_backlog)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 1);
    h->conn = NULL;
    assert_int_equal(h->listener->backlog, 1);
    h->peer_port++;
    IN(h, SYN, .seq = 0, .mss = 1460);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    COUNTED(h, drop_backlog, 0);
    h->peer_port--;
    host_accept(h);
    done(&p);
}

/** No room at the destination: the connection lives on in the block it came in. */
TRACE(test_destination_full)
{
    struct host *h = conn_established(NULL);
    struct pair p;
    struct tcp_conn *block;

    h->opts.max_conns = 1;
    p = pair_of(h);
    block = tcp_conn_get_block(p.other);
    assert_non_null(block);
    block->tcp = p.other;
    IN(h, ACK, .seq = 101, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 1);
    assert_int_equal(move(&p), 1);
    host_accept(h);
    assert_true(h->conn->flags & CF_LOOSE);
    assert_int_equal(tcp_num_conns(h->tcp), 2);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    host_discard(h);
    assert_int_equal(host_read(h, 1000), 200);
    h->opts.max_conns = 16;
    tcp_conn_put_block(block);
    assert_int_equal(move(&p), 1); /* back: a pool's block again */
    host_accept(h);
    assert_false(h->conn->flags & CF_LOOSE);
    assert_int_equal(tcp_num_conns(p.other), 0);
    IN(h, ACK, .seq = 201, .ack = 1, .len = 50);
    assert_int_equal(host_read(h, 1000), 50);
    host_discard(h);
    done(&p);
}

/** Nobody is left to take it. */
TRACE(test_cargo_is_freed)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);
    struct tcp_cargo *cargo;

    host_write(h, 100);
    host_discard(h);
    IN(h, ACK, .seq = 101, .ack = 1, .len = 100);
    host_discard(h);
    cargo = tcp_detach(h->tcp, &move_ops, &p);
    assert_int_equal(tcp_cargo_count(cargo), 1);
    tcp_cargo_free(cargo);
    tcp_cargo_free(NULL);
    h->conn = NULL;
    done(&p);
}

/* [RFC 6528 3] sequence numbers of a four-tuple rise across workers */
TRACE(test_isn_rises)
{
    struct host *h = conn_time_wait(&(struct host_opts){.ts = true});
    struct pair p = pair_of(h);
    seq_t first = h->iss;

    host_close(h);
    assert_int_equal(move(&p), 1);
    WAIT_MS(h, 2000);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    IN(h, SYN, .seq = 0, .mss = 1460);
    OUT(h, SYN | ACK, .seq = 0);
    assert_true(seq_gt(h->iss, first));
    assert_true(h->iss - first < 2 * SECOND);
    done(&p);
}

/** One question for each connection, whatever their number. */
TRACE(test_one_pass)
{
    struct host *h = conn_listen(&(struct host_opts){.max_conns = 300, .backlog = 300});
    struct pair p = pair_of(h);

    for (unsigned i = 0; i < 300; i++) {
        h->peer_port = (uint16_t)(PEER_PORT + i);
        IN(h, SYN, .seq = 0, .mss = 1460);
        if (i % 3)
            IN(h, ACK, .seq = 1, .ack = 1);
    }
    host_discard(h);
    assert_int_equal(move(&p), 300);
    assert_int_equal(p.asked, 300);
    assert_int_equal(h->listener->num_half_open, 100);
    assert_int_equal(h->listener->num_accept, 200);
    assert_int_equal(p.there->num_half_open + p.there->num_accept, 0);
    for (unsigned i = 0; i < 200; i++) { /* in the order of before */
        struct tcp_endpoint peer;

        assert_int_equal(tcp_accept(h->listener, h, &h->conn), ST_OK);
        tcp_conn_peer(h->conn, &peer);
        assert_int_equal(peer.port, PEER_PORT + i / 2 * 3 + 1 + i % 2);
        host_abort(h);
    }
    done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_with_everything),
        cmocka_unit_test(test_stays_without_listener),
        cmocka_unit_test(test_pinned_goes_another_time),
        cmocka_unit_test(test_stays_when_user_wants),
        cmocka_unit_test(test_unwanted_is_left_alone),
        cmocka_unit_test(test_failed_pin_is_counted),
        cmocka_unit_test(test_opening_stays),
        cmocka_unit_test(test_time_wait_of_user_stays),
        cmocka_unit_test(test_time_wait_moves),
        cmocka_unit_test(test_half_open_moves),
        cmocka_unit_test(test_half_open_stays_without_listener),
        cmocka_unit_test(test_listener_gone),
        cmocka_unit_test(test_adrift_goes_on),
        cmocka_unit_test(test_listener_comes_back),
        cmocka_unit_test(test_reset_before_accept),
        cmocka_unit_test(test_ends_cleanly_before_accept),
        cmocka_unit_test(test_listener_closes_over_moved),
        cmocka_unit_test(test_backlog),
        cmocka_unit_test(test_destination_full),
        cmocka_unit_test(test_cargo_is_freed),
        cmocka_unit_test(test_isn_rises),
        cmocka_unit_test(test_one_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
