/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of this folder share: the connection block, the listener and the functions between them.
 * Invariants: snd_una <= snd_nxt <= snd_max; the send ring's first byte has sequence number snd_una once the
 * handshake is done; rcv_nxt <= rcv_adv; every connection that is not CLOSED is in the flow table; a
 * connection that is not held and is CLOSED does not exist. A function that may end a connection says so, and
 * its caller does not touch the connection afterwards. */
#ifndef TCP_TCP_INTERNAL_H
#define TCP_TCP_INTERNAL_H

#include "base/byte_ring.h"
#include "base/hash_table.h"
#include "base/list.h"
#include "base/minmax.h"
#include "base/pool.h"
#include "base/seq.h"
#include "base/timer_wheel.h"
#include "tcp/tcp.h"
#include "tcp/tcp_cc.h"
#include "wire/tcp.h"

#define TCP_DEFAULT_MSS 536u          /* RFC 9293 3.7.1 MUST-15 */
#define TCP_MIN_MSS 64u               /* a peer that asks for less would make us send headers only */
#define TCP_TS_OPT_LEN 12u            /* timestamps option with its padding */
#define TCP_MAX_WSCALE 14u            /* RFC 7323 2.3 */
#define TCP_RTO_INITIAL_US 1000000u   /* RFC 6298 2.1 */
#define TCP_RTO_AFTER_SYN_US 3000000u /* RFC 6298 5.7 */
#define TCP_RTO_MIN_US 200000u
#define TCP_RTO_MAX_US 60000000u
#define TCP_CLOCK_GRANULARITY_US 1000u
#define TCP_SYN_RETRIES 7u /* over three minutes: RFC 9293 3.8.3 MUST-23 */
#define TCP_RETRIES 15u
#define TCP_PROBES_MIN 3u /* unanswered probes before the user timeout may end a connection */
#define TCP_DELACK_US 40000u
#define TCP_FIN_WAIT_2_US 60000000u
#define TCP_IDLE_US 1000000u /* buffers of a quiet connection are given back after this */
#define TCP_DUPACK_THRESHOLD 3u
#define TCP_CHALLENGES_PER_S 10u
#define TCP_HALF_OPEN_KEEP_US 1000000u /* a younger half-open connection is not given up for a new SYN */
#define TCP_PAWS_IDLE_US (24ull * 24 * 3600 * 1000000) /* RFC 7323 5.5 */
#define TCP_MAX_RANGES 64u

enum tcp_state {
    TCPS_CLOSED,
    TCPS_SYN_SENT,
    TCPS_SYN_RECEIVED,
    TCPS_ESTABLISHED,
    TCPS_FIN_WAIT_1,
    TCPS_FIN_WAIT_2,
    TCPS_CLOSE_WAIT,
    TCPS_CLOSING,
    TCPS_LAST_ACK,
    TCPS_TIME_WAIT,
    TCPS_COUNT
};

enum tcp_conn_flags {
    CF_TS_OK = 1u << 0,        /**< both sides send timestamps */
    CF_NO_DELAY = 1u << 1,     /**< Nagle's algorithm is off */
    CF_ACK_NOW = 1u << 2,      /**< an ACK leaves at the next flush */
    CF_ACK_DELAYED = 1u << 3,  /**< an ACK leaves at delack_us at the latest */
    CF_FIN_QUEUED = 1u << 4,   /**< the user writes no more: FIN follows the queued data */
    CF_FIN_ACKED = 1u << 5,    /**< our FIN is acknowledged */
    CF_FIN_RECEIVED = 1u << 6, /**< the peer's FIN arrived in order */
    CF_FIN_EARLY = 1u << 7,    /**< the peer's FIN arrived at peer_fin, data before it are missing */
    CF_RECOVERY = 1u << 8,     /**< fast recovery until snd_una passes recover */
    CF_PARTIAL_ACK = 1u << 9,  /**< this recovery has seen a partial ACK */
    CF_RTT_TIMED = 1u << 10,   /**< rtt_seq is being timed */
    CF_RTT_VALID = 1u << 11,   /**< srtt_us holds a measurement */
    CF_SYN_LOST = 1u << 12,    /**< SYN or SYN-ACK had to be sent again */
    CF_CONNECTED = 1u << 13,   /**< the handshake is complete */
    CF_WRITE_FULL = 1u << 14,  /**< the user found the send buffer full */
    CF_WSCALE_OK = 1u << 15,   /**< both sides scale windows */
    CF_PASSIVE = 1u << 16,     /**< opened by a peer's SYN */
    CF_ACCEPTING = 1u << 17,   /**< in the accept queue of its listener, or adrift: it wants to be in one */
    CF_MOVED = 1u << 18,       /**< had a user at another worker; waits in the accept queue for one here */
    CF_PINNED = 1u << 19,      /**< its packets are sent here although they belong to another worker */
    CF_LOOSE = 1u << 20,       /**< the block is no pool's, see tcp_move.c */
};

