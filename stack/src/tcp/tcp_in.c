/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrival of a segment (RFC 9293 3.10.7) as named steps, with the tests of RFC 7323 (timestamps, PAWS), RFC
 * 5961 (blind attacks) and RFC 1337 (TIME-WAIT). LISTEN is in tcp_listen.c, SYN-SENT in tcp_in_open.c, step 5
 * (ACK) in tcp_ack.c, steps 6 to 8 in tcp_in_text.c. A step that returns false has disposed of the segment,
 * and the connection may be gone. */
#include "tcp/tcp_internal.h"

/** RFC 7323 5.3 R1. Segments without timestamps pass, even when they were agreed on: dropping them would
 * cut off peers behind boxes that strip options. */
static bool step_timestamp(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    const struct tcp_opts *o = &s->hdr->opts;

    if (!(c->flags & CF_TS_OK) || !o->has_ts || s->flags & TCP_RST)
        return true;
    if (seq_ge(o->ts_val, c->ts_recent) || now_us - c->ts_recent_us > TCP_PAWS_IDLE_US)
        return true;
    COUNT(c->tcp, drop_paws);
    if (s->len || tcp_answer_allowed(c, now_us))
        tcp_send_ack(c, now_us);
    return false;
}

/** RFC 9293 3.10.7.4, table of the acceptance test */
static bool acceptable(const struct tcp_conn *c, const struct tcp_seg *s)
{
    uint32_t wnd = c->rcv_adv - c->rcv_nxt, len = seg_len(s);

    if (!len)
        return wnd ? seq_in_window(s->seq, c->rcv_nxt, wnd) : s->seq == c->rcv_nxt;
    if (!wnd)
        return false;
    return seq_in_window(s->seq, c->rcv_nxt, wnd) || seq_in_window(s->seq + len - 1, c->rcv_nxt, wnd);
}

static void strip_text(struct tcp_seg *s)
{
    s->len = 0;
    s->flags &= (uint8_t)~TCP_FIN;
}

/** Cuts what lies outside the window from an acceptable segment. */
static void trim(const struct tcp_conn *c, struct tcp_seg *s)
{
    uint32_t cut;

    if (s->flags & TCP_SYN)
        return; /* step 4 answers it */
    if (seq_lt(s->seq, c->rcv_nxt)) {
        cut = min_u32(c->rcv_nxt - s->seq, s->len);
        s->text_off += cut;
        s->len -= cut;
        s->seq = c->rcv_nxt;
    }
    if (seq_gt(s->seq + s->len, c->rcv_adv)) {
        s->len = c->rcv_adv - s->seq;
        s->flags &= (uint8_t)~TCP_FIN;
    }
    if (s->flags & TCP_FIN && s->seq + s->len == c->rcv_adv)
        s->flags &= (uint8_t)~TCP_FIN;
}

/** The peer's SYN or SYN-ACK again while we are in SYN-RECEIVED: either our SYN-ACK was lost, or both sides
 * opened at once (RFC 9293 3.5, figure 7). The SYN itself is old. */
static bool repeated_syn(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us)
{
    if (!(s->flags & TCP_ACK)) {
        if (tcp_answer_allowed(c, now_us))
            tcp_send_syn(c, now_us);
        return false;
    }
    s->flags &= (uint8_t)~TCP_SYN;
    s->seq++;
    return true;
}

static void out_of_window(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    COUNT(c->tcp, drop_out_of_window);
    if (s->flags & TCP_RST)
        return;
    if (c->state == TCPS_TIME_WAIT && s->flags & TCP_FIN) {
        if (!(c->flags & CF_ACCEPTING)) { /* 3.10.7.4 eighth: restart the 2 MSL timeout */
            list_remove(&c->queue);
            list_push_back(&c->tcp->time_wait, &c->queue);
        }
        tcp_timer_start(c, TIMER_TIME_WAIT, now_us + c->tcp->params.time_wait_us);
    }
    if (s->len || s->flags & TCP_FIN || tcp_answer_allowed(c, now_us))
        tcp_send_ack(c, now_us);
}

/** RFC 7323 5.3 R3 */
static inline void keep_timestamp(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    if (c->flags & CF_TS_OK && s->hdr->opts.has_ts && seq_le(s->hdr->seq, c->last_ack_sent)) {
        c->ts_recent = s->hdr->opts.ts_val;
        c->ts_recent_us = now_us;
    }
}

