/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Congestion control behind a small table, so that algorithms can be exchanged. An algorithm owns cwnd and
 * ssthresh outside loss recovery; the inflation and deflation of cwnd during fast recovery belong to
 * tcp_recovery.c and are the same for all. All amounts are bytes. */
#ifndef TCP_TCP_CC_H
#define TCP_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_cc {
    uint32_t cwnd;
    uint32_t ssthresh;
    uint32_t mss;
    uint32_t acked; /**< acknowledged bytes that have not made cwnd grow yet (congestion avoidance) */
};

struct tcp_cc_ops {
    const char *name;
    /** The handshake is complete. syn_lost: a SYN or SYN-ACK was sent again, so start carefully. */
    void (*init)(struct tcp_cc *cc, uint32_t mss, bool syn_lost);
    /** New data were acknowledged while cwnd was the limit. */
    void (*acked)(struct tcp_cc *cc, uint32_t bytes);
    /** Fast retransmit begins: sets ssthresh. */
    void (*loss)(struct tcp_cc *cc, uint32_t flight);
    /** The retransmission timer expired. again: for the same segment as last time. */
    void (*timeout)(struct tcp_cc *cc, uint32_t flight, bool again);
    /** Nothing was sent for longer than a retransmission timeout. */
    void (*idle)(struct tcp_cc *cc);
};

extern const struct tcp_cc_ops tcp_cc_reno;

/** Initial window (RFC 6928): ten segments, fewer when they are large. */
uint32_t tcp_cc_initial_window(uint32_t mss);

#endif
