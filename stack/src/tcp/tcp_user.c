/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the user of a connection calls (RFC 9293 3.10.1 to 3.10.5): open, send, receive, close, abort. */
#include "tcp/tcp_internal.h"

static bool port_free(struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    if (tcp->ops.owns_flow && !tcp_port_is_spare(tcp, local.port) &&
        !tcp->ops.owns_flow(tcp->ctx, local.addr, local.port, peer.addr, peer.port))
        return false;
    return !tcp_conn_lookup(tcp, local, peer);
}

/** RFC 6056 3.3.3: ports follow each other from a place that only we know. */
static bool search_port(struct tcp *tcp, uint16_t first, uint16_t last, struct tcp_endpoint *local,
                        struct tcp_endpoint peer)
{
    uint32_t range = (uint32_t)last - first + 1;
    uint32_t offset = tcp_port_offset(tcp, *local, peer);

    for (uint32_t i = 0; i < range; i++) {
        local->port = (uint16_t)(first + (offset + tcp->next_ephemeral++) % range);
        if (!tcp_listener_find(tcp, *local) && port_free(tcp, *local, peer))
            return true;
    }
    return false;
}

/** A spare port takes a pin, which the others do without: they come second. */
static enum status take_port(struct tcp *tcp, struct tcp_endpoint *local, struct tcp_endpoint peer)
{
    const struct tcp_params *p = &tcp->params;

    if (search_port(tcp, p->ephemeral_first, p->ephemeral_last, local, peer) ||
        (p->spare_first && search_port(tcp, p->spare_first, p->spare_last, local, peer)))
        return ST_OK;
    return ST_NO_ADDRESS;
}

enum status tcp_connect(struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer, void *owner,
                        uint64_t now_us, struct tcp_conn **out)
{
    ipv4_addr_t src;
    uint16_t mtu;
    enum status st;
    struct tcp_conn *c;

    if (!peer.addr || !peer.port || ipv4_is_multicast(peer.addr) || ipv4_is_broadcast(peer.addr))
        return ST_INVALID;
    st = tcp->ops.route(tcp->ctx, peer.addr, &src, &mtu);
    if (st != ST_OK)
        return st;
    if (!local.addr)
        local.addr = src;
    if (!local.port) {
        st = take_port(tcp, &local, peer);
        if (st != ST_OK)
            return st;
    } else if (tcp_conn_lookup(tcp, local, peer)) {
        return ST_ADDRESS_IN_USE;
    }
    st = tcp_conn_new(tcp, &(struct tcp_opening){local, peer, mtu}, now_us, &c);
    if (st != ST_OK)
        return st;
    c->owner = owner;
    c->snd_una = c->iss;
    c->snd_nxt = c->snd_max = c->iss + 1;
    tcp_set_state(c, TCPS_SYN_SENT);
    tcp_timer_rexmt(c, now_us);
    tcp_send_syn(c, now_us);
    *out = c;
    return ST_OK;
}

/** Whether the peer should hear of the room that reading has made: when its window was small, or when much
 * has come together (RFC 9293 3.8.6.2.2). */
static bool window_update_due(const struct tcp_conn *c)
{
    uint32_t now = c->rcv_adv - c->rcv_nxt, gain = tcp_receive_window(c) - now;
    uint32_t limit = (uint32_t)c->rcv.limit;

    if (!gain || !tcp_receiving(c))
        return false;
    return gain >= limit / 2 || (gain >= 2u * c->our_mss && gain >= limit / 4) || now < c->our_mss;
}

/** Takes bytes that were read out of the buffer. */
static void consume(struct tcp_conn *c, size_t n)
{
    byte_ring_consume(&c->rcv, n);
    if (!c->reasm)
        byte_ring_rewind(&c->rcv);
    if (window_update_due(c)) {
        c->flags |= CF_ACK_NOW;
        tcp_conn_want_flush(c);
    }
}

/** Nothing was read: why. ST_OK at the end of the stream, or when nothing was asked for. */
static enum status read_nothing(const struct tcp_conn *c)
{
    if (c->error != ST_OK)
        return (enum status)c->error;
    return c->rcv.len || tcp_readable(c) ? ST_OK : ST_AGAIN;
}

enum status tcp_read(struct tcp_conn *c, void *buf, size_t len, bool peek, uint64_t now_us, size_t *got)
{
    (void)now_us;
    *got = byte_ring_copy(&c->rcv, 0, buf, len);
    if (!*got)
        return read_nothing(c);
    if (!peek)
        consume(c, *got);
    return ST_OK;
}

enum status tcp_read_spans(struct tcp_conn *c, struct byte_span out[2], size_t *n)
{
    out[0] = out[1] = (struct byte_span){NULL, 0};
    byte_ring_peek(&c->rcv, 0, c->rcv.len, out);
    *n = c->rcv.len;
    return *n ? ST_OK : read_nothing(c);
}

enum status tcp_read_release(struct tcp_conn *c, size_t n)
{
    if (n > c->rcv.len)
        return ST_INVALID;
    if (n)
        consume(c, n);
    return ST_OK;
}

/** Whether the user may write now. */
static enum status write_check(const struct tcp_conn *c)
{
    if (c->error != ST_OK)
        return (enum status)c->error;
    if (c->flags & CF_FIN_QUEUED || c->state == TCPS_CLOSED)
        return ST_PIPE;
    return c->flags & CF_CONNECTED ? ST_OK : ST_AGAIN;
}

enum status tcp_write(struct tcp_conn *c, const void *buf, size_t len, uint64_t now_us, size_t *put)
{
    enum status st = write_check(c);

