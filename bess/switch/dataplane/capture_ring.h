/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of records of any size: one producer at a time, one consumer, no lock between them. A record is in
 * one piece; one that does not fit before the end begins anew at the start.
 */
#ifndef DP_CAPTURE_RING_H
#define DP_CAPTURE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_ring {
    uint64_t head; /* bytes ever written; the producer's */
    uint64_t tail; /* bytes ever read; the consumer's */
    uint64_t size; /* a power of two */
    uint8_t *bytes;
};

/* -ENOMEM. `size` is a power of two. */
int capture_ring_init(struct capture_ring *r, uint64_t size);
void capture_ring_free(struct capture_ring *r);

/* Room for a record, aligned to 8; NULL when the ring is full. It is seen by the consumer after the commit.
 */
void *capture_ring_reserve(struct capture_ring *r, uint32_t len);
void capture_ring_commit(struct capture_ring *r);

/* The oldest record, NULL when there is none; stays until capture_ring_release(). */
const void *capture_ring_peek(struct capture_ring *r);
void capture_ring_release(struct capture_ring *r);

#endif
