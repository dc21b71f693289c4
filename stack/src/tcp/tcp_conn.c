/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Life of a connection block: made, found by its four-tuple, opened, ended. */
#include "tcp/tcp_internal.h"

static bool is_flow(const struct tcp_conn *c, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    return c->peer_addr == peer.addr && c->peer_port == peer.port && c->local_port == local.port &&
           c->local_addr == local.addr;
}

struct tcp_conn *tcp_conn_lookup(struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    uint32_t hash = tcp_flow_hash(tcp, local, peer);

    hash_table_for_each(n, &tcp->flows, hash) {
        struct tcp_conn *c = container_of(n, struct tcp_conn, node);

        if (is_flow(c, local, peer))
            return c;
    }
    return NULL;
}

/** A block from the pool; the oldest TIME-WAIT makes room when there is none. */
struct tcp_conn *tcp_conn_get_block(struct tcp *tcp)
{
    struct tcp_conn *c = pool_get(&tcp->conns);
    struct list *oldest = list_first(&tcp->time_wait);

    if (c || !oldest)
        return c;
    COUNT(tcp, time_wait_recycled);
    tcp_conn_done(container_of(oldest, struct tcp_conn, queue), ST_OK);
    return pool_get(&tcp->conns);
}

static uint32_t initial_receive_window(const struct tcp_conn *c)
{
    return (uint32_t)min_u64(c->rcv.limit, UINT16_MAX);
}

/** Sees to it that the connection's packets come here. ST_NO_MEMORY; ST_ADDRESS_IN_USE: another worker has
 * the flow. */
static enum status claim_flow(struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer,
                              uint32_t *flags)
{
    const struct tcp_ops *ops = &tcp->ops;

    if (!ops->owns_flow || ops->owns_flow(tcp->ctx, local.addr, local.port, peer.addr, peer.port))
        return ST_OK;
    *flags |= CF_PINNED;
    return ops->flow_pin(tcp->ctx, local.addr, local.port, peer.addr, peer.port);
}

enum status tcp_conn_new(struct tcp *tcp, const struct tcp_opening *o, uint64_t now_us, struct tcp_conn **out)
{
    struct tcp_conn *c = tcp_conn_get_block(tcp);
    struct tcp_endpoint local = o->local, peer = o->peer;
    uint32_t flags = tcp->params.no_delay ? CF_NO_DELAY : 0;
    enum status st;

    if (!c)
        return ST_NO_MEMORY;
    st = claim_flow(tcp, local, peer, &flags);
    if (st != ST_OK) {
        pool_put(&tcp->conns, c);
        return st;
    }
    c->tcp = tcp;
    c->local_addr = local.addr;
    c->local_port = local.port;
    c->peer_addr = peer.addr;
    c->peer_port = peer.port;
    c->opened_us = now_us;
    c->our_mss =
        (uint16_t)max_u32(o->mtu, IPV4_HDR_LEN + TCP_HDR_LEN + TCP_MIN_MSS) - IPV4_HDR_LEN - TCP_HDR_LEN;
    c->flags = flags;
    c->iss = tcp_isn(tcp, local, peer, now_us, &c->ts_offset);
    byte_ring_init(&c->snd, tcp->params.sndbuf_bytes);
    byte_ring_init(&c->rcv, tcp->params.rcvbuf_bytes);
    c->snd.cache = c->rcv.cache = &tcp->rings;
    tcp_rtt_init(c);
    tcp_timer_init(c);
    list_init(&c->flush);
    list_init(&c->queue);
    list_push_back(&tcp->all, &c->all);
    hash_table_insert(&tcp->flows, &c->node, tcp_flow_hash(tcp, local, peer));
    tcp->counters.now_closed++;
    *out = c;
    return ST_OK;
}

static void conn_free(struct tcp_conn *c)
{
    c->tcp->counters.now_closed--;
    byte_ring_fini(&c->rcv);
    list_remove(&c->all);
    tcp_conn_put_block(c);
}

void tcp_conn_release(struct tcp_conn *c)
{
    c->owner = NULL;
    if (c->listener)
        tcp_listener_forget(c);
    if (c->state == TCPS_CLOSED)
        conn_free(c);
}

void tcp_conn_done(struct tcp_conn *c, enum status error)
{
    if (c->state == TCPS_CLOSED)
        return;
    if (c->flags & CF_CONNECTED && error == ST_OK)
        COUNT(c->tcp, closed_clean);
    if (error != ST_OK)
        COUNT(c->tcp, closed_error);
    tcp_set_state(c, TCPS_CLOSED);
    c->error = (uint8_t)error;
    tcp_timer_fini(c);
    hash_table_remove(&c->tcp->flows, &c->node);
    if (c->flags & CF_PINNED)
        tcp_unpin(c);
    list_remove(&c->flush);
    if (c->listener && !tcp_conn_held(c))
        tcp_listener_forget(c);
    if (!c->listener && !(c->flags & CF_MOVED)) /* what is adrift stays so until somebody has looked */
        list_remove(&c->queue);
    tcp_reasm_free(c);
    byte_ring_fini(&c->snd);
    if (!tcp_conn_held(c))
        conn_free(c);
    else if (error != ST_OK)
        tcp_conn_event(c, TCP_EV_ERROR);
}

