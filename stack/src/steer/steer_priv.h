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

/** What somebody waits for, see grace.c. */
struct steer_wait {
    uint64_t awaited[STEER_MAX_QUEUES];     /**< lock word of a queue to be passed on; even: passed */
    uint32_t queue_heads[STEER_MAX_QUEUES]; /**< to be reached by the tails */
    uint32_t worker_heads[STEER_MAX_WORKERS];
    uint64_t worker_lanes; /**< bit w: worker_heads[w] is to be reached */
};

/** Of a worker that has begun to listen: it waits for each of the others in turn. */
struct settling {
    unsigned step; /**< 0: it is over */
    unsigned other;
    uint32_t hands;
    struct steer_wait wait;
};

/** Buckets on the way from one worker to another. Fields belong to whoever the phase belongs to. */
struct steer_batch {
    _Atomic uint32_t phase; /**< enum move_phase */
    _Atomic uint32_t to;    /**< changes only while idle */
    struct steer_buckets set;
    struct steer_buckets stays; /**< of these some flow is pinned to the source */
    bool any_stays;
    atomic_bool refused; /**< the destination leaves: all stays at the source. Set under moves_lock */
    void *cargo;
    uint64_t sent_mark; /**< of the source's sent_all() */
    struct steer_wait wait;
    uint32_t return_head; /**< of the lane from the destination to the source */
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
    struct steer_buckets refused; /**< as a worker that leaves: what still comes of them is handed on */
    bool some_open;               /**< frames held back may come out now */
    unsigned next_lane;           /**< where steer_take() begins */
    const struct steer_ops *ops;
    void *ctx;
    _Atomic uint64_t kept, parked, drop_park_full; /**< counters of its own thread */
    _Atomic uint64_t busy_cycles, reported_frames;
    _Atomic uint64_t buckets_in, buckets_out; /**< under moves_lock, read by anybody */
    struct steer_batch batch;                 /**< from this worker; one at a time */
    struct settling settling;

    /* shared */
    _Atomic uint32_t hands; /**< odd: it may have frames that it has taken and not processed; of its thread */
    alignas(64) _Atomic uint32_t moving;            /**< why to look: requests, batches, leaving, settling */
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

#define for_each_bucket(b, set)                  \
    for (unsigned b = 0; b < STEER_BUCKETS; b++) \
        if (steer_buckets_has(set, b))

static inline void batch_set_phase(struct steer_batch *m, enum move_phase phase)
{
    atomic_store_explicit(&m->phase, phase, memory_order_release);
}
static inline enum move_phase batch_phase(const struct steer_batch *m)
{
    return atomic_load_explicit(&m->phase, memory_order_acquire);
}
static inline unsigned batch_to(const struct steer_batch *m)
{
    return atomic_load_explicit(&m->to, memory_order_relaxed);
}
/** Somebody has refused it: what was done before that is visible. */
static inline bool batch_is_refused(const struct steer_batch *m)
{
    return atomic_load_explicit(&m->refused, memory_order_acquire);
}
/** Whether it is the destination that carries it on now. */
static inline bool phase_is_inward(enum move_phase phase)
{
    return phase >= MOVE_ATTACH && phase <= MOVE_FLUSH;
}
static inline void moving_add(struct steer *s, unsigned worker, int n)
{
    atomic_fetch_add_explicit(&s->worker[worker].moving, (uint32_t)n, memory_order_relaxed);
}

/* grace.c */

/** The caller need not be the consumer: what that one did before it took the frames is visible. */
static inline bool lane_reached(const struct lane *l, uint32_t head)
{
    return (int32_t)(atomic_load_explicit(&l->tail, memory_order_acquire) - head) >= 0;
}
/** All frames that distributors send by an older table than now: entered, when grace is over. */
void grace_begin(struct steer *s, struct steer_wait *wait);
bool grace_is_over(struct steer *s, struct steer_wait *wait);
/** All frames that the worker's lanes hold now: taken, when that is over. */
void drain_begin(struct steer *s, struct steer_wait *wait, unsigned worker);
bool drain_is_over(struct steer *s, const struct steer_wait *wait, unsigned worker);

/** Before the frames' tail, or the queue's lock, is released: who sees that sees this. */
static inline void hands_are_full(struct steer_worker *w)
{
    uint32_t hands = atomic_load_explicit(&w->hands, memory_order_relaxed);

    if ((hands & 1) == 0)
        atomic_store_explicit(&w->hands, hands + 1, memory_order_relaxed);
}
static inline void hands_are_empty(struct steer_worker *w)
{
    uint32_t hands = atomic_load_explicit(&w->hands, memory_order_relaxed);

    if (hands & 1)
        atomic_store_explicit(&w->hands, hands + 1, memory_order_release);
}
static inline uint32_t hands_of(const struct steer_worker *w)
{
    return atomic_load_explicit(&w->hands, memory_order_acquire);
}

/** By the worker's own thread: others may still have opening segments of flows that are its from now on. */
void settle_begin(struct steer *s, unsigned worker);
void settle_go_on(struct steer *s, unsigned worker);
void settle_end(struct steer *s, unsigned worker);
bool is_settling(const struct steer *s, unsigned worker);

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
/** Hands on what was held back of buckets that have been refused. */
void hold_pass_on(struct steer *s, unsigned self);
/** The frame to whoever has its flow now. False: that is this worker, or nobody; the frame is the caller's.
 */
bool hold_hand_on(struct steer *s, unsigned self, struct pkt *frame);
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
/** moves_lock is held. */
void move_drop_requests(struct steer *s, unsigned worker);

#endif