/** What the one main timer of a connection waits for: they exclude each other, so they share the place. */
enum tcp_timer_kind {
    TIMER_OFF,
    TIMER_REXMT,      /**< something is in flight */
    TIMER_PERSIST,    /**< something waits for the peer's window */
    TIMER_FIN_WAIT_2, /**< nobody will read the FIN that the peer owes us */
    TIMER_TIME_WAIT,
    TIMER_IDLE, /**< give back buffers */
};

struct tcp_timer {
    enum tcp_timer_kind kind;
    uint64_t deadline_us;
    union {
        struct {
            uint64_t since_us; /**< of the last progress */
            uint8_t retries;
        } rexmt;
        struct {
            uint64_t since_us; /**< of the first unanswered probe (of close, when the user has let go) */
            uint8_t backoff, unanswered;
        } persist;
    };
};

struct tcp_range {
    seq_t left, right; /**< [left, right) */
};

/** What has arrived beyond rcv_nxt: disjoint ranges in order, not touching each other. The bytes stand in
 * the receive ring already. */
struct tcp_reasm {
    unsigned count;
    struct tcp_range range[TCP_MAX_RANGES];
};

struct tcp_conn {
    struct hash_node node; /**< in the flow table */
    ipv4_addr_t local_addr, peer_addr;
    uint16_t local_port, peer_port;
    uint8_t state; /**< enum tcp_state; written by tcp_set_state() alone */
    uint8_t snd_wscale, rcv_wscale;
    uint8_t dupacks;
    uint32_t flags; /**< enum tcp_conn_flags */
    uint32_t mss;   /**< payload bytes of a full segment */
    struct tcp *tcp;
    void *owner;
    /* receiving (RFC 9293 3.3.1) */
    seq_t rcv_nxt, rcv_adv; /**< RCV.NXT; right edge of the window as advertised */
    seq_t last_ack_sent;
    uint32_t rcv_mss; /**< largest segment seen: what "full-sized" means for delayed ACKs */
    uint32_t ts_recent, ts_offset;
    uint64_t ts_recent_us; /**< when ts_recent was set */
    /* sending */
    seq_t snd_una, snd_nxt, snd_max;
    seq_t snd_wl1, snd_wl2;
    uint32_t snd_wnd, max_snd_wnd;
    seq_t rtt_seq;
    uint64_t rtt_start_us, last_send_us, last_rexmt_us;
    uint32_t srtt_us, rttvar_us, rto_us;
    struct tcp_cc cc;
    seq_t recover;
    struct byte_ring snd, rcv;
    struct tcp_reasm *reasm; /**< NULL: nothing is out of order */
    seq_t peer_fin;
    /* timers */
    struct tcp_timer main;
    uint64_t delack_us;
    struct timer timer; /**< the earlier of both, or earlier still */
    struct list flush;  /**< in tcp->flush */
    /* seldom used */
    struct list all;   /**< in tcp->all */
    struct list queue; /**< half-open or accept queue of the listener, tcp->time_wait or tcp->adrift */
    struct tcp_listener *listener;
    seq_t iss, irs;
    uint16_t our_mss; /**< as we announce it */
    uint8_t error;    /**< enum status */
    uint8_t challenges;
    uint64_t challenge_us; /**< begin of the second in which challenges are counted */
    uint64_t opened_us;
    uint64_t bytes_in, bytes_out, retransmits;
    struct tcp_luggage luggage;
};

