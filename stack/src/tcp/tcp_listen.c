/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Listeners: the queues of half-open and of established connections that nobody has accepted yet, and the
 * arrival of a segment in LISTEN (RFC 9293 3.10.7.2). Both queues together are bounded by the backlog. */
#include <stdlib.h>

#include "tcp/tcp_internal.h"

static struct list *bucket_of(struct tcp *tcp, uint16_t port)
{
    return &tcp->listeners[port % TCP_LISTEN_BUCKETS];
}

/** The listener of exactly this address. */
static struct tcp_listener *listener_at(struct tcp *tcp, struct tcp_endpoint local)
{
    list_for_each(at, bucket_of(tcp, local.port)) {
        struct tcp_listener *l = container_of(at, struct tcp_listener, link);

        if (l->local.port == local.port && l->local.addr == local.addr)
            return l;
    }
    return NULL;
}

struct tcp_listener *tcp_listener_find(struct tcp *tcp, struct tcp_endpoint local)
{
    struct tcp_listener *l = listener_at(tcp, local);

    return l ? l : listener_at(tcp, (struct tcp_endpoint){0, local.port});
}

enum status tcp_listen(struct tcp *tcp, struct tcp_endpoint local, unsigned backlog, void *owner,
                       struct tcp_listener **out)
{
    struct tcp_listener *l;

    if (!local.port || !backlog)
        return ST_INVALID;
    if (listener_at(tcp, local))
        return ST_ADDRESS_IN_USE;
    l = calloc(1, sizeof(*l));
    if (!l)
        return ST_NO_MEMORY;
    l->tcp = tcp;
    l->local = local;
    l->backlog = backlog;
    l->owner = owner;
    list_init(&l->half_open);
    list_init(&l->accept);
    list_push_back(bucket_of(tcp, local.port), &l->link);
    if (tcp->ops.port_bound)
        tcp->ops.port_bound(tcp->ctx, local.port, true);
    *out = l;
    return ST_OK;
}

void *tcp_listener_owner(const struct tcp_listener *l)
{
    return l->owner;
}

bool tcp_listener_acceptable(const struct tcp_listener *l)
{
    return !list_empty(&l->accept);
}

void tcp_listener_forget(struct tcp_conn *c)
{
    struct tcp_listener *l = c->listener;

    if (!(c->flags & CF_ACCEPTING))
        l->num_half_open--;
    else if (!(c->flags & CF_MOVED))
        l->num_accept--;
    c->flags &= ~(CF_ACCEPTING | CF_MOVED);
    c->listener = NULL;
    list_remove(&c->queue);
}

enum status tcp_accept(struct tcp_listener *l, void *owner, struct tcp_conn **out)
{
    struct list *first = list_first(&l->accept);
    struct tcp_conn *c;

    if (!first)
        return ST_AGAIN;
    c = container_of(first, struct tcp_conn, queue);
    tcp_listener_forget(c);
    c->owner = owner;
    *out = c;
    return ST_OK;
}

void tcp_listener_ready(struct tcp_listener *l, struct tcp_conn *c)
{
    bool was_empty = list_empty(&l->accept);

    tcp_listener_forget(c);
    c->listener = l;
    c->flags |= CF_ACCEPTING;
    l->num_accept++;
    list_push_back(&l->accept, &c->queue);
    if (was_empty)
        l->tcp->ops.acceptable(l->tcp->ctx, l);
}

void tcp_listener_adopt(struct tcp_listener *l, struct tcp_conn *c)
{
    bool was_empty = list_empty(&l->accept);

    c->listener = l;
    if (!(c->flags & CF_ACCEPTING)) {
        l->num_half_open++;
        list_push_back(&l->half_open, &c->queue);
        return;
    }
    if (!(c->flags & CF_MOVED))
        l->num_accept++;
    list_push_back(&l->accept, &c->queue);
    if (was_empty)
        l->tcp->ops.acceptable(l->tcp->ctx, l);
}

static void reset_all(struct list *conns, uint64_t now_us)
{
    list_for_each_safe(at, conns)
        tcp_abort(container_of(at, struct tcp_conn, queue), now_us);
}

void tcp_listener_close(struct tcp_listener *l, uint64_t now_us)
{
    reset_all(&l->half_open, now_us);
    reset_all(&l->accept, now_us);
    list_remove(&l->link);
    if (l->tcp->ops.port_bound)
        l->tcp->ops.port_bound(l->tcp->ctx, l->local.port, false);
    free(l);
}

/** Room for one more connection within the backlog; an old half-open one may have to go. */
static bool make_room(struct tcp_listener *l, uint64_t now_us)
{
    struct list *first = list_first(&l->half_open);
    struct tcp_conn *oldest;

    if (l->num_accept + l->num_half_open < l->backlog)
        return true;
    if (first) {
        oldest = container_of(first, struct tcp_conn, queue);
        if (now_us - oldest->opened_us >= TCP_HALF_OPEN_KEEP_US) {
            COUNT(l->tcp, drop_half_open);
            tcp_conn_done(oldest, ST_TIMED_OUT);
            return true;
        }
    }
    COUNT(l->tcp, drop_backlog);
    return false;
}

/** RFC 9293 3.10.7.2, third: a new connection in SYN-RECEIVED. Data that came with the SYN will come again.
 */
static void accept_syn(struct tcp_listener *l, const struct tcp_seg *s, const seq_t *iss_after,
                       uint64_t now_us)
{
    struct tcp *tcp = l->tcp;
    struct tcp_opening o = {{s->ip->dst, s->hdr->dst_port}, {s->ip->src, s->hdr->src_port}, 0};
    struct tcp_conn *c;
    ipv4_addr_t src;
    enum status st;

    if (!make_room(l, now_us))
        return;
    if (tcp->ops.route(tcp->ctx, s->ip->src, &src, &o.mtu) != ST_OK) {
        COUNT(tcp, drop_no_route);
        return;
    }
    st = tcp_conn_new(tcp, &o, now_us, &c);
    if (st != ST_OK) {
        if (st == ST_ADDRESS_IN_USE) /* it has an earlier copy of the SYN, and answers */
            COUNT(tcp, drop_flow_taken);
        else
            COUNT(tcp, drop_no_conn_memory);
        return;
    }
    if (iss_after && seq_le(c->iss, *iss_after))
        c->iss = *iss_after + UINT16_MAX;
    c->snd_una = c->iss;
    c->snd_nxt = c->snd_max = c->iss + 1;
    c->flags |= CF_PASSIVE;
    c->listener = l;
    l->num_half_open++;
    list_push_back(&l->half_open, &c->queue);
    tcp_conn_take_syn(c, s, now_us);
    tcp_set_state(c, TCPS_SYN_RECEIVED);
    tcp_timer_rexmt(c, now_us);
    tcp_send_syn(c, now_us);
}

void tcp_listener_segment(struct tcp_listener *l, const struct tcp_seg *s, const seq_t *iss_after,
                          uint64_t now_us)
{
    struct tcp *tcp = l->tcp;

    COUNT(tcp, rx_segments);
    if (s->flags & TCP_RST) { /* first */
        COUNT(tcp, drop_listen_flags);
        return;
    }
    if (s->flags & TCP_ACK) { /* second */
        COUNT(tcp, drop_listen_flags);
        tcp_reset_segment(tcp, s, now_us);
        return;
    }
    if (!(s->flags & TCP_SYN)) { /* fourth */
        COUNT(tcp, drop_listen_flags);
        return;
    }
    accept_syn(l, s, iss_after, now_us);
}
