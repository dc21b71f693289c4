/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The indirection table with the pinned flows of each bucket. What a distributor needs for every frame is one
 * word, the entry: home worker, whether some flow is pinned elsewhere, whether the home still holds frames
 * back. Entries are written under the bucket's lock and read without it (acquire: who sees an entry sees what
 * was done before it was written). Flows pinned to the home cost nothing: they do not set ENTRY_PINS. */
#ifndef STEER_BUCKET_H
#define STEER_BUCKET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"
#include "steer/classify.h"
#include "steer/pins.h"
#include "steer/steer.h"

#define ENTRY_HOME 0xffu
#define ENTRY_PINS 0x100u /**< some flow is pinned elsewhere: look */
#define ENTRY_HOLD 0x200u /**< the home has not taken the bucket over yet: it holds frames back */

struct bucket {
    pthread_mutex_t lock;
    struct pins pins;
    uint32_t elsewhere; /**< pins that count and lead to another worker than the home */
    unsigned dormant;   /**< pins to this worker do not count at present: it is giving the bucket away */
};

struct bucket_table {
    bool homeless; /**< frames do not go to the home by themselves: every pin is to be looked at */
    uint8_t pins_key[SIPHASH_KEY_LEN];
    _Atomic uint32_t entry[STEER_BUCKETS];
    struct bucket bucket[STEER_BUCKETS];
};

static inline unsigned bucket_of_hash(uint32_t hash)
{
    return hash % STEER_BUCKETS;
}

static inline uint32_t bucket_entry(const struct bucket_table *t, unsigned b)
{
    return atomic_load_explicit(&t->entry[b], memory_order_acquire);
}

static inline unsigned entry_home(uint32_t entry)
{
    return entry & ENTRY_HOME;
}

/** Bucket b to worker b % num_workers. homeless: with STEER_DIRECT, where the queue says whose a frame is. */
void bucket_table_init(struct bucket_table *t, unsigned num_workers, bool homeless,
                       const uint8_t pins_key[SIPHASH_KEY_LEN]);
void bucket_table_fini(struct bucket_table *t);

/** False when the flow has no key: IPv6, or without ports. */
bool pin_key_of_class(const struct flow_class *c, struct pin_key *key);
void pin_key_of_flow(const struct steer_flow *flow, struct pin_key *key);

/** ST_NO_MEMORY; ST_ADDRESS_IN_USE: it is pinned to another worker. */
enum status bucket_pin(struct bucket_table *t, unsigned b, const struct pin_key *key, unsigned worker);
void bucket_unpin(struct bucket_table *t, unsigned b, const struct pin_key *key);
/** STEER_NOBODY: not pinned. */
unsigned bucket_pinned_to(struct bucket_table *t, unsigned b, const struct pin_key *key);

/* The steps of a move, see move.c. */

/** New frames are `to`'s, which holds them back; flows pinned to `from` go there, too. */
void bucket_move_begin(struct bucket_table *t, unsigned b, unsigned from, unsigned to);
/** Pins to `from` count again; true when there are any. */
bool bucket_move_detached(struct bucket_table *t, unsigned b, unsigned from);
/** The home has it now. */
void bucket_move_attached(struct bucket_table *t, unsigned b);
/** The new home leaves: the old one gets the frames again, and holds them back until all is as before. */
void bucket_move_turn(struct bucket_table *t, unsigned b, unsigned from);
/** All as before the move. */
void bucket_move_back(struct bucket_table *t, unsigned b, unsigned from);

#endif
