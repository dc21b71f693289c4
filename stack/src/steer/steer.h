/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Distribution of received frames to workers, in software: flow hash -> bucket -> worker, with a ring to
 * every worker. Pure data path: no clock, no threads of its own, no interface; whoever drains a queue calls
 * in. Invariants: the frames of a flow reach one worker, in the order of their arrival, also while a bucket
 * moves; a full ring drops and counts, nothing waits for a slow worker; one thread at a time distributes a
 * queue (between steer_rx_enter() and steer_rx_leave()), one thread uses a worker index. */
#ifndef STEER_STEER_H
#define STEER_STEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pkt.h"
#include "base/siphash.h"
#include "base/status.h"
#include "wire/ipv4.h"

#define STEER_MAX_WORKERS 64u
#define STEER_MAX_QUEUES 64u
#define STEER_BUCKETS \
    512u /**< entries of the indirection table; the bucket of a flow is hash % STEER_BUCKETS */
#define STEER_NOBODY UINT32_MAX /**< a distributor that is no worker */

enum steer_design {
    STEER_DIRECT, /**< the device distributes: a worker has the flows of its own queue */
    STEER_SHARED, /**< whichever worker finds a queue free drains it for all */
    STEER_1KB,    /**< one core receives for all workers and transmits for them */
    STEER_2KB,    /**< one core receives, another one transmits */
};

struct steer;

struct steer_params {
    enum steer_design design; /**< DIRECT: flows belong to queue % num_workers, else to the table's worker */
    unsigned num_workers;     /**< 1 .. STEER_MAX_WORKERS */
    unsigned num_queues;      /**< 1 .. STEER_MAX_QUEUES */
    unsigned ring_frames;     /**< length of each ring, rounded up to a power of two */
    unsigned park_frames;     /**< frames that a worker may hold back while buckets move to it */
    uint16_t ephemeral_first, ephemeral_last; /**< DIRECT: shared out among the workers in equal ranges */
    uint8_t pins_key[SIPHASH_KEY_LEN];        /**< secret of the tables of pinned flows */
};

/** One end-to-end flow as its owner sees it; ports 0 for what has none. */
struct steer_flow {
    uint8_t proto; /**< IP_PROTO_TCP, IP_PROTO_UDP, ... */
    ipv4_addr_t local, peer;
    uint16_t local_port, peer_port;
};

/** A set of buckets. */
struct steer_buckets {
    uint64_t bits[STEER_BUCKETS / 64];
};
static inline bool steer_buckets_has(const struct steer_buckets *set, unsigned bucket)
{
    return set->bits[bucket / 64] >> (bucket % 64) & 1;
}

/** What a worker must be able to do for buckets to move. Called by steer_moves(), in the worker's own thread.
 */
struct steer_ops {
    /** Every frame of these buckets that was given to this worker has been processed. Detaches what can live
     * at worker `to` and returns it (NULL: nothing), unpinning what was pinned here; pins with steer_pin()
     * the flows that stay. */
    void *(*detach)(void *ctx, const struct steer_buckets *set, unsigned to);
    /** Takes over what another worker's detach has returned; or its own, when the other one leaves. */
    void (*attach)(void *ctx, void *cargo);
    /** Whether all frames that the worker has sent before detach() returned have left, so that none of the
     * other worker overtakes them. *mark is 0 at first, and kept until it says true. NULL: they always have.
     */
    bool (*sent_all)(void *ctx, uint64_t *mark);
};

enum status steer_create(const struct steer_params *params, struct steer **out);
/** Every worker has left. Frees the frames that still wait. */
void steer_destroy(struct steer *s);
enum steer_design steer_design_of(const struct steer *s);

/** A worker starts. Until it does, and after it has left, another one stands in for it. ops may be NULL: then
 * no bucket moves from or to the worker. */
void steer_join(struct steer *s, unsigned worker, const struct steer_ops *ops, void *ctx);
/** No bucket comes to the worker any more: those on the way, and their cargo, go back to where they were. By
 * the worker's own thread, which goes on with its rounds. True when no move waits for it: now it may leave.
 */
bool steer_leave_begin(struct steer *s, unsigned worker);
/** Frames that still wait for the worker go to those who have its flows now. */
void steer_leave(struct steer *s, unsigned worker);

/* ---- receiving ---- */

/** Takes the queue; false when somebody else has it. Never waits. */
bool steer_rx_enter(struct steer *s, unsigned queue);
/** Sorts n frames in order of their arrival: those of worker `self` stay, moved to the front of frames[], and
 * their number is returned; the others go to their rings, a burst at once, or are dropped when a ring is
 * full. When frames of an earlier distributor still wait in self's ring, its own go behind them and 0 is
 * returned. Sets pkt->hash. Frames without a flow (ARP) are self's (with STEER_NOBODY: the first worker's
 * that is there). */
