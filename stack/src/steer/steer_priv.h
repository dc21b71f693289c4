/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The insides of struct steer, for this folder. What each thread writes alone stands together; what threads
 * share is atomic, or under the lock named with it. */
#ifndef STEER_STEER_PRIV_H
#define STEER_STEER_PRIV_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "steer/balance.h"
#include "steer/bucket.h"
#include "steer/classify.h"
#include "steer/flow_hash.h"
#include "steer/lane.h"
#include "steer/ports.h"
#include "steer/steer.h"

#define STEER_BURST 64u /**< frames sorted at a time */
#define NOBODY_U8 0xffu

/** One receive queue. Everything but the lock belongs to whoever holds it. */
struct steer_queue {
    alignas(64) _Atomic uint64_t lock; /**< even: free; changes by one at each enter and leave */
    alignas(64) struct lane *lane[STEER_MAX_WORKERS];
    _Atomic uint32_t bucket_frames[STEER_BUCKETS]; /**< one writer, the balancer reads */
};

/** Who carries a move on, and what for. See move.c. */
enum move_phase {
    MOVE_IDLE,
    MOVE_GRACE,        /**< source: distributors may still use the old entry */
    MOVE_DRAIN,        /**< source: its lanes still hold frames of the buckets */
    MOVE_SENT,         /**< source: what it sent of the flows has yet to leave */
    MOVE_ATTACH,       /**< destination: takes the cargo over */
    MOVE_RELAY_GRACE,  /**< destination: distributors may not see the pins yet */
    MOVE_RELAY_DRAIN,  /**< destination: its lanes still hold frames of flows that stay at the source */
    MOVE_FLUSH,        /**< destination: what it held back comes out */
    MOVE_RETURN,       /**< source: takes what the destination has handed on */
    MOVE_RETURN_FLUSH, /**< source: what it held back comes out */
};

/** Buckets on the way from one worker to another. Fields belong to whoever the phase belongs to. */
struct steer_batch {
    _Atomic uint32_t phase; /**< enum move_phase */
    _Atomic uint32_t to;    /**< changes only while idle */
    struct steer_buckets set;
    struct steer_buckets stays; /**< of these some flow is pinned to the source */
    bool any_stays;
    void *cargo;
    uint64_t sent_mark;                     /**< of the source's sent_all() */
    uint64_t awaited[STEER_MAX_QUEUES];     /**< lock word of a queue to be passed on; even: passed */
    uint32_t queue_heads[STEER_MAX_QUEUES]; /**< to be reached by the tails */
    uint32_t worker_heads[STEER_MAX_WORKERS];
    uint64_t worker_lanes; /**< bit w: worker_heads[w] is to be reached */
    uint32_t return_head;  /**< of the lane from the destination to the source */
};

struct steer_worker {
    /* of its own thread */
    alignas(64) struct pkt *held_first;
    struct pkt **held_end;
    uint32_t held;                        /**< frames held back */
    uint16_t held_of[STEER_BUCKETS];      /**< per bucket */
    struct steer_buckets returning;       /**< as the source: direct frames wait for those handed on */
    struct steer_buckets relaying;        /**< as the destination: frames of pinned flows are handed on */
    unsigned num_returning, num_relaying; /**< buckets in them */
    bool some_open;                       /**< frames held back may come out now */
    unsigned next_lane;                   /**< where steer_take() begins */
    const struct steer_ops *ops;
    void *ctx;
    _Atomic uint64_t kept, parked, drop_park_full; /**< counters of its own thread */
    _Atomic uint64_t busy_cycles, reported_frames;
    _Atomic uint64_t buckets_in, buckets_out; /**< under moves_lock, read by anybody */
    struct steer_batch batch;                 /**< from this worker; one at a time */