struct tcp_listener {
    struct list link;
    struct tcp *tcp;
    struct tcp_endpoint local;
    unsigned backlog;
    void *owner;
    struct list half_open, accept;
    unsigned num_half_open, num_accept; /**< without those that have moved here from a user */
};

#define TCP_LISTEN_BUCKETS 64u

struct tcp {
    struct tcp_params params;
    struct tcp_ops ops;
    void *ctx;
    const struct tcp_cc_ops *cc;
    struct hash_table flows;
    uint64_t flow_key[2]; /**< secret, of tcp_flow_hash() */
    struct pool conns, reasms;
    struct byte_ring_cache rings;
    struct timer_wheel wheel;
    struct list flush, all, time_wait, adrift;
    struct list listeners[TCP_LISTEN_BUCKETS];
    size_t num_loose; /**< connections that are no pool's */
    uint32_t next_ephemeral;
    uint8_t wscale; /**< what we offer */
    struct tcp_counters counters;
};

/** An arriving segment, trimmed step by step. */
struct tcp_seg {
    const struct tcp_hdr *hdr;
    const struct ipv4_hdr *ip;
    seq_t seq, ack;
    const struct pkt *pkt;
    uint32_t text_off; /**< where the payload begins, from pkt->data on */
    uint32_t len;      /**< payload bytes */
    uint32_t wnd;      /**< scaled once that applies */
    uint8_t flags;
    bool had_text; /**< text or FIN came with it, though they may have been cut off */
};

/** RFC 9293 3.4: SEG.LEN counts SYN and FIN. */
static inline uint32_t seg_len(const struct tcp_seg *s)
{
    return s->len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
}

#define COUNT(tcp_, name) ((tcp_)->counters.name++)

/* tcp_state.c */
const char *tcp_state_name(enum tcp_state s);
void tcp_set_state(struct tcp_conn *c, enum tcp_state to);
/** The gauge of a state, for connections that come and go without a transition. */
uint64_t *tcp_state_gauge(struct tcp *tcp, enum tcp_state s);
/** The peer can still send us data. */
static inline bool tcp_receiving(const struct tcp_conn *c)
{
    return c->state == TCPS_ESTABLISHED || c->state == TCPS_FIN_WAIT_1 || c->state == TCPS_FIN_WAIT_2;
}
/** We may have data or a FIN to send or to send again. */
static inline bool tcp_sending(const struct tcp_conn *c)
{
    return c->state == TCPS_ESTABLISHED || c->state == TCPS_FIN_WAIT_1 || c->state == TCPS_CLOSE_WAIT ||
           c->state == TCPS_CLOSING || c->state == TCPS_LAST_ACK;
}

/** A port of active opens that no other worker takes. */
static inline bool tcp_port_is_spare(const struct tcp *tcp, uint16_t port)
{
    return port >= tcp->params.spare_first && port <= tcp->params.spare_last;
}

/* tcp_conn.c */
struct tcp_conn *tcp_conn_lookup(struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer);
struct tcp_opening {
    struct tcp_endpoint local, peer;
    uint16_t mtu;
};
/** A connection in CLOSED with an ISS and a place in the flow table. ST_NO_MEMORY; ST_ADDRESS_IN_USE: another
 * worker has the flow. */
enum status tcp_conn_new(struct tcp *tcp, const struct tcp_opening *o, uint64_t now_us,
                         struct tcp_conn **out);
/** The block of a connection that has left every list. */
void tcp_conn_put_block(struct tcp_conn *c);
/** A cleared block, NULL when there is no room. */
struct tcp_conn *tcp_conn_get_block(struct tcp *tcp);
/** Somebody has it, or has had it and must hear of its end: it may be CLOSED. */
static inline bool tcp_conn_held(const struct tcp_conn *c)
{
    return c->owner || c->flags & CF_MOVED;
}
/** The end: state CLOSED, out of every list and timer. Frees the connection unless somebody still holds it.
 * ST_OK = closed cleanly. */