unsigned steer_distribute(struct steer *s, unsigned queue, unsigned self, struct pkt **frames, unsigned n);
void steer_rx_leave(struct steer *s, unsigned queue);
/** Up to n frames that wait for the worker, in order. */
unsigned steer_take(struct steer *s, unsigned worker, struct pkt **frames, unsigned n);
/** Hands one frame (from its Ethernet header on) to another worker: for what arrives at the wrong one, like a
 * datagram put together from fragments. Takes the frame in every case; false: the ring was full, dropped. It
 * comes out of steer_take() there, or goes on from there when its flow has moved meanwhile. Sets pkt->hash.
 */
bool steer_give(struct steer *s, unsigned from, unsigned to, struct pkt *frame);
/** Frames that wait for the worker in all its rings: a hint. */
unsigned steer_waiting(const struct steer *s, unsigned worker);

/* ---- whose flow ---- */

/** Whether the flow's frames reach this worker without a pin, and no other worker has the flow or may begin
 * it: asked for each new connection, and by an active open that looks for a port. DIRECT knows not how the
 * device spreads: a port of the ephemeral range belongs to its worker, any other port to the asker only when
 * every worker holds it. */
bool steer_owns(struct steer *s, unsigned worker, const struct steer_flow *flow);
/** Where a frame of the flow goes now, pins included; opening: a SYN without ACK, or a datagram. STEER_NOBODY
 * when only the device knows (DIRECT). */
unsigned steer_target(struct steer *s, const struct steer_flow *flow, bool opening);
/** The flow's frames go to `worker` although its bucket belongs to another one, until steer_unpin(). Any
 * worker's thread. ST_NO_MEMORY; ST_ADDRESS_IN_USE: another worker has the flow already. */
enum status steer_pin(struct steer *s, const struct steer_flow *flow, unsigned worker);
void steer_unpin(struct steer *s, const struct steer_flow *flow);

/** The worker has something bound to the port (a listener, a datagram socket), counted: opening segments of
 * TCP and all datagrams of the port go to their bucket's worker if that one holds it, else to one that does.
 * After a listener's begin the worker pins for a while what it opens, see grace.c. By its own thread. */
void steer_port_hold(struct steer *s, uint8_t proto, uint16_t port, unsigned worker);
void steer_port_release(struct steer *s, uint8_t proto, uint16_t port, unsigned worker);
/** Bit w: worker w holds the port. */
uint64_t steer_port_holders(const struct steer *s, uint8_t proto, uint16_t port);

/* ---- moving buckets ---- */

/** Asks for a bucket to move; carried out by its present worker in steer_moves(). False: it is moving
 * already, is `to`'s already, or one of both is not there or cannot. Pinned flows stay where they are pinned,
 * wherever that is; only detach() at the source may unpin some and let them go along. Any thread. */
bool steer_move(struct steer *s, unsigned bucket, unsigned to);
/** Called by each worker once a round, when it has processed all it took and is inside a call in which
 * connections may change hands: carries on with moves from and to it. One relaxed load when there are none.
 */
void steer_moves(struct steer *s, unsigned worker);
unsigned steer_bucket_worker(const struct steer *s, unsigned bucket);

/** What the worker did since it started; the balancer works on the differences. Any time, by its own thread.
 */
void steer_report(struct steer *s, unsigned worker, uint64_t busy_cycles, uint64_t frames);
/** Looks at the loads, at most every STEER_BALANCE_US, whoever calls first, and asks for moves when some
 * worker carries clearly more than the others; returns how many. See balance.h. */
#define STEER_BALANCE_US 20000u
unsigned steer_balance(struct steer *s, uint64_t now_us);

/* ---- what is to be seen ---- */

/** Of one worker. */
struct steer_counters {
    uint64_t frames;                  /**< frames given to it */
    uint64_t drop_ring_full;          /**< frames for it dropped because its ring was full */
    uint64_t drop_park_full;          /**< frames of a moving bucket dropped because it held back too many */
    uint64_t parked;                  /**< frames held back while their bucket moved */
    uint64_t buckets_in, buckets_out; /**< moves completed */
    uint32_t buckets;                 /**< buckets it has now */
    uint32_t ring_most; /**< highest occupancy of a ring of its own that a distributor has seen */
};
void steer_get_counters(const struct steer *s, unsigned worker, struct steer_counters *out);
/** Frames dropped because no worker at all was there. */
uint64_t steer_dropped_absent(const struct steer *s);

#endif