void tcp_conn_take_syn(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    const struct tcp_opts *o = &s->hdr->opts;
    uint32_t peer_mss = o->has_mss ? max_u32(o->mss, TCP_MIN_MSS) : TCP_DEFAULT_MSS;

    c->irs = s->seq;
    c->rcv_nxt = s->seq + 1;
    c->last_ack_sent = c->rcv_nxt;
    c->rcv_adv = c->rcv_nxt + initial_receive_window(c);
    c->mss = min_u32(peer_mss, c->our_mss);
    if (o->has_wscale && !c->tcp->params.no_wscale) {
        c->flags |= CF_WSCALE_OK;
        c->snd_wscale = (uint8_t)min_u32(o->wscale, TCP_MAX_WSCALE);
        c->rcv_wscale = c->tcp->wscale;
    }
    if (o->has_ts && !c->tcp->params.no_timestamps) {
        c->flags |= CF_TS_OK;
        c->ts_recent = o->ts_val;
        c->ts_recent_us = now_us;
        c->mss -= TCP_TS_OPT_LEN; /* RFC 6691: options count against the MSS */
    }
    c->rcv_mss = TCP_DEFAULT_MSS;
}

void tcp_conn_established(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    c->snd_una = c->iss + 1;
    c->recover = c->iss;
    c->snd_wnd = c->max_snd_wnd = s->wnd;
    c->snd_wl1 = s->seq;
    c->snd_wl2 = s->ack;
    c->last_send_us = now_us;
    c->flags |= CF_CONNECTED;
    tcp_rtt_acked(c, s, now_us);
    if (c->flags & CF_SYN_LOST && !(c->flags & CF_RTT_VALID))
        c->rto_us = TCP_RTO_AFTER_SYN_US; /* RFC 6298 5.7 */
    c->tcp->cc->init(&c->cc, c->mss, c->flags & CF_SYN_LOST);
    tcp_timer_stop(c);
    tcp_set_state(c, TCPS_ESTABLISHED);
    if (c->flags & CF_PASSIVE) {
        COUNT(c->tcp, opened_passive);
    } else {
        COUNT(c->tcp, opened_active);
        tcp_conn_event(c, TCP_EV_CONNECTED);
    }
    if (c->listener)
        tcp_listener_ready(c->listener, c);
    if (c->flags & CF_FIN_QUEUED) {
        tcp_set_state(c, TCPS_FIN_WAIT_1);
        tcp_conn_want_flush(c);
    }
}

void tcp_conn_event(struct tcp_conn *c, unsigned events)
{
    if (c->owner)
        c->tcp->ops.conn_event(c->tcp->ctx, c, events);
}

void tcp_conn_want_flush(struct tcp_conn *c)
{
    if (list_empty(&c->flush))
        list_push_back(&c->tcp->flush, &c->flush);
}

void tcp_conn_enter_time_wait(struct tcp_conn *c, uint64_t now_us)
{
    tcp_set_state(c, TCPS_TIME_WAIT);
    if (c->flags & CF_ACK_NOW)
        tcp_send_ack(c, now_us);
    if (!c->tcp->params.time_wait_us) {
        tcp_conn_done(c, ST_OK);
        return;
    }
    tcp_reasm_free(c);
    byte_ring_release(&c->snd);
    if (!(c->flags & CF_ACCEPTING))
        list_push_back(&c->tcp->time_wait, &c->queue);
    tcp_timer_start(c, TIMER_TIME_WAIT, now_us + c->tcp->params.time_wait_us);
}

void *tcp_conn_owner(const struct tcp_conn *c)
{
    return c->owner;
}

void tcp_conn_local(const struct tcp_conn *c, struct tcp_endpoint *out)
{
    *out = (struct tcp_endpoint){c->local_addr, c->local_port};
}

void tcp_conn_peer(const struct tcp_conn *c, struct tcp_endpoint *out)
{
    *out = (struct tcp_endpoint){c->peer_addr, c->peer_port};
}

void tcp_conn_info(const struct tcp_conn *c, struct tcp_info *out)
{
    *out = (struct tcp_info){
        .state = tcp_state_name(c->state),
        .mss = c->mss,
        .cwnd = c->cc.cwnd,
        .ssthresh = c->cc.ssthresh,
        .snd_wnd = c->snd_wnd,
        .rcv_wnd = c->rcv_adv - c->rcv_nxt,
        .srtt_us = c->srtt_us,
        .rttvar_us = c->rttvar_us,
        .rto_us = c->rto_us,
        .bytes_in = c->bytes_in,
        .bytes_out = c->bytes_out,
        .retransmits = c->retransmits,
    };
}
