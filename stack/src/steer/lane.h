/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ring of frames with one producer and one consumer at a time, filled in bursts: frames are staged in their
 * slots first, and become visible together with one store. The producer sees the consumer's progress only
 * when it seems out of room, so that in the steady state the two share no written cache line but the slots.
 * Invariant: tail <= head <= staged <= tail + size (modulo 2^32). head, staged and the counters are written
 * by the producer, tail by the consumer. Who produces may change hands under a lock. */
#ifndef STEER_LANE_H
#define STEER_LANE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/pkt.h"

struct lane {
    alignas(64) _Atomic uint32_t head; /**< frames ever made visible */
    uint32_t staged;                   /**< frames ever put in */
    uint32_t tail_seen;                /**< the consumer's progress when last looked at */
    _Atomic uint32_t most;             /**< highest occupancy seen */
    _Atomic uint64_t frames;           /**< frames ever made visible, not modulo */
    _Atomic uint64_t drops;            /**< frames that found no room */
    alignas(64) _Atomic uint32_t tail; /**< frames ever taken */
    alignas(64) uint32_t size;         /**< a power of two */
    struct pkt *slot[];
};

/** size is rounded up to a power of two; NULL when memory is out. Free with free(). */
struct lane *lane_create(uint32_t size);

/** A counter of one writer that others read. */
#define lane_count_add(counter, n)                                                            \
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + (n), \
                          memory_order_relaxed)

/** Producer: false when there is no room (counted). Not visible before lane_publish(). */
static inline bool lane_stage(struct lane *l, struct pkt *frame)
{
    if (l->staged - l->tail_seen >= l->size) {
        l->tail_seen = atomic_load_explicit(&l->tail, memory_order_acquire);
        if (l->staged - l->tail_seen >= l->size) {
            lane_count_add(&l->drops, 1);
            return false;
        }
    }
    l->slot[l->staged++ & (l->size - 1)] = frame;
    return true;
}

static inline void lane_publish(struct lane *l)
{
    uint32_t fresh = l->staged - atomic_load_explicit(&l->head, memory_order_relaxed);

    lane_count_add(&l->frames, fresh);
    if (l->staged - l->tail_seen > atomic_load_explicit(&l->most, memory_order_relaxed)) {
        l->tail_seen = atomic_load_explicit(&l->tail, memory_order_acquire);
        if (l->staged - l->tail_seen > atomic_load_explicit(&l->most, memory_order_relaxed))
            atomic_store_explicit(&l->most, l->staged - l->tail_seen, memory_order_relaxed);
    }
    atomic_store_explicit(&l->head, l->staged, memory_order_release);
}

/** Consumer: up to n frames. */
static inline unsigned lane_take(struct lane *l, struct pkt **frames, unsigned n)
{
    uint32_t tail = atomic_load_explicit(&l->tail, memory_order_relaxed);
    uint32_t waiting = atomic_load_explicit(&l->head, memory_order_acquire) - tail;

    if (n > waiting)
        n = waiting;
    if (n == 0)
        return 0;
    for (unsigned i = 0; i < n; i++)
        frames[i] = l->slot[(tail + i) & (l->size - 1)];
    atomic_store_explicit(&l->tail, tail + n, memory_order_release);
    return n;
}

/** Consumer that is the producer, too: whether a frame waits, visible or not. */
static inline bool lane_is_empty(const struct lane *l)
{
    return l->staged == atomic_load_explicit(&l->tail, memory_order_relaxed);
}

/** Anybody: a hint. */
static inline unsigned lane_waiting(const struct lane *l)
{
    uint32_t tail = atomic_load_explicit(&l->tail, memory_order_relaxed);
    uint32_t n = atomic_load_explicit(&l->head, memory_order_relaxed) - tail;

    return n <= l->size ? n : 0;
}

/** Frees what waits; nobody else uses the lane. */
static inline void lane_drain(struct lane *l)
{
    struct pkt *frame;

    while (lane_take(l, &frame, 1))
        pkt_free(frame);
}

#endif
