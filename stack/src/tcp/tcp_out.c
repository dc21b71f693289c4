/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Segments out: what may be sent now (RFC 9293 3.8.6.2.1 silly window avoidance, 3.7.4 Nagle, congestion
 * window, limited transmit) and building it. A segment is built once, in the packet that leaves. When the
 * device cuts segments, as many full ones as may go leave in one long packet.
 * No packet buffer free: the connection stays in the flush list and tries again. */
#include "tcp/tcp_internal.h"

/** RFC 9293 3.8.6.2.2: the right edge moves only by a worthwhile step. */
uint32_t tcp_receive_window(const struct tcp_conn *c)
{
    uint32_t room = (uint32_t)byte_ring_room(&c->rcv), now = c->rcv_adv - c->rcv_nxt;
    uint32_t step = min_u32((uint32_t)(c->rcv.limit / 2), c->our_mss);

    return room >= now + step ? room : now;
}

/** The window field, and what it promises: the right edge never moves back, though scaling may round the
 * field down (RFC 7323 2.4). */
static uint16_t advertise(struct tcp_conn *c)
{
    uint32_t field = min_u32(tcp_receive_window(c) >> c->rcv_wscale, UINT16_MAX);

    c->rcv_adv = seq_max(c->rcv_adv, c->rcv_nxt + (field << c->rcv_wscale));
    return (uint16_t)field;
}

static inline void fill_header(struct tcp_conn *c, struct tcp_hdr *h, seq_t seq, uint8_t flags,
                               uint64_t now_us)
{
    *h = (struct tcp_hdr){
        .src_port = c->local_port,
        .dst_port = c->peer_port,
        .seq = seq,
        .flags = flags,
    };
    if (flags & TCP_ACK) {
        h->ack = c->rcv_nxt;
        c->last_ack_sent = c->rcv_nxt;
        c->flags &= ~(CF_ACK_NOW | CF_ACK_DELAYED);
    }
    if (!(flags & (TCP_SYN | TCP_RST)))
        h->window = advertise(c);
    if (c->flags & CF_TS_OK) {
        h->opts.has_ts = true;
        h->opts.ts_val = tcp_ts_now(c, now_us);
        h->opts.ts_ecr = c->ts_recent;
    }
}

/** The segment is complete but for its checksum. */
static inline enum status hand_over(struct tcp *tcp, struct pkt *p, ipv4_addr_t src, ipv4_addr_t dst,
                                    uint64_t now_us)
{
    enum status st;

    if (tcp->params.csum_offload)
        p->flags |= PKT_TX_L4_CSUM;
    tcp_set_checksum(p->data, p->len, src, dst, tcp->params.csum_offload);
    COUNT(tcp, tx_segments);
    st = tcp->ops.output(tcp->ctx, p, src, dst, now_us);
    if (st != ST_OK)
        COUNT(tcp, tx_output_failed);
    return st;
}

/** A segment without text whose header may have any options. */
static void send_header(struct tcp *tcp, struct pkt *p, const struct tcp_hdr *h, ipv4_addr_t src,
                        ipv4_addr_t dst, uint64_t now_us)
{
    uint8_t *out = pkt_push(p, tcp_emit_len(h));

    if (!out) {
        COUNT(tcp, tx_output_failed);
        pkt_free(p);
        return;
    }
    tcp_emit_header(out, h);
    hand_over(tcp, p, src, dst, now_us);
}

void tcp_send_bare(struct tcp *tcp, const struct tcp_hdr *h, ipv4_addr_t src, ipv4_addr_t dst,
                   uint64_t now_us)
{
    struct pkt *p = tcp->ops.alloc(tcp->ctx);

    if (p)
        send_header(tcp, p, h, src, dst, now_us);
    else
        COUNT(tcp, tx_no_buffer);
}

/** Sends len bytes of the send ring from seq in a fresh packet. False: there is none, or it is too small. */
static bool emit_in(struct tcp_conn *c, struct pkt *p, seq_t seq, uint32_t len, uint8_t flags,
                    uint64_t now_us)
{
    uint8_t *text = p ? pkt_put(p, len) : NULL, *out;
    struct tcp_hdr h;

    if (!text) {
        COUNT(c->tcp, tx_no_buffer);
        pkt_free(p);
        return false;
    }
    if (len)
        byte_ring_copy(&c->snd, seq - c->snd_una, text, len);
    if (len > c->mss) {
        p->flags |= PKT_TX_SEG;
        p->seg_bytes = c->mss;
    }
    fill_header(c, &h, seq, flags, now_us);
    out = pkt_push(p, tcp_plain_len(h.opts.has_ts));
    if (!out) {
        COUNT(c->tcp, tx_output_failed);
        pkt_free(p);
        return true; /* as lost as any other */
    }
    tcp_emit_plain(out, &h);
    hand_over(c->tcp, p, c->local_addr, c->peer_addr, now_us);
    return true;
}