/** First: check the sequence number. */
static bool step_sequence(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us)
{
    if (c->state == TCPS_SYN_RECEIVED && s->flags & TCP_SYN && !(s->flags & TCP_RST) && s->seq == c->irs &&
        !repeated_syn(c, s, now_us))
        return false;
    if (c->rcv_adv == c->rcv_nxt && s->seq == c->rcv_nxt && seg_len(s) && !(s->flags & TCP_SYN)) {
        /* "If RCV.WND is zero ... special allowance should be made to accept valid ACKs, URGs, and RSTs." */
        COUNT(c->tcp, drop_zero_window);
        strip_text(s);
        c->flags |= CF_ACK_NOW;
        tcp_conn_want_flush(c);
    }
    if (!acceptable(c, s)) {
        out_of_window(c, s, now_us);
        return false;
    }
    trim(c, s);
    if (!(s->flags & TCP_RST))
        keep_timestamp(c, s, now_us);
    return true;
}

/** Second: check the RST bit, with the exact match of RFC 5961 3.2. */
static void step_reset(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    if (s->seq != c->rcv_nxt) {
        COUNT(c->tcp, drop_reset_inexact);
        tcp_challenge_ack(c, now_us);
        return;
    }
    switch ((enum tcp_state)c->state) {
    case TCPS_TIME_WAIT: /* RFC 1337 3, fix F1: TIME-WAIT is not cut short */
        COUNT(c->tcp, drop_reset_time_wait);
        return;
    case TCPS_SYN_RECEIVED:
        tcp_conn_done(c, ST_REFUSED); /* a passive one has no owner: back to LISTEN */
        return;
    case TCPS_CLOSING:
    case TCPS_LAST_ACK:
        tcp_conn_done(c, ST_OK);
        return;
    default:
        tcp_conn_done(c, ST_RESET);
        return;
    }
}

/** Fourth: check the SYN bit (RFC 5961 4.2). The old connection answers with what it believes. */
static void step_syn(struct tcp_conn *c, uint64_t now_us)
{
    if (c->state == TCPS_SYN_RECEIVED && c->flags & CF_PASSIVE) {
        COUNT(c->tcp, drop_syn_in_window);
        tcp_conn_done(c, ST_RESET); /* returns to LISTEN */
        return;
    }
    COUNT(c->tcp, drop_syn_in_window);
    tcp_challenge_ack(c, now_us);
}

/** The first to the fifth step. */
static bool passes_steps(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us)
{
    if (!step_timestamp(c, s, now_us) || !step_sequence(c, s, now_us))
        return false;
    if (s->flags & TCP_RST) {
        step_reset(c, s, now_us);
        return false;
    }
    /* Third: security. Not supported (RFC 9293 3.10.7.4 lets it be). */
    if (s->flags & TCP_SYN) {
        step_syn(c, now_us);
        return false;
    }
    if (!(s->flags & TCP_ACK)) { /* Fifth */
        COUNT(c->tcp, drop_no_ack);
        return false;
    }
    return true;
}

/** Header prediction: the segment is the next in order, whole within the window, and has nothing about it
 * that the first five steps would object to or change. */
