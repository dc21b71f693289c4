/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Answers to segments that do not fit: RST for what belongs to no connection (RFC 9293 3.10.7.1) and
 * challenge ACKs at a limited rate (RFC 5961). */
#include "tcp/tcp_internal.h"

void tcp_reset_segment(struct tcp *tcp, const struct tcp_seg *s, uint64_t now_us)
{
    struct tcp_hdr h = {
        .src_port = s->hdr->dst_port,
        .dst_port = s->hdr->src_port,
        .flags = TCP_RST,
    };

    if (s->flags & TCP_RST)
        return;
    if (s->flags & TCP_ACK) {
        h.seq = s->ack;
    } else {
        h.flags |= TCP_ACK;
        h.ack = s->seq + seg_len(s);
    }
    COUNT(tcp, tx_resets);
    tcp_send_bare(tcp, &h, s->ip->dst, s->ip->src, now_us);
}

bool tcp_answer_allowed(struct tcp_conn *c, uint64_t now_us)
{
    if (now_us - c->challenge_us >= 1000000) {
        c->challenge_us = now_us;
        c->challenges = 0;
    }
    if (c->challenges >= TCP_CHALLENGES_PER_S) {
        COUNT(c->tcp, limited_acks);
        return false;
    }
    c->challenges++;
    return true;
}

void tcp_challenge_ack(struct tcp_conn *c, uint64_t now_us)
{
    if (!tcp_answer_allowed(c, now_us))
        return;
    COUNT(c->tcp, tx_challenge_acks);
    tcp_send_ack(c, now_us);
}