static bool emit(struct tcp_conn *c, seq_t seq, uint32_t len, uint8_t flags, uint64_t now_us)
{
    return emit_in(c, c->tcp->ops.alloc(c->tcp->ctx), seq, len, flags, now_us);
}

/** A sequence number that the peer takes for a segment without text (RFC 9293 3.10.7.4: SND.NXT). */
static seq_t bare_seq(const struct tcp_conn *c)
{
    return seq_le(c->snd_max, c->snd_una + c->snd_wnd) ? c->snd_max : c->snd_nxt;
}

void tcp_send_ack(struct tcp_conn *c, uint64_t now_us)
{
    if (!emit(c, bare_seq(c), 0, TCP_ACK, now_us)) {
        c->flags |= CF_ACK_NOW;
        tcp_conn_want_flush(c);
    }
}

void tcp_send_reset(struct tcp_conn *c, uint64_t now_us)
{
    COUNT(c->tcp, tx_resets);
    emit(c, bare_seq(c), 0, TCP_RST | TCP_ACK, now_us);
}

void tcp_send_syn(struct tcp_conn *c, uint64_t now_us)
{
    bool answer = c->state == TCPS_SYN_RECEIVED;
    const struct tcp_params *params = &c->tcp->params;
    struct pkt *p = c->tcp->ops.alloc(c->tcp->ctx);
    struct tcp_hdr h;

    if (!p) { /* the retransmission timer runs */
        COUNT(c->tcp, tx_no_buffer);
        return;
    }
    fill_header(c, &h, c->iss, answer ? TCP_SYN | TCP_ACK : TCP_SYN, now_us);
    h.window = (uint16_t)min_u64(c->rcv.limit, UINT16_MAX);
    h.opts.has_mss = true;
    h.opts.mss = c->our_mss;
    h.opts.has_wscale = answer ? c->flags & CF_WSCALE_OK : !params->no_wscale;
    h.opts.wscale = c->tcp->wscale;
    if (!answer && !params->no_timestamps) {
        h.opts.has_ts = true;
        h.opts.ts_val = tcp_ts_now(c, now_us);
    }
    if (c->flags & (CF_SYN_LOST | CF_RTT_TIMED)) {
        c->flags &= ~CF_RTT_TIMED;
        c->last_rexmt_us = now_us;
    } else {
        c->flags |= CF_RTT_TIMED;
        c->rtt_seq = c->iss + 1;
        c->rtt_start_us = now_us;
    }
    send_header(c->tcp, p, &h, c->local_addr, c->peer_addr, now_us);
}

/** Congestion window, with what RFC 3042 adds for the first two duplicate ACKs. */
static uint32_t send_window(const struct tcp_conn *c)
{
    uint32_t cwnd = c->cc.cwnd;

    if (!(c->flags & CF_RECOVERY) && seq_gt(c->snd_una, c->recover))
        cwnd += min_u32(c->dupacks, TCP_DUPACK_THRESHOLD - 1) * c->mss;
    return min_u32(cwnd, c->snd_wnd);
}

/** What to send next in at most `most` bytes (a multiple of the MSS), if anything may be sent: RFC 9293
 * 3.8.6.2.1. What is longer than a segment consists of full ones only. */
static bool next_segment(const struct tcp_conn *c, uint32_t most, uint32_t *len, bool *fin)
{
    uint32_t flight = c->snd_nxt - c->snd_una, wnd = send_window(c), left = tcp_unsent(c);
    uint32_t room = wnd > flight ? wnd - flight : 0;
    bool may_be_small = c->flags & CF_NO_DELAY || !flight;

    *len = min_u32(min_u32(left, room), most);
    if (*len > c->mss)
        *len -= *len % c->mss;
    *fin = tcp_fin_waits(c) && *len == left && room > left;
    if (*fin)
        return true;
    if (!*len)
        return false;
    if (*len >= c->mss || (seq_lt(c->snd_nxt, c->snd_max) && (*len == left || !flight)))
        return true;
    return may_be_small && (*len == left || *len >= c->max_snd_wnd / 2);
}

/** Sends [seq, seq + len) and FIN in a fresh packet, with what belongs to it: counters, timing. snd_nxt is
 * the caller's. */
