/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ring of pointers between one producing and one consuming thread: no lock, no wait. A full ring refuses, so
 * that the producer drops and counts; it never waits for a slow consumer. Invariant: head - tail <= size
 * (modulo 2^32); size is a power of two. head is written by the producer alone, tail by the consumer alone.
 */
#ifndef BASE_SPSC_RING_H
#define BASE_SPSC_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct spsc_ring {
    alignas(64) _Atomic uint32_t head; /**< slots ever filled */
    alignas(64) _Atomic uint32_t tail; /**< slots ever emptied */
    alignas(64) uint32_t size;
    void *slot[];
};

/** size is rounded up to a power of two; NULL when memory is out. Free with free(). */
static inline struct spsc_ring *spsc_ring_create(uint32_t size)
{
    uint32_t slots = 1;
    size_t bytes;
    struct spsc_ring *r;

    while (slots < size)
        slots <<= 1;
    bytes = (sizeof(*r) + slots * sizeof(void *) + 63) / 64 * 64;
    r = aligned_alloc(64, bytes);
    if (!r)
        return NULL;
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    r->size = slots;
    return r;
}

/** Producer: puts the first k of n and returns k. */
static inline unsigned spsc_ring_put(struct spsc_ring *r, void *const *items, unsigned n)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint32_t room = r->size - (head - atomic_load_explicit(&r->tail, memory_order_acquire));

    if (n > room)
        n = room;
    for (unsigned i = 0; i < n; i++)
        r->slot[(head + i) & (r->size - 1)] = items[i];
    atomic_store_explicit(&r->head, head + n, memory_order_release);
    return n;
}

/** Consumer: takes up to n. */
static inline unsigned spsc_ring_take(struct spsc_ring *r, void **items, unsigned n)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint32_t waiting = atomic_load_explicit(&r->head, memory_order_acquire) - tail;

    if (n > waiting)
        n = waiting;
    for (unsigned i = 0; i < n; i++)
        items[i] = r->slot[(tail + i) & (r->size - 1)];
    atomic_store_explicit(&r->tail, tail + n, memory_order_release);
    return n;
}

/** Consumer: looks at up to n and leaves them there. */
static inline unsigned spsc_ring_peek(struct spsc_ring *r, void **items, unsigned n)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint32_t waiting = atomic_load_explicit(&r->head, memory_order_acquire) - tail;

    if (n > waiting)
        n = waiting;
    for (unsigned i = 0; i < n; i++)
        items[i] = r->slot[(tail + i) & (r->size - 1)];
    return n;
}

/** Consumer: gives up the first n of what spsc_ring_peek() has shown. */
static inline void spsc_ring_skip(struct spsc_ring *r, unsigned n)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}

/** How many wait: exact for the consumer as to what it may take, a hint for others. */
static inline unsigned spsc_ring_count(struct spsc_ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

    return atomic_load_explicit(&r->head, memory_order_acquire) - tail;
}

#endif