static inline bool predicted(const struct tcp_conn *c, const struct tcp_seg *s)
{
    return c->state == TCPS_ESTABLISHED && s->seq == c->rcv_nxt &&
           (s->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK &&
           s->len <= c->rcv_adv - c->rcv_nxt &&
           (!s->hdr->opts.has_ts || !(c->flags & CF_TS_OK) || seq_ge(s->hdr->opts.ts_val, c->ts_recent));
}

static void synchronized_segment(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us)
{
    if (predicted(c, s))
        keep_timestamp(c, s, now_us);
    else if (!passes_steps(c, s, now_us))
        return;
    if (!tcp_in_ack(c, s, now_us))
        return;
    /* Sixth: the urgent pointer is ignored, urgent data are read as ordinary data (RFC 6093). */
    tcp_in_text_and_fin(c, s, now_us);
}

/** A SYN that may take the place of a connection in TIME-WAIT (RFC 9293 3.10.7.4 fourth, RFC 6191). */
static bool replaces_time_wait(const struct tcp_conn *c, const struct tcp_seg *s)
{
    if (c->state != TCPS_TIME_WAIT || (s->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
        return false;
    if (c->flags & CF_TS_OK && s->hdr->opts.has_ts && s->hdr->opts.ts_val != c->ts_recent)
        return seq_gt(s->hdr->opts.ts_val, c->ts_recent);
    return seq_gt(s->seq, c->rcv_nxt);
}

static void segment_for_no_conn(struct tcp *tcp, struct tcp_seg *s, const seq_t *iss_after, uint64_t now_us)
{
    struct tcp_listener *l;

    if (ipv4_is_multicast(s->ip->dst) || ipv4_is_broadcast(s->ip->dst) || ipv4_is_multicast(s->ip->src) ||
        ipv4_is_broadcast(s->ip->src) || !s->ip->src) {
        COUNT(tcp, drop_bad_address); /* RFC 9293 3.9.2.3 MUST-57 */
        return;
    }
    l = tcp_listener_find(tcp, (struct tcp_endpoint){s->ip->dst, s->hdr->dst_port});
    if (l) {
        tcp_listener_segment(l, s, iss_after, now_us);
        return;
    }
    if (s->flags & TCP_RST) {
        COUNT(tcp, drop_reset_no_connection);
        return;
    }
    COUNT(tcp, drop_no_connection);
    tcp_reset_segment(tcp, s, now_us);
}

static void segment_arrives(struct tcp *tcp, struct tcp_seg *s, uint64_t now_us)
{
    struct tcp_conn *c = tcp_conn_lookup(tcp, (struct tcp_endpoint){s->ip->dst, s->hdr->dst_port},
                                         (struct tcp_endpoint){s->ip->src, s->hdr->src_port});
    seq_t old_snd_nxt;

    if (!c) {
        segment_for_no_conn(tcp, s, NULL, now_us);
        return;
    }
    if (replaces_time_wait(c, s) &&
        tcp_listener_find(tcp, (struct tcp_endpoint){s->ip->dst, s->hdr->dst_port})) {
        COUNT(tcp, time_wait_reused);
        old_snd_nxt = c->snd_nxt;
        tcp_conn_done(c, ST_OK);
        segment_for_no_conn(tcp, s, &old_snd_nxt, now_us);
        return;
    }
    COUNT(tcp, rx_segments);
    if (!(s->flags & TCP_SYN))
        s->wnd <<= c->snd_wscale;
    if (c->state == TCPS_SYN_SENT)
        tcp_in_syn_sent(c, s, now_us);
    else
        synchronized_segment(c, s, now_us);
}

static void count_bad(struct tcp *tcp, enum status st)
{
    if (st == ST_BAD_CHECKSUM)
        COUNT(tcp, drop_checksum);
    else if (st == ST_TRUNCATED)
        COUNT(tcp, drop_truncated);
    else
        COUNT(tcp, drop_malformed);
}

/** Of a segment in several pieces. RFC 1071 2 (B), a piece at an odd place is summed up with swapped bytes.
 */
static bool chain_csum_ok(const struct ipv4_hdr *ip, const struct pkt *pkt)
{
    uint32_t at = 0, sum = ipv4_pseudo_sum(ip->src, ip->dst, IP_PROTO_TCP, (uint16_t)pkt_total(pkt));

    for (const struct pkt *p = pkt; p; at += p->len, p = p->more) {
        uint16_t piece = (uint16_t)~checksum_finish(checksum_add(0, p->data, p->len));

        piece = at & 1 ? piece : __builtin_bswap16(piece); /* as the machine's own order has it */
        sum = checksum_fold((uint64_t)sum + piece);
    }
    return checksum_finish(sum) == 0;
}

void tcp_input(struct tcp *tcp, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    struct tcp_hdr hdr;
    struct tcp_seg s;
    bool csum_ok = pkt->flags & PKT_RX_L4_CSUM_OK, chain = pkt->more != NULL;
    enum status st = ST_BAD_CHECKSUM;

    if (!chain || csum_ok || chain_csum_ok(ip, pkt))
        st = tcp_parse(pkt->data, pkt->len, ip->src, ip->dst, csum_ok || chain, &hdr);

    if (st == ST_OK) {
        s = (struct tcp_seg){
            .hdr = &hdr,
            .ip = ip,
            .seq = hdr.seq,
            .ack = hdr.ack,
            .pkt = pkt,
            .text_off = hdr.hdr_len,
            .len = pkt_total(pkt) - hdr.hdr_len,
            .wnd = hdr.window,
            .flags = hdr.flags,
        };
        s.had_text = s.len || s.flags & TCP_FIN;
        segment_arrives(tcp, &s, now_us);
    } else {
        count_bad(tcp, st);
    }
    pkt_free(pkt);
}
