/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP (RFC 9293) for one worker: connections, listeners, flow table, timers. No clock, no I/O: time comes as
 * now_us, segments leave through struct tcp_ops. Nothing here is shared between workers.
 * A connection belongs to its user (owner != NULL) until tcp_close() or tcp_abort(); after that TCP finishes
 * the closing exchange and frees it. The user learns of progress by events, which are hints: the
 * tcp_readable() family is the truth at any time. */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/byte_ring.h"
#include "base/log.h"
#include "base/pkt.h"
#include "base/status.h"
#include "wire/ipv4.h"

struct tcp; /* all connections of one worker */
struct tcp_conn;
struct tcp_listener;

enum tcp_event {
    TCP_EV_CONNECTED = 1u << 0, /**< an active open has completed */
    TCP_EV_READABLE = 1u << 1,  /**< data or the peer's FIN can be read */
    TCP_EV_WRITABLE = 1u << 2,  /**< the send buffer has room again after it was full */
    TCP_EV_PEER_FIN = 1u << 3,  /**< the peer will send nothing more */
    TCP_EV_ERROR = 1u << 4,     /**< the connection died: tcp_error() says why */
};

struct tcp_ops {
    /** A fresh packet; NULL when none is free (TCP tries again later). */
    struct pkt *(*alloc)(void *ctx);
    /** Sends a segment whose pkt->data stands at the TCP header; consumes it in every case. */
    enum status (*output)(void *ctx, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us);
    /** Source address and MTU towards dst; ST_NO_ROUTE. */
    enum status (*route)(void *ctx, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu);
    /** Something of enum tcp_event happened to a connection that has an owner. The callee must not call back
     * into the connection; it notes the event and acts later. */
    void (*conn_event)(void *ctx, struct tcp_conn *c, unsigned events);
    /** The accept queue went from empty to non-empty. */
    void (*acceptable)(void *ctx, struct tcp_listener *l);
    /** Whether packets of this flow reach this worker: asked when an active open looks for a port, and for
     * each new connection. May be NULL with the following three: all do. */
    bool (*owns_flow)(void *ctx, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer,
                      uint16_t peer_port);
    /** The flow's packets shall come to this worker although they belong to another one, until flow_unpin():
     * asked when owns_flow() said no, and for connections that do not move with their flow. ST_NO_MEMORY;
     * ST_ADDRESS_IN_USE: another worker has the flow, and this one does not open it. */
    enum status (*flow_pin)(void *ctx, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer,
                            uint16_t peer_port);
    void (*flow_unpin)(void *ctx, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer,
                       uint16_t peer_port);
    /** A listener of the port has been made (on), or has gone. */
    void (*port_bound)(void *ctx, uint16_t port, bool on);
    /** A fresh packet that holds long_bytes of tcp_params behind its headroom; NULL when none is free: an
     * ordinary one will do. May be NULL when long_bytes is 0. */
    struct pkt *(*alloc_long)(void *ctx);
};

struct tcp_params {
    size_t max_conns;         /**< key max_concurrency: connections, TIME-WAIT included */
    size_t rcvbuf_bytes;      /**< key rcvbuf; rounded up to a power of two; memory is taken on demand */
    size_t sndbuf_bytes;      /**< key sndbuf */
    uint64_t time_wait_us;    /**< key tcp_timewait; 0 = no TIME-WAIT at all, as mTCP's default */
    uint64_t user_timeout_us; /**< key tcp_timeout: data or a handshake unacknowledged for so long ends the
                                   connection; UINT64_MAX = never (retransmission limits still apply) */
    uint16_t ephemeral_first, ephemeral_last;
    uint16_t spare_first, spare_last; /**< ports that nobody else takes, for active opens when packets of none
                                           of the others would come here by themselves; 0 = there are none */
    uint8_t isn_key[16]; /**< secret of RFC 6528 and of the flow table; random at start, the same for
                              all between which connections move */
    bool no_timestamps, no_wscale; /**< do not offer the option */
    bool csum_offload;   /**< output() takes packets whose checksum is unfinished (PKT_TX_L4_CSUM) */
    uint32_t long_bytes; /**< output() cuts segments of so much text into those of an MSS (PKT_TX_SEG);
                              needs csum_offload; 0 = it does not */
    bool no_delay;       /**< Nagle's algorithm off for new connections (mTCP's applications expect this) */
    struct log *log;
};

struct tcp_endpoint {
    ipv4_addr_t addr;
    uint16_t port;
};