static bool send_text_in(struct tcp_conn *c, struct pkt *p, seq_t seq, uint32_t len, bool fin,
                         uint64_t now_us)
{
    seq_t end = seq + len + fin;
    uint8_t flags = TCP_ACK;

    if (fin)
        flags |= TCP_FIN;
    if (len && seq + len == c->snd_una + (uint32_t)c->snd.len)
        flags |= TCP_PSH;
    if (!emit_in(c, p, seq, len, flags, now_us))
        return false;
    c->tcp->counters.tx_bytes += len;
    c->last_send_us = now_us;
    if (seq_lt(seq, c->snd_max)) {
        COUNT(c->tcp, tx_retransmits);
        c->retransmits++;
        c->flags &= ~CF_RTT_TIMED; /* Karn */
        c->last_rexmt_us = now_us;
    } else if (!(c->flags & CF_RTT_TIMED)) {
        c->flags |= CF_RTT_TIMED;
        c->rtt_seq = end;
        c->rtt_start_us = now_us;
    }
    c->snd_max = seq_max(c->snd_max, end);
    return true;
}

static bool send_text(struct tcp_conn *c, seq_t seq, uint32_t len, bool fin, uint64_t now_us)
{
    return send_text_in(c, c->tcp->ops.alloc(c->tcp->ctx), seq, len, fin, now_us);
}

void tcp_retransmit_first(struct tcp_conn *c, uint64_t now_us)
{
    uint32_t sent = c->snd_max - c->snd_una;
    uint32_t len = min_u32(min_u32((uint32_t)c->snd.len, sent), c->mss);
    bool fin = c->flags & CF_FIN_QUEUED && len == c->snd.len && sent > len;

    send_text(c, c->snd_una, len, fin, now_us);
}

/** RFC 9293 3.8.6.1. With a window that is merely small this is the override timeout of 3.8.6.2.1: an
 * ordinary segment. At zero the byte does not count as sent, so that what follows begins with it. */
void tcp_send_probe(struct tcp_conn *c, uint64_t now_us)
{
    uint32_t len = min_u32(min_u32(tcp_unsent(c), max_u32(c->snd_wnd, 1)), c->mss);
    bool fin = !len && tcp_fin_waits(c);

    if (!len && !fin)
        return;
    COUNT(c->tcp, tx_probes);
    if (!send_text(c, c->snd_nxt, len, fin, now_us) || !c->snd_wnd)
        return;
    c->snd_nxt += len + fin;
    tcp_timer_rexmt(c, now_us);
}

/** After sending: what the connection waits for now. */
static void set_timer(struct tcp_conn *c, uint64_t now_us)
{
    if (c->snd_nxt != c->snd_una) {
        if (c->main.kind != TIMER_REXMT)
            tcp_timer_rexmt(c, now_us);
    } else if (tcp_waiting(c)) {
        if (c->main.kind != TIMER_PERSIST)
            tcp_timer_persist(c, now_us);
    } else if (c->main.kind == TIMER_OFF && (c->snd.mem || c->rcv.mem)) {
        tcp_timer_start(c, TIMER_IDLE, now_us + TCP_IDLE_US);
    }
}

/** The next segment or segments leave; true while there may be more. */
static bool send_next(struct tcp_conn *c, uint64_t now_us)
{
    struct tcp *tcp = c->tcp;
    uint32_t most = c->mss, len;
    struct pkt *p = NULL;
    bool fin;

    if (!tcp_waiting(c))
        return false;
    if (tcp->params.long_bytes > most && tcp_unsent(c) > most)
        most = tcp->params.long_bytes - tcp->params.long_bytes % most;
    if (!next_segment(c, most, &len, &fin))
        return false;
    if (len > c->mss)
        p = tcp->ops.alloc_long(tcp->ctx);
    if (!p) {
        if (len > c->mss && !next_segment(c, c->mss, &len, &fin))
            return false;
        p = tcp->ops.alloc(tcp->ctx);
    }
    if (!send_text_in(c, p, c->snd_nxt, len, fin, now_us)) {
        tcp_conn_want_flush(c);
        return false;
    }
    c->snd_nxt += len + fin;
    return true;
}

static void send_what_may_go(struct tcp_conn *c, uint64_t now_us)
{

    if (c->snd_nxt == c->snd_una && now_us - c->last_send_us > c->rto_us)
        c->tcp->cc->idle(&c->cc);
    while (send_next(c, now_us))
        continue;
    set_timer(c, now_us);
}

void tcp_output(struct tcp_conn *c, uint64_t now_us)
{
    if (tcp_sending(c))
        send_what_may_go(c, now_us);
    if (c->flags & CF_ACK_NOW)
        tcp_send_ack(c, now_us);
}
