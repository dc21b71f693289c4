/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP (RFC 768, RFC 1122 4.1) for one worker: sockets, ports, bounded receive queues. No clock, no I/O. */
#ifndef UDP_UDP_H
#define UDP_UDP_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "base/pkt.h"
#include "base/status.h"
#include "wire/ipv4.h"

struct udp; /* all sockets of one worker */
struct udp_sock;

struct udp_ops {
    /** A fresh packet; NULL when none is free. */
    struct pkt *(*alloc)(void *ctx);
    /** Sends a datagram whose pkt->data stands at the UDP header; consumes it. */
    enum status (*output)(void *ctx, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us);
    /** Source address and MTU towards dst. */
    enum status (*route)(void *ctx, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu);
    /** The receive queue of the socket went from empty to non-empty, or an error is pending. */
    void (*readable)(void *ctx, struct udp_sock *sock);
    /** A datagram for a port nobody has: answer with ICMP port unreachable; may be NULL. Does not own the
     * packet. */
    void (*port_unreachable)(void *ctx, const struct ipv4_hdr *ip, const struct pkt *pkt);
    /** A socket has been bound to the port (on), or has gone; may be NULL. */
    void (*port_bound)(void *ctx, uint16_t port, bool on);
};

struct udp_params {
    size_t max_socks;
    size_t rcvbuf_bytes; /**< default limit of a socket's receive queue */
    uint16_t ephemeral_first, ephemeral_last;
    uint32_t seed;     /**< where the search for ephemeral ports begins */
    bool csum_offload; /**< output() takes packets whose checksum is unfinished (PKT_TX_L4_CSUM) */
};

struct udp_addr {
    ipv4_addr_t addr; /**< 0 = any */
    uint16_t port;    /**< 0 = none yet */
};

enum status udp_create(const struct udp_params *params, const struct udp_ops *ops, void *ctx,
                       struct udp **out);
void udp_destroy(struct udp *udp);

enum status udp_sock_create(struct udp *udp, void *owner, struct udp_sock **out);
void udp_sock_destroy(struct udp_sock *s);
void *udp_sock_owner(const struct udp_sock *s);
/** port 0 takes an ephemeral one. ST_ADDRESS_IN_USE. */
enum status udp_sock_bind(struct udp_sock *s, struct udp_addr local);
/** Sets the peer: only its datagrams are received (RFC 1122 4.1.3.5). */
enum status udp_sock_connect(struct udp_sock *s, struct udp_addr peer);
void udp_sock_local(const struct udp_sock *s, struct udp_addr *out);
/** False when not connected. */
bool udp_sock_peer(const struct udp_sock *s, struct udp_addr *out);
/** Sends one datagram; binds to an ephemeral port when unbound. to may be NULL on a connected socket.
 *  ST_TOO_BIG, ST_AGAIN (no buffer), ST_NO_ROUTE, ST_NOT_CONNECTED. */
enum status udp_sock_sendto(struct udp_sock *s, const void *buf, size_t len, const struct udp_addr *to,
                            uint64_t now_us);
/** Takes the oldest datagram; *got = bytes copied (the rest of a longer one is lost), *full = its real
 * length. ST_AGAIN when the queue is empty. */
enum status udp_sock_recvfrom(struct udp_sock *s, void *buf, size_t len, bool peek, struct udp_addr *from,
                              size_t *got, size_t *full);
bool udp_sock_readable(const struct udp_sock *s);
size_t
udp_sock_next_len(const struct udp_sock *s); /**< length of the oldest datagram, 0 when there is none */

/** A received datagram: pkt->data at the UDP header, pkt->len its bytes. Consumes the packet. */
void udp_input(struct udp *udp, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us);

/* ---- moving to another worker, see udp_move.c ---- */

/** Unread datagrams on their way from one worker's UDP to another's. */
struct udp_cargo;
struct udp_move_ops {
    /** Whether this flow goes to the other worker from now on, and a socket there has the port. local.addr 0
     * = any. */
    bool (*wanted)(void *ctx, struct udp_addr local, struct udp_addr from);
};
/** Takes the unread datagrams of the flows that are wanted out of all sockets. NULL: there are none. */
struct udp_cargo *udp_detach(struct udp *udp, const struct udp_move_ops *ops, void *ctx);
/** Takes over what udp_detach() of another UDP has returned: before anything that came later. */
void udp_attach(struct udp *udp, struct udp_cargo *cargo);
/** Forgets them. NULL is allowed. */
void udp_cargo_free(struct udp_cargo *cargo);

struct udp_counters {
#define COUNTER(name, text) uint64_t name;
#include "udp/counters.def"
#undef COUNTER
};
const struct udp_counters *udp_get_counters(const struct udp *udp);

#endif
