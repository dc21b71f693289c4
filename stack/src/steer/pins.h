/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pinned flows of one bucket: flow -> worker, a chained hash table that grows. The bucket's lock
 * (see bucket.h) is held by every caller. */
#ifndef STEER_PINS_H
#define STEER_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/byteorder.h"
#include "base/status.h"

/** Of IPv4 with TCP or UDP. */
struct pin_key {
    be32_t local, peer;
    be16_t local_port, peer_port;
    uint8_t proto;
};

struct pin {
    struct pin *next;
    struct pin_key key;
    uint8_t worker;
};

struct pins {
    const uint8_t *key; /**< secret, SIPHASH_KEY_LEN bytes: peers choose addresses and ports */
    struct pin **chain; /**< NULL while there was none */
    uint32_t chains;    /**< a power of two, or 0 */
    uint32_t count;
};

/** NULL when the flow is not pinned. */
struct pin *pins_find(const struct pins *p, const struct pin_key *key);
/** The flow is not pinned yet. ST_NO_MEMORY. */
enum status pins_add(struct pins *p, const struct pin_key *key, unsigned worker);
/** False when the flow is not pinned; otherwise *worker = where it was. */
bool pins_remove(struct pins *p, const struct pin_key *key, unsigned *worker);
/** How many flows are pinned to another worker than these two. */
uint32_t pins_elsewhere(const struct pins *p, unsigned worker, unsigned or_worker);
/** How many flows are pinned to the worker. */
uint32_t pins_of(const struct pins *p, unsigned worker);
void pins_fini(struct pins *p);

#endif
