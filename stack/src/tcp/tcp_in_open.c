/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrival of a segment in SYN-SENT (RFC 9293 3.10.7.3). */
#include "tcp/tcp_internal.h"

/** First: check the ACK bit. False: disposed of. */
static bool step_ack(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    if (!(s->flags & TCP_ACK))
        return true;
    if (seq_gt(s->ack, c->iss) && seq_le(s->ack, c->snd_nxt))
        return true;
    COUNT(c->tcp, drop_syn_sent_ack);
    tcp_reset_segment(c->tcp, s, now_us);
    return false;
}

/** Second: check the RST bit. It counts only when it acknowledges our SYN. */
static bool step_reset(struct tcp_conn *c, const struct tcp_seg *s)
{
    if (!(s->flags & TCP_RST))
        return true;
    if (s->flags & TCP_ACK)
        tcp_conn_done(c, ST_REFUSED);
    else
        COUNT(c->tcp, drop_syn_sent_reset);
    return false;
}

void tcp_in_syn_sent(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us)
{
    if (!step_ack(c, s, now_us) || !step_reset(c, s))
        return;
    /* Third: security. Not supported. Fourth: check the SYN bit. */
    if (!(s->flags & TCP_SYN)) {
        COUNT(c->tcp, drop_syn_sent_flags);
        return;
    }
    tcp_conn_take_syn(c, s, now_us);
    if (!(s->flags & TCP_ACK)) { /* simultaneous open; text that came along will come again */
        tcp_set_state(c, TCPS_SYN_RECEIVED);
        tcp_timer_rexmt(c, now_us);
        tcp_send_syn(c, now_us);
        return;
    }
    tcp_conn_established(c, s, now_us);
    c->flags |= CF_ACK_NOW;
    tcp_conn_want_flush(c);
    s->flags &= (uint8_t)~TCP_SYN;
    s->seq++;
    if (seq_gt(s->seq + s->len, c->rcv_adv)) {
        s->len = c->rcv_adv - s->seq;
        s->flags &= (uint8_t)~TCP_FIN;
    }
    tcp_in_text_and_fin(c, s, now_us);
}
