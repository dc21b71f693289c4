/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fifth step of segment arrival: the ACK field (RFC 9293 3.10.7.4, RFC 5961 5.2), window updates with
 * SND.WL1 and SND.WL2, duplicate ACKs (RFC 5681 2). */
#include "tcp/tcp_internal.h"

/** SYN-RECEIVED: the handshake ends here. */
static bool ack_of_syn(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    if (!seq_gt(s->ack, c->iss) || !seq_le(s->ack, c->snd_nxt)) {
        COUNT(c->tcp, drop_ack_handshake);
        tcp_reset_segment(c->tcp, s, now_us);
        return false;
    }
    tcp_conn_established(c, s, now_us);
    return true;
}

/** RFC 5961 5.2: what lies outside [SND.UNA - MAX.SND.WND, SND.NXT] is answered, not used. */
static bool plausible(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    if (seq_gt(s->ack, c->snd_max)) {
        COUNT(c->tcp, drop_ack_too_new);
        tcp_challenge_ack(c, now_us);
        return false;
    }
    if (seq_lt(s->ack, c->snd_una - c->max_snd_wnd)) {
        COUNT(c->tcp, drop_ack_too_old);
        tcp_challenge_ack(c, now_us);
        return false;
    }
    return true;
}

/** RFC 5681 2, definition of a duplicate acknowledgment */
static bool is_duplicate(const struct tcp_conn *c, const struct tcp_seg *s)
{
    return c->snd_nxt != c->snd_una && !s->had_text && s->wnd == c->snd_wnd;
}

/** Takes acknowledged bytes out of the send ring; what exceeds them is our FIN. */
static void consume(struct tcp_conn *c, uint32_t acked)
{
    uint32_t data = (uint32_t)byte_ring_consume(&c->snd, acked);

    byte_ring_rewind(&c->snd);
    if (acked > data)
        c->flags |= CF_FIN_ACKED;
    c->bytes_out += data;
    if (data && c->flags & CF_WRITE_FULL) {
        c->flags &= ~CF_WRITE_FULL;
        tcp_conn_event(c, TCP_EV_WRITABLE);
    }
}

/** The ACK may let something go that waits. With nothing waiting there is nothing for a flush to do. */
static void flush_if_waiting(struct tcp_conn *c)
{
    if (tcp_waiting(c))
        tcp_conn_want_flush(c);
}

static void new_ack(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    uint32_t acked = s->ack - c->snd_una;
    uint32_t flight = c->snd_nxt - c->snd_una;
    bool partial;

    tcp_rtt_acked(c, s, now_us);
    consume(c, acked);
    c->snd_una = s->ack;
    c->snd_nxt = seq_max(c->snd_nxt, c->snd_una);
    partial = tcp_recovery_acked(c, acked, flight, now_us);
    if (c->snd_nxt == c->snd_una)
        tcp_timer_quiet(c, now_us); /* RFC 6298 5.2 */
    else if (!partial)
        tcp_timer_rexmt(c, now_us); /* RFC 6298 5.3; for partial ACKs see RFC 6582 3.2 */
    flush_if_waiting(c);
}

/** RFC 9293 3.10.7.4: only a segment newer than the last update may change SND.WND. */
static void update_window(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    if (c->main.kind == TIMER_PERSIST) {
        c->main.persist.unanswered = 0;
        if (tcp_conn_held(c))
            c->main.persist.since_us = now_us;
    }
    if (!seq_lt(c->snd_wl1, s->seq) && !(c->snd_wl1 == s->seq && seq_le(c->snd_wl2, s->ack)))
        return;
    if (s->wnd > c->snd_wnd) {
        if (c->main.kind == TIMER_PERSIST)
            tcp_timer_stop(c);
        flush_if_waiting(c);
    }
    c->snd_wnd = s->wnd;
    c->max_snd_wnd = max_u32(c->max_snd_wnd, s->wnd);
    c->snd_wl1 = s->seq;
    c->snd_wl2 = s->ack;
}

/** What our acknowledged FIN changes. False: the connection is gone. */
static bool fin_acked(struct tcp_conn *c, uint64_t now_us)
{
    switch ((enum tcp_state)c->state) {
    case TCPS_FIN_WAIT_1:
        tcp_set_state(c, TCPS_FIN_WAIT_2);
        if (tcp_is_orphan(c))
            tcp_timer_start(c, TIMER_FIN_WAIT_2, now_us + TCP_FIN_WAIT_2_US);
        return true;
    case TCPS_CLOSING:
        tcp_conn_enter_time_wait(c, now_us);
        return false;
    case TCPS_LAST_ACK:
        tcp_conn_done(c, ST_OK);
        return false;
    default:
        return true;
    }
}

bool tcp_in_ack(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us)
{
    if (c->state == TCPS_SYN_RECEIVED && !ack_of_syn(c, s, now_us))
        return false;
    if (!plausible(c, s, now_us))
        return false;
    if (seq_lt(s->ack, c->snd_una))
        return true; /* an old duplicate: ignore the ACK, use the text */
    if (s->ack == c->snd_una) {
        if (is_duplicate(c, s)) {
            COUNT(c->tcp, rx_duplicate_acks);
            tcp_recovery_dupack(c, now_us);
        }
    } else {
        new_ack(c, s, now_us);
    }
    update_window(c, s, now_us);
    return !(c->flags & CF_FIN_ACKED) || fin_acked(c, now_us);
}