void tcp_conn_done(struct tcp_conn *c, enum status error);
/** The user lets go: c is freed now or when TCP has finished with it. */
void tcp_conn_release(struct tcp_conn *c);
/** Takes the peer's SYN: its sequence number, options and what follows from them. */
void tcp_conn_take_syn(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us);
/** The handshake is complete: sets up what depends on it and tells the user or the listener. */
void tcp_conn_established(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us);
void tcp_conn_event(struct tcp_conn *c, unsigned events);
/** The next tcp_flush() calls tcp_output() for it. */
void tcp_conn_want_flush(struct tcp_conn *c);
/** May end the connection. */
void tcp_conn_enter_time_wait(struct tcp_conn *c, uint64_t now_us);

/** No user has it, and none will: what still happens is the closing exchange. */
static inline bool tcp_is_orphan(const struct tcp_conn *c)
{
    return !c->owner && !c->listener && !(c->flags & CF_ACCEPTING);
}

/* tcp_listen.c */
struct tcp_listener *tcp_listener_find(struct tcp *tcp, struct tcp_endpoint local);
/** A segment for a listener. iss_after: the ISS must lie behind it (an old connection's), or NULL. */
void tcp_listener_segment(struct tcp_listener *l, const struct tcp_seg *s, const seq_t *iss_after,
                          uint64_t now_us);
/** A connection has left SYN-RECEIVED: it waits to be accepted. */
void tcp_listener_ready(struct tcp_listener *l, struct tcp_conn *c);
/** Takes a connection out of the queues of its listener. */
void tcp_listener_forget(struct tcp_conn *c);
/** Takes in a connection that another worker's listener or user had. */
void tcp_listener_adopt(struct tcp_listener *l, struct tcp_conn *c);

/* tcp_in.c, tcp_in_open.c, tcp_ack.c */
void tcp_in_syn_sent(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us);
/** Steps 6 to 8 of RFC 9293 3.10.7.4. May end the connection. */
void tcp_in_text_and_fin(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us);
/** Copies the text to an offset of the receive ring; returns how much fitted. */
uint32_t tcp_seg_store(struct tcp_conn *c, size_t at, const struct tcp_seg *s);
/** Step 5. False: the segment is dropped and the connection may be gone. */
bool tcp_in_ack(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_us);

/* tcp_recovery.c */
void tcp_recovery_dupack(struct tcp_conn *c, uint64_t now_us);
/** snd_una has moved by `acked` bytes. True: a further partial ACK, the timer is left as it is. */
bool tcp_recovery_acked(struct tcp_conn *c, uint32_t acked, uint32_t flight_before, uint64_t now_us);
void tcp_recovery_timeout(struct tcp_conn *c, bool again);

/* tcp_reasm.c */
/** Stores the text, which lies beyond rcv_nxt. False: dropped and counted. */
bool tcp_reasm_add(struct tcp_conn *c, const struct tcp_seg *s);
/** rcv_nxt has moved: takes over what follows now. Returns the bytes that became readable. */
uint32_t tcp_reasm_advance(struct tcp_conn *c);
void tcp_reasm_free(struct tcp_conn *c);

/* tcp_out.c */
/** Bytes in the ring behind snd_nxt. */
static inline uint32_t tcp_unsent(const struct tcp_conn *c)
{
    seq_t end = c->snd_una + (uint32_t)c->snd.len;

    return seq_lt(c->snd_nxt, end) ? end - c->snd_nxt : 0;
}
/** Our FIN is still to be sent from snd_nxt on. */
static inline bool tcp_fin_waits(const struct tcp_conn *c)
{
    return (c->flags & (CF_FIN_QUEUED | CF_FIN_ACKED)) == CF_FIN_QUEUED &&
           seq_le(c->snd_nxt, c->snd_una + (uint32_t)c->snd.len);
}
/** Something is to be sent for the first time, or again from snd_nxt on. */
static inline bool tcp_waiting(const struct tcp_conn *c)
{
    return tcp_unsent(c) || tcp_fin_waits(c);
}
/** Sends a segment without payload that belongs to no connection. */
void tcp_send_bare(struct tcp *tcp, const struct tcp_hdr *h, ipv4_addr_t src, ipv4_addr_t dst,
                   uint64_t now_us);
