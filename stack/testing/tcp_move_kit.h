/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Connections that move from the host's TCP to another one, with what the callbacks say and saw. For tests
 * only, included once. */
#ifndef TESTING_TCP_MOVE_KIT_H
#define TESTING_TCP_MOVE_KIT_H

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

#endif
