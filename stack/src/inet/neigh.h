/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The neighbour table of ARP (RFC 826, RFC 1122 2.3.2), shared by all workers. Pure state: it says which
 * requests are to be sent and sends nothing.
 * neigh_lookup() takes no lock (a sequence counter per entry); everything else takes the table's mutex.
 * The table has a fixed size. What is only overheard never displaces what is in use, and static entries never
 * change. Memory of an entry is never freed while the table lives, so readers need no further protection. */
#ifndef INET_NEIGH_H
#define INET_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "wire/eth.h"
#include "wire/ipv4.h"

#define NEIGH_TRIES 16u              /**< broadcast requests before a neighbour counts as dead */
#define NEIGH_RETRY_US 1000000u      /**< between requests (RFC 1122 2.3.2.1: at most one a second) */
#define NEIGH_REACHABLE_US 60000000u /**< an entry is trusted for so long, then asked again or forgotten */
#define NEIGH_UNICAST_PROBES 3u      /**< unicast requests to a used entry before asking by broadcast */
#define NEIGH_PROBES 6u              /**< requests to a used entry before it is forgotten */

struct neigh_table;

enum neigh_result {
    NEIGH_RESOLVED, /**< the MAC is known */
    NEIGH_WAIT,     /**< a request is under way */
    NEIGH_ASK,      /**< the caller sends the first request and waits */
    NEIGH_NONE,     /**< no entry (and no room for one) */
};

enum neigh_learned {
    NEIGH_IGNORED,   /**< not known, and not to be learned */
    NEIGH_CONFIRMED, /**< nothing new, or a new entry */
    NEIGH_CHANGED,   /**< a known neighbour has a new MAC */
    NEIGH_STATIC,    /**< contradicts a static entry; refused */
};

/** A request that is due. */
struct neigh_ask {
    ipv4_addr_t addr;
    struct eth_addr to; /**< where to send it: broadcast, or the MAC that is to confirm itself */
};

enum status neigh_table_create(struct neigh_table **out);
void neigh_table_destroy(struct neigh_table *t);
/** ST_EXISTS, ST_NO_MEMORY. */
enum status neigh_add_static(struct neigh_table *t, ipv4_addr_t addr, struct eth_addr mac);

/** The fast path: whether the MAC is known. Marks the entry as used. */
bool neigh_lookup(struct neigh_table *t, ipv4_addr_t addr, struct eth_addr *mac);
/** Finds or begins an entry for an address that packets are waiting for. mac is set with NEIGH_RESOLVED. */
enum neigh_result neigh_resolve(struct neigh_table *t, ipv4_addr_t addr, uint64_t now_us,
                                struct eth_addr *mac);
/** How an address stands: NEIGH_RESOLVED, NEIGH_WAIT or NEIGH_NONE. */
enum neigh_result neigh_query(struct neigh_table *t, ipv4_addr_t addr, struct eth_addr *mac);
/** A neighbour said its address. Known entries are refreshed; a new one is made only with may_create. */
enum neigh_learned neigh_learn(struct neigh_table *t, ipv4_addr_t addr, struct eth_addr mac, bool may_create,
                               uint64_t now_us);

/** Retries, probes, ageing: fills in up to max requests to send and returns how many. Call again at
 * neigh_next_deadline(). */
unsigned neigh_timers(struct neigh_table *t, uint64_t now_us, struct neigh_ask *asks, unsigned max);
uint64_t neigh_next_deadline(const struct neigh_table *t);
/** Changes whenever some address gets or loses its MAC: what a caller remembers of neigh_lookup() is right
 * while it stays the same (and must be asked again once in a while, so that the entry counts as used). */
uint32_t neigh_version(const struct neigh_table *t);
/** Changes whenever a waiting address was resolved or given up. */
uint32_t neigh_generation(const struct neigh_table *t);

#endif