    (void)now_us;
    *put = 0;
    if (st != ST_OK)
        return st;
    *put = byte_ring_write(&c->snd, buf, len);
    if (*put)
        tcp_conn_want_flush(c);
    if (*put < len || !byte_ring_room(&c->snd))
        c->flags |= CF_WRITE_FULL;
    return *put || !len ? ST_OK : ST_AGAIN;
}

enum status tcp_write_claim(struct tcp_conn *c, size_t len, struct byte_span out[2], size_t *n)
{
    enum status st = write_check(c);

    out[0] = out[1] = (struct byte_span){NULL, 0};
    *n = 0;
    if (st != ST_OK)
        return st;
    byte_ring_claim(&c->snd, len, out);
    *n = out[0].len + out[1].len;
    if (*n < len)
        c->flags |= CF_WRITE_FULL;
    return *n || !len ? ST_OK : ST_AGAIN;
}

enum status tcp_write_commit(struct tcp_conn *c, size_t n)
{
    enum status st = write_check(c);

    if (st != ST_OK)
        return st == ST_AGAIN ? ST_INVALID : st;
    if (!byte_ring_commit(&c->snd, n))
        return ST_INVALID;
    if (n)
        tcp_conn_want_flush(c);
    if (!byte_ring_room(&c->snd))
        c->flags |= CF_WRITE_FULL;
    return ST_OK;
}

_Static_assert((unsigned)TCP_IS_CONNECTED == CF_CONNECTED && (unsigned)TCP_IS_PEER_CLOSED == CF_FIN_RECEIVED,
               "two flags are told as they are");

unsigned tcp_readiness(const struct tcp_conn *c)
{
    unsigned is = c->flags & (CF_CONNECTED | CF_FIN_RECEIVED);

    if (c->state == TCPS_CLOSED)
        return is | TCP_IS_READABLE | TCP_IS_WRITABLE | (c->error != ST_OK ? TCP_IS_FAILED : 0);
    if (c->rcv.len || is & CF_FIN_RECEIVED)
        is |= TCP_IS_READABLE;
    if (c->flags & CF_FIN_QUEUED || (is & CF_CONNECTED && byte_ring_room(&c->snd)))
        is |= TCP_IS_WRITABLE;
    return is;
}

bool tcp_connected(const struct tcp_conn *c)
{
    return c->flags & CF_CONNECTED;
}

bool tcp_readable(const struct tcp_conn *c)
{
    return c->rcv.len || c->flags & CF_FIN_RECEIVED || c->state == TCPS_CLOSED;
}

bool tcp_writable(const struct tcp_conn *c)
{
    if (c->state == TCPS_CLOSED || c->flags & CF_FIN_QUEUED)
        return true; /* tcp_write() fails at once */
    return c->flags & CF_CONNECTED && byte_ring_room(&c->snd);
}

bool tcp_peer_closed(const struct tcp_conn *c)
{
    return c->flags & CF_FIN_RECEIVED;
}

size_t tcp_read_available(const struct tcp_conn *c)
{
    return c->rcv.len;
}

size_t tcp_write_pending(const struct tcp_conn *c)
{
    return c->snd.len;
}

enum status tcp_error(const struct tcp_conn *c)
{
    return (enum status)c->error;
}

/** RFC 9293 3.10.4, CLOSE call: the FIN goes after the queued data. */
static void queue_fin(struct tcp_conn *c)
{
    c->flags |= CF_FIN_QUEUED;
    if (c->state == TCPS_ESTABLISHED)
        tcp_set_state(c, TCPS_FIN_WAIT_1);
    else if (c->state == TCPS_CLOSE_WAIT)
        tcp_set_state(c, TCPS_LAST_ACK);
    tcp_conn_want_flush(c);
}

enum status tcp_shutdown_write(struct tcp_conn *c, uint64_t now_us)
{
    (void)now_us;
    if (c->error != ST_OK)
        return (enum status)c->error;
    if (c->state == TCPS_CLOSED || !(c->flags & CF_CONNECTED))
        return ST_NOT_CONNECTED;
    if (!(c->flags & CF_FIN_QUEUED))
        queue_fin(c);
    return ST_OK;
}

/** Nobody will read: what waits for the peer without an end gets one. */
static void orphan(struct tcp_conn *c, uint64_t now_us)
{
    if (!(c->flags & CF_FIN_QUEUED))
        queue_fin(c);
    if (c->main.kind == TIMER_PERSIST)
        c->main.persist.since_us = now_us;
    if (c->state == TCPS_FIN_WAIT_2)
        tcp_timer_start(c, TIMER_FIN_WAIT_2, now_us + TCP_FIN_WAIT_2_US);
}

void tcp_close(struct tcp_conn *c, uint64_t now_us)
{
    if (c->state == TCPS_SYN_SENT || c->rcv.len) {
        tcp_abort(c, now_us);
        return;
    }
    if (c->state != TCPS_CLOSED)
        orphan(c, now_us);
    tcp_conn_release(c);
}

void tcp_abort(struct tcp_conn *c, uint64_t now_us)
{
    enum tcp_state state = c->state;

    tcp_conn_release(c);
    if (state == TCPS_CLOSED)
        return;
    if (state != TCPS_SYN_SENT && state != TCPS_TIME_WAIT)
        tcp_send_reset(c, now_us);
    tcp_conn_done(c, ST_ABORTED);
}

void tcp_abort_all(struct tcp *tcp, uint64_t now_us)
{
    list_for_each_safe(at, &tcp->all)
        tcp_abort(container_of(at, struct tcp_conn, all), now_us);
}

void tcp_set_no_delay(struct tcp_conn *c, bool on, uint64_t now_us)
{
    (void)now_us;
    c->flags = on ? c->flags | CF_NO_DELAY : c->flags & ~CF_NO_DELAY;
    if (on && tcp_sending(c))
        tcp_conn_want_flush(c);
}