    /* shared */
    alignas(64) _Atomic uint32_t moving;            /**< requests and batches from it, batches to it */
    _Atomic uint64_t lane_from;                     /**< bit w: lane[w] is there */
    _Atomic(struct lane *) lane[STEER_MAX_WORKERS]; /**< from another worker */
    alignas(64) struct steer_buckets requested;     /**< under moves_lock: to move away from it */
    bool leaving, can_move;                         /**< under moves_lock */
};

struct steer {
    struct steer_params params;
    struct bucket_table table;
    struct ports ports;
    _Atomic uint64_t present;                    /**< bit w: the worker is there */
    _Atomic uint8_t stand_in[STEER_MAX_WORKERS]; /**< who has a worker's buckets now, NOBODY_U8 */
    _Atomic uint64_t drop_absent;
    unsigned ephemeral_share; /**< ports per worker (DIRECT) */

    pthread_mutex_t moves_lock; /**< begin and end of moves, coming and going of workers */
    bool busy[STEER_BUCKETS];   /**< asked to move, or moving; under moves_lock */
    uint8_t want[STEER_BUCKETS];

    pthread_mutex_t balance_lock;
    _Atomic uint64_t balance_next_us;
    struct balance *balance; /**< under balance_lock */

    struct steer_queue *queue;   /**< [num_queues] */
    struct steer_worker *worker; /**< [num_workers] */
};

static inline void steer_buckets_add(struct steer_buckets *set, unsigned b)
{
    set->bits[b / 64] |= UINT64_C(1) << (b % 64);
}
static inline void steer_buckets_del(struct steer_buckets *set, unsigned b)
{
    set->bits[b / 64] &= ~(UINT64_C(1) << (b % 64));
}

static inline bool steer_is_present(const struct steer *s, unsigned worker)
{
    return atomic_load_explicit(&s->present, memory_order_relaxed) >> worker & 1;
}
static inline unsigned steer_stand_in(const struct steer *s, unsigned worker)
{
    unsigned w = atomic_load_explicit(&s->stand_in[worker], memory_order_relaxed);

    return w == NOBODY_U8 ? STEER_NOBODY : w;
}

/* route.c */

/** Where a frame goes: pins, then holders of the port, then the home, or who stands in for it. entry: of its
 * bucket; home: the home worker's or the queue's stand-in. */
unsigned steer_route(struct steer *s, const struct flow_class *c, uint32_t entry, unsigned home);
/** The same without a queue: STEER_NOBODY when only the device knows. */
unsigned steer_route_anywhere(struct steer *s, const struct flow_class *c);

/* hold.c: frames held back; called by the worker's thread */

/** Whether to look at each frame that arrives at the worker. */
static inline bool hold_is_idle(const struct steer_worker *w)
{
    return atomic_load_explicit(&w->moving, memory_order_acquire) == 0 && w->held == 0;
}
/** True: the frame may be processed. False: it was held back, handed on, or dropped. given: another worker
 * handed it over. */
bool hold_admit(struct steer *s, unsigned self, struct pkt *frame, bool given);
/** Up to n frames held back whose time has come, in order. */
unsigned hold_take(struct steer *s, unsigned self, struct pkt **frames, unsigned n);
/** Hands on what was held back of flows that stay at another worker. */
void hold_relay(struct steer *s, unsigned self);
bool hold_has(const struct steer_worker *w, const struct steer_buckets *set);
void hold_drop_all(struct steer_worker *w);

/* distribute.c */

/** The frame to the lane between two workers, made visible; consumed in every case. */
bool steer_give_frame(struct steer *s, unsigned from, unsigned to, struct pkt *frame);

/* move.c */

/** The worker's own thread asks: the bucket is leaving it, but is still here. */
bool move_still_has(const struct steer *s, unsigned worker, unsigned bucket);
/** The worker is going: what is its turn is brought to an end. */
void move_abandon(struct steer *s, unsigned worker);
void move_drop_requests(struct steer *s, unsigned worker);
/** Whether a batch is on its way from or to the worker. moves_lock is held. */
bool move_is_under_way(const struct steer *s, unsigned worker);

#endif