enum status tcp_create(const struct tcp_params *params, const struct tcp_ops *ops, void *ctx,
                       struct tcp **out);
/** Frees everything; sends nothing. */
void tcp_destroy(struct tcp *tcp);

/** A received segment: pkt->data at the TCP header, pkt->len its bytes. Consumes the packet. */
void tcp_input(struct tcp *tcp, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us);
/** When tcp_timers() must run next; UINT64_MAX = no need. */
uint64_t tcp_next_deadline(struct tcp *tcp);
void tcp_timers(struct tcp *tcp, uint64_t now_us);
/** Sends what tcp_write() and friends left to send; called once a poll round, so that small writes coalesce.
 */
void tcp_flush(struct tcp *tcp, uint64_t now_us);
/** The next hop of dst does not answer ARP: connections in SYN-SENT towards it fail with ST_HOST_UNREACHABLE.
 */
void tcp_unreachable(struct tcp *tcp, ipv4_addr_t dst, uint64_t now_us);

/** local.addr 0 = any. ST_ADDRESS_IN_USE. backlog limits the accept queue plus half-open connections. */
enum status tcp_listen(struct tcp *tcp, struct tcp_endpoint local, unsigned backlog, void *owner,
                       struct tcp_listener **out);
void *tcp_listener_owner(const struct tcp_listener *l);
bool tcp_listener_acceptable(const struct tcp_listener *l);
/** Takes the oldest established connection; its owner becomes `owner`. ST_AGAIN. */
enum status tcp_accept(struct tcp_listener *l, void *owner, struct tcp_conn **out);
/** Resets what nobody accepted. */
void tcp_listener_close(struct tcp_listener *l, uint64_t now_us);

/** Active open. local.addr 0 = by route, local.port 0 = an ephemeral port. Ends in TCP_EV_CONNECTED or
 * TCP_EV_ERROR. */
enum status tcp_connect(struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer, void *owner,
                        uint64_t now_us, struct tcp_conn **out);
void *tcp_conn_owner(const struct tcp_conn *c);
void tcp_conn_local(const struct tcp_conn *c, struct tcp_endpoint *out);
void tcp_conn_peer(const struct tcp_conn *c, struct tcp_endpoint *out);

/** Up to len bytes in order. *got = 0 with ST_OK at end of stream. ST_AGAIN, or the error that killed the
 * connection. peek leaves the bytes. A window update is sent when it is due (RFC 9293 3.8.6.2.2). */
enum status tcp_read(struct tcp_conn *c, void *buf, size_t len, bool peek, uint64_t now_us, size_t *got);
/** Queues up to len bytes. ST_AGAIN when the buffer is full or the connection is still opening, ST_PIPE after
 * shutdown. */
enum status tcp_write(struct tcp_conn *c, const void *buf, size_t len, uint64_t now_us, size_t *put);
/** All that the following five say, as a set: what a look at many connections wants to know of each. */
enum tcp_readiness {
    TCP_IS_READABLE = 1u << 0,
    TCP_IS_WRITABLE = 1u << 1,
    TCP_IS_FAILED = 1u << 2, /**< tcp_error() is not ST_OK */
    TCP_IS_PEER_CLOSED = 1u << 6,
    TCP_IS_CONNECTED = 1u << 13,
};
unsigned tcp_readiness(const struct tcp_conn *c);
/** Without a copy: what tcp_read() would give, as at most two pieces of the receive buffer; *n bytes in all.
 * They stay as they are until the next segment or timer is handed to TCP, or the connection is read or
 * closed. */
enum status tcp_read_spans(struct tcp_conn *c, struct byte_span out[2], size_t *n);
/** Takes the first n bytes away, as tcp_read() does. ST_INVALID when there are fewer. */
enum status tcp_read_release(struct tcp_conn *c, size_t n);
/** Without a copy: room for up to len bytes as at most two pieces of the send buffer, *n bytes in all, for
 * the caller to fill; nothing is queued yet. Errors as tcp_write(). Lifetime as of tcp_read_spans(). */
enum status tcp_write_claim(struct tcp_conn *c, size_t len, struct byte_span out[2], size_t *n);
/** Queues the first n bytes of the last claim. ST_INVALID when it was smaller, or has ended. */
enum status tcp_write_commit(struct tcp_conn *c, size_t n);
bool tcp_connected(const struct tcp_conn *c);   /**< the handshake is complete (also in closing states) */
bool tcp_readable(const struct tcp_conn *c);    /**< tcp_read() would not say ST_AGAIN */
bool tcp_writable(const struct tcp_conn *c);    /**< tcp_write() would not say ST_AGAIN */
bool tcp_peer_closed(const struct tcp_conn *c); /**< the peer's FIN has arrived in order */
size_t tcp_read_available(const struct tcp_conn *c); /**< bytes in order, unread (FIONREAD) */
size_t tcp_write_pending(const struct tcp_conn *c);  /**< bytes written and not yet acknowledged */
enum status tcp_error(const struct tcp_conn *c);     /**< ST_OK or why it died */

