/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of UDP share. */
#ifndef UDP_UDP_PRIV_H
#define UDP_UDP_PRIV_H

#include "base/byte_ring.h"
#include "base/hash_table.h"
#include "base/pool.h"
#include "udp/udp.h"

struct udp {
    struct udp_params params;
    const struct udp_ops *ops;
    void *ctx;
    struct pool socks;
    struct hash_table ports; /**< bound sockets by local port */
    struct list all;         /**< every socket */
    uint16_t next_ephemeral; /**< offset in the range where the next search begins */
    struct udp_counters count;
};

struct udp_sock {
    struct udp *udp;
    void *owner;
    struct list link;      /**< in udp.all */
    struct hash_node node; /**< in udp.ports while local.port != 0 */
    struct udp_addr local, peer;
    bool connected;
    bool addr_by_connect; /**< local.addr was chosen by connect, not by bind */
    ipv4_addr_t way_to;   /**< where the last datagram went; 0 = nowhere yet */
    ipv4_addr_t way_src;  /**< source address towards it: routes do not change while a stack runs */
    uint16_t way_mtu;
    struct byte_ring rcvq; /**< records: struct udp_record, then the payload */
};

/** Stands before each datagram in the receive queue, so that also empty datagrams use up its limit. */
struct udp_record {
    ipv4_addr_t addr;
    uint16_t port;
    uint16_t len;
};

/** Queues a record whole or not at all; false: no room. */
bool udp_queue(struct udp_sock *s, const struct udp_record *rec, const uint8_t *payload);
/** Binds to a free ephemeral port; ST_NO_ADDRESS when there is none. */
enum status udp_bind_ephemeral(struct udp_sock *s);
/** The socket that a datagram belongs to: connected before bound to the address before bound to any. */
struct udp_sock *udp_lookup(const struct udp *udp, struct udp_addr local, struct udp_addr from);

#endif
