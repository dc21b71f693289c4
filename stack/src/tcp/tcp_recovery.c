/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loss detection and recovery: fast retransmit, NewReno fast recovery with partial ACKs (RFC 5681 3.2, RFC
 * 6582), limited transmit (RFC 3042), go-back-N after a timeout. Windows come from struct tcp_cc_ops.
 * recover is one past the highest sequence number sent when the last loss was noticed. */
#include "tcp/tcp_internal.h"

/** RFC 6582 3.2 step 2: fast retransmit. */
static void enter(struct tcp_conn *c, uint64_t now_us)
{
    uint32_t flight = min_u32(c->snd_nxt - c->snd_una, c->cc.cwnd); /* without limited transmit */

    COUNT(c->tcp, tx_fast_retransmits);
    c->tcp->cc->loss(&c->cc, flight);
    c->recover = c->snd_max;
    c->flags |= CF_RECOVERY;
    c->flags &= ~CF_PARTIAL_ACK;
    tcp_retransmit_first(c, now_us);
    c->cc.cwnd = c->cc.ssthresh + TCP_DUPACK_THRESHOLD * c->mss;
    tcp_timer_rexmt(c, now_us);
}

void tcp_recovery_dupack(struct tcp_conn *c, uint64_t now_us)
{
    if (c->dupacks < UINT8_MAX)
        c->dupacks++;
    if (c->flags & CF_RECOVERY)
        c->cc.cwnd += c->mss; /* step 3: a segment has left the network */
    else if (c->dupacks == TCP_DUPACK_THRESHOLD && seq_gt(c->snd_una, c->recover))
        enter(c, now_us);
    tcp_conn_want_flush(c);
}

/** RFC 6582 3.2 step 3, partial acknowledgment */
static void partial(struct tcp_conn *c, uint32_t acked, uint64_t now_us)
{
    tcp_retransmit_first(c, now_us);
    c->cc.cwnd -= min_u32(acked, c->cc.cwnd - c->mss);
    if (acked >= c->mss)
        c->cc.cwnd += c->mss;
}

bool tcp_recovery_acked(struct tcp_conn *c, uint32_t acked, uint32_t flight_before, uint64_t now_us)
{
    uint32_t flight = c->snd_nxt - c->snd_una;
    bool again;

    if (!(c->flags & CF_RECOVERY)) {
        c->dupacks = 0;
        if (flight_before + c->mss > c->cc.cwnd || flight_before > c->cc.cwnd / 2)
            c->tcp->cc->acked(&c->cc, acked);
        return false;
    }
    if (seq_ge(c->snd_una, c->recover)) { /* full acknowledgment: recovery is over */
        c->flags &= ~CF_RECOVERY;
        c->dupacks = 0;
        c->cc.cwnd = min_u32(c->cc.ssthresh, max_u32(flight, c->mss) + c->mss);
        return false;
    }
    again = c->flags & CF_PARTIAL_ACK;
    c->flags |= CF_PARTIAL_ACK;
    partial(c, acked, now_us);
    return again;
}

void tcp_recovery_timeout(struct tcp_conn *c, bool again)
{
    c->tcp->cc->timeout(&c->cc, c->snd_nxt - c->snd_una, again);
    c->flags &= ~CF_RECOVERY;
    c->dupacks = 0;
    c->recover = c->snd_max; /* RFC 6582 4: no fast retransmit for what is in flight now */
    c->snd_nxt = c->snd_una;
}
