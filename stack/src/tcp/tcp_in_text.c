/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Seventh and eighth step of segment arrival: segment text and the FIN bit (RFC 9293 3.10.7.4), and when
 * they are acknowledged (RFC 5681 4.2, RFC 9293 3.8.6.3). */
#include "tcp/tcp_internal.h"

static void ack_now(struct tcp_conn *c)
{
    c->flags |= CF_ACK_NOW;
    tcp_conn_want_flush(c);
}

/** At least every second full-sized segment, else within the delay. */
static void ack_in_order(struct tcp_conn *c, uint32_t len, uint64_t now_us)
{
    c->rcv_mss = max_u32(c->rcv_mss, min_u32(len, c->our_mss)); /* a device may have merged several */
    if (c->rcv_nxt - c->last_ack_sent >= 2 * c->rcv_mss)
        ack_now(c);
    else if (!(c->flags & CF_ACK_DELAYED))
        tcp_timer_delack(c, now_us);
}

uint32_t tcp_seg_store(struct tcp_conn *c, size_t at, const struct tcp_seg *s)
{
    uint32_t skip = s->text_off, done = 0;

    byte_ring_reserve(&c->rcv, at + s->len);
    for (const struct pkt *p = s->pkt; p && done < s->len; p = p->more) {
        uint32_t n = p->len > skip ? min_u32(p->len - skip, s->len - done) : 0;
        uint32_t stored = (uint32_t)byte_ring_write_at(&c->rcv, at + done, p->data + skip, n);

        done += stored;
        if (stored < n)
            break;
        skip = n ? 0 : skip - p->len;
    }
    return done;
}

static void text_in_order(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    uint32_t stored, more;

    if (!s->pkt->more)
        stored = (uint32_t)byte_ring_write(&c->rcv, s->pkt->data + s->text_off, s->len);
    else
        stored = (uint32_t)byte_ring_extend(&c->rcv, tcp_seg_store(c, c->rcv.len, s));
    if (stored < s->len)
        COUNT(c->tcp, drop_no_memory);
    c->rcv_nxt += stored;
    more = tcp_reasm_advance(c);
    c->bytes_in += stored + more;
    c->tcp->counters.rx_bytes += stored + more;
    if (c->reasm || more || stored < s->len)
        ack_now(c); /* fills a gap, wholly or in part */
    else
        ack_in_order(c, s->len, now_us);
    if (stored)
        tcp_conn_event(c, TCP_EV_READABLE);
    if (c->main.kind == TIMER_OFF)
        tcp_timer_start(c, TIMER_IDLE, now_us + TCP_IDLE_US);
}

/** Seventh: the segment text. False: the connection is gone. */
static bool step_text(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us)
{
    if (!s->len || !tcp_receiving(c))
        return true;
    if (tcp_is_orphan(c)) { /* RFC 9293 3.6.1: nobody will read it, and the peer shall know */
        COUNT(c->tcp, drop_data_after_close);
        tcp_send_reset(c, now_us);
        tcp_conn_done(c, ST_OK);
        return false;
    }
    if (c->flags & CF_FIN_EARLY && seq_gt(s->seq + s->len, c->peer_fin)) {
        COUNT(c->tcp, drop_after_fin);
        return true;
    }
    if (s->seq == c->rcv_nxt) {
        text_in_order(c, s, now_us);
        return true;
    }
    tcp_reasm_add(c, s);
    tcp_send_ack(c, now_us); /* at once, one for each: the peer counts them */
    return true;
}

/** The peer's FIN stands at rcv_nxt: take it. May end the connection. */
static void take_fin(struct tcp_conn *c, uint64_t now_us)
{
    c->rcv_nxt++;
    c->flags |= CF_FIN_RECEIVED;
    tcp_reasm_free(c);
    ack_now(c);
    tcp_conn_event(c, TCP_EV_READABLE | TCP_EV_PEER_FIN);
    switch ((enum tcp_state)c->state) {
    case TCPS_ESTABLISHED:
        tcp_set_state(c, TCPS_CLOSE_WAIT);
        return;
    case TCPS_FIN_WAIT_1:
        tcp_set_state(c, TCPS_CLOSING);
        return;
    case TCPS_FIN_WAIT_2:
        tcp_conn_enter_time_wait(c, now_us);
        return;
    default:
        return;
    }
}

void tcp_in_text_and_fin(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us)
{
    if (!step_text(c, s, now_us) || !tcp_receiving(c))
        return;
    if (s->flags & TCP_FIN && !(c->flags & CF_FIN_EARLY)) {
        c->flags |= CF_FIN_EARLY;
        c->peer_fin = s->seq + s->len;
    }
    if (!(c->flags & CF_FIN_EARLY))
        return;
    if (c->rcv_nxt == c->peer_fin)
        take_fin(c, now_us);
    else if (s->flags & TCP_FIN && !s->len)
        tcp_send_ack(c, now_us); /* a FIN out of order is a gap like any other */
}