/** Sends FIN after the data that is queued; reading goes on. */
enum status tcp_shutdown_write(struct tcp_conn *c, uint64_t now_us);
/** The user lets go. Unread data make it a reset (RFC 2525 2.17), else FIN after the queued data. c is
 * invalid after. */
void tcp_close(struct tcp_conn *c, uint64_t now_us);
/** Reset to the peer; c is invalid after. */
void tcp_abort(struct tcp_conn *c, uint64_t now_us);
/** The same for every connection, those that their users have let go of included: before tcp_destroy(). */
void tcp_abort_all(struct tcp *tcp, uint64_t now_us);
void tcp_set_no_delay(struct tcp_conn *c, bool on, uint64_t now_us);

/* ---- moving connections to another worker, see tcp_move.c ---- */

/** Connections on their way from one worker's TCP to another's. Belongs to whoever holds it. */
struct tcp_cargo;

/** What the user of a connection sends along with it; TCP only carries it. */
struct tcp_luggage {
    void *data;
    uint32_t bits;
};
void tcp_conn_set_luggage(struct tcp_conn *c, struct tcp_luggage luggage);
struct tcp_luggage tcp_conn_luggage(const struct tcp_conn *c);

/** Decides about each connection when flows move. */
struct tcp_move_ops {
    /** Whether packets of this flow go to the other worker from now on. */
    bool (*wanted)(void *ctx, struct tcp_endpoint local, struct tcp_endpoint peer);
    /** Whether the other worker has a listener for this local end. NULL: no connection at all may go. */
    bool (*listens)(void *ctx, struct tcp_endpoint local);
    /** The owner of an open connection is asked whether it may go; true: the owner has forgotten it. */
    bool (*let_go)(void *ctx, struct tcp_conn *c);
};

/** Takes the connections whose flow is wanted out of this TCP. Those without a user go (those of a listener
 * only to another listener), those with one when it lets them and there is a listener; all others stay and
 * are pinned. One pass over all connections. NULL: none goes. */
struct tcp_cargo *tcp_detach(struct tcp *tcp, const struct tcp_move_ops *ops, void *ctx);
size_t tcp_cargo_count(const struct tcp_cargo *cargo);
/** Takes over what tcp_detach() of another TCP with the same isn_key has returned. now_us must not lie before
 * the time of the last call to that TCP. Those that had a user come out of tcp_accept(), also when they have
 * ended meanwhile, and whatever the backlog; without a listener see tcp_adrift(). */
void tcp_attach(struct tcp *tcp, struct tcp_cargo *cargo, uint64_t now_us);
/** Connections that came when their listener here had gone: they have no user, and wait to move on. */
bool tcp_has_adrift(const struct tcp *tcp);
/** Looks at each of them: a listener that is there again takes it; moves_on() says whether it may wait until
 * its flow moves to somebody who listens; else it is reset. */
void tcp_adrift(struct tcp *tcp,
                bool (*moves_on)(void *ctx, struct tcp_endpoint local, struct tcp_endpoint peer), void *ctx,
                uint64_t now_us);
/** Forgets the connections, for when no worker is left to take them. NULL is allowed. */
void tcp_cargo_free(struct tcp_cargo *cargo);

/** What mtcpstat, tests and getsockopt(TCP_INFO) see of a connection. */
struct tcp_info {
    const char *state; /**< RFC 9293 name, e.g. "ESTABLISHED" */
    uint32_t mss, cwnd, ssthresh, snd_wnd, rcv_wnd;
    uint64_t srtt_us, rttvar_us, rto_us;
    uint64_t bytes_in, bytes_out, retransmits;
};
void tcp_conn_info(const struct tcp_conn *c, struct tcp_info *out);
size_t tcp_num_conns(const struct tcp *tcp);

/** Counters and gauges of the layer, in the order of tcp/counters.def. */
struct tcp_counters {
#define COUNTER(name, text) uint64_t name;
#include "tcp/counters.def"
#undef COUNTER
};
const struct tcp_counters *tcp_get_counters(const struct tcp *tcp);

#endif