/** Sends what may be sent, and an ACK that is due. */
void tcp_output(struct tcp_conn *c, uint64_t now_us);
void tcp_send_ack(struct tcp_conn *c, uint64_t now_us);
/** SYN in SYN-SENT, SYN-ACK in SYN-RECEIVED. */
void tcp_send_syn(struct tcp_conn *c, uint64_t now_us);
void tcp_send_reset(struct tcp_conn *c, uint64_t now_us);
/** Sends the first unacknowledged segment again. */
void tcp_retransmit_first(struct tcp_conn *c, uint64_t now_us);
/** Sends at least one byte, or the FIN, whatever the window says. */
void tcp_send_probe(struct tcp_conn *c, uint64_t now_us);
/** The window to advertise now, in bytes, without moving its right edge back (RFC 9293 3.8.6.2.2). */
uint32_t tcp_receive_window(const struct tcp_conn *c);

/* tcp_reset.c */
/** RFC 9293 3.10.7.1: RST for a segment that belongs to nothing. */
void tcp_reset_segment(struct tcp *tcp, const struct tcp_seg *s, uint64_t now_us);
/** An ACK that answers something suspicious, at a limited rate (RFC 5961 7). */
void tcp_challenge_ack(struct tcp_conn *c, uint64_t now_us);
/** Whether the connection may send one more such answer now. */
bool tcp_answer_allowed(struct tcp_conn *c, uint64_t now_us);

/* tcp_timer.c */
void tcp_timer_init(struct tcp_conn *c);
void tcp_timer_stop(struct tcp_conn *c);
/** Nothing is in flight: nothing to wait for but the time when buffers are given back. */
void tcp_timer_quiet(struct tcp_conn *c, uint64_t now_us);
/** Something is in flight and progress was made (or it is the first). */
void tcp_timer_rexmt(struct tcp_conn *c, uint64_t now_us);
void tcp_timer_persist(struct tcp_conn *c, uint64_t now_us);
/** A plain timer: FIN_WAIT_2, TIME_WAIT, IDLE. */
void tcp_timer_start(struct tcp_conn *c, enum tcp_timer_kind kind, uint64_t deadline_us);
void tcp_timer_delack(struct tcp_conn *c, uint64_t now_us);
/** Disarms all; for connections that end. */
void tcp_timer_fini(struct tcp_conn *c);
/** Out of the wheel, what is armed stays armed; then into the wheel of the TCP that it belongs to now. */
void tcp_timer_leave(struct tcp_conn *c);
void tcp_timer_join(struct tcp_conn *c);

/* tcp_rtt.c */
void tcp_rtt_init(struct tcp_conn *c);
void tcp_rtt_sample(struct tcp_conn *c, uint64_t rtt_us);
void tcp_rtt_backoff(struct tcp_conn *c);
/** snd_una has moved: takes a sample if there is one. */
void tcp_rtt_acked(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us);
uint32_t tcp_ts_now(const struct tcp_conn *c, uint64_t now_us);

/* tcp_move.c */
/** The connection leaves the flow table: packets of the flow need not come here any more. */
void tcp_unpin(struct tcp_conn *c);

/* tcp_isn.c */
/** Makes the keys of tcp_flow_hash() from the secret of the parameters. */
void tcp_flow_keys(struct tcp *tcp);
/** The hash of the flow table: a product of the four-tuple's halves, each masked by a secret word. It never
 * leaves the host, so a peer cannot learn which of its connections share a bucket but by timing them. */
static inline uint32_t tcp_flow_hash(const struct tcp *tcp, struct tcp_endpoint local,
                                     struct tcp_endpoint peer)
{
    uint64_t a = ((uint64_t)local.addr << 32 | peer.addr) ^ tcp->flow_key[0];
    uint64_t b = ((uint64_t)local.port << 16 | peer.port) ^ tcp->flow_key[1];
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint32_t)((uint64_t)product ^ (uint64_t)(product >> 64));
}
/** RFC 6528; also gives the connection's timestamp offset (RFC 7323 5.4). */
seq_t tcp_isn(const struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer, uint64_t now_us,
              uint32_t *ts_offset);
uint32_t tcp_port_offset(const struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer);

#endif
