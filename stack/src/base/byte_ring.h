/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A queue of bytes in a power-of-two ring: the buffer of a stream in one direction. The memory is taken at
 * the first write, doubles as needed up to a limit, and can be given back while the ring is empty. Bytes are
 * named by their offset from the oldest one. Writing beyond the end leaves a hole that the caller fills later
 * (TCP data out of order); byte_ring_extend() then makes the bytes part of the queue. One thread. Invariant:
 * len <= limit; memory is 0 or a power of two. */
#ifndef BASE_BYTE_RING_H
#define BASE_BYTE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** First memories that rings have given back, for the next ones: connections that come and go cost no malloc.
 * All zeros is an empty one. */
struct byte_ring_cache {
    void *first;
    unsigned count;
};

struct byte_ring {
    uint8_t *mem;
    size_t size;                   /**< bytes of memory: 0 or a power of two */
    size_t limit;                  /**< bytes of memory at most, a power of two */
    size_t head;                   /**< index of the oldest byte, not yet masked */
    size_t len;                    /**< bytes queued */
    size_t claim;                  /**< bytes behind the end that the writer may fill in place */
    struct byte_ring_cache *cache; /**< of the thread that uses the ring, or NULL */
};

struct byte_span {
    const uint8_t *data;
    size_t len;
};

/** limit is rounded up to a power of two (at least BYTE_RING_MIN). Allocates nothing. */
void byte_ring_init(struct byte_ring *r, size_t limit);
void byte_ring_fini(struct byte_ring *r);
/** Frees what the cache holds. */
void byte_ring_cache_fini(struct byte_ring_cache *cache);
#define BYTE_RING_MIN 64u

/** Bytes that can still be appended, memory permitting. */
static inline size_t byte_ring_room(const struct byte_ring *r)
{
    return r->limit - r->len;
}

/** Makes the memory reach at once for `bytes` from the oldest one on, as far as limit and allocator allow. */
void byte_ring_reserve(struct byte_ring *r, size_t bytes);
/** Appends up to len bytes; returns how many (fewer when the ring is full or memory is out). */
size_t byte_ring_write(struct byte_ring *r, const void *data, size_t len);
/** Stores up to len bytes at an offset, also beyond the end, without making the queue longer; returns how
 * many fitted below the limit. */
size_t byte_ring_write_at(struct byte_ring *r, size_t offset, const void *data, size_t len);
/** Makes n bytes behind the end, stored before by byte_ring_write_at(), part of the queue. They must lie
 * within the memory; more is cut. Returns by how much the queue grew. */
size_t byte_ring_extend(struct byte_ring *r, size_t n);

/** The place of up to len bytes behind the end as at most two pieces, for the writer to fill; returns how
 * many pieces. Valid until the next call that writes, claims or releases. */
unsigned byte_ring_claim(struct byte_ring *r, size_t len, struct byte_span out[2]);
/** Makes the first n bytes of the last claim part of the queue and ends the claim. False: n is more than that
 * (or something was written meanwhile), and nothing happens. */
bool byte_ring_commit(struct byte_ring *r, size_t n);

/** Up to len queued bytes from offset as at most two pieces; returns how many pieces. Valid until the next
 * write. */
unsigned byte_ring_peek(const struct byte_ring *r, size_t offset, size_t len, struct byte_span out[2]);
/** Copies up to len queued bytes from offset; returns how many. */
size_t byte_ring_copy(const struct byte_ring *r, size_t offset, void *buf, size_t len);
/** Drops up to n of the oldest bytes; returns how many. */
size_t byte_ring_consume(struct byte_ring *r, size_t n);
/** When nothing is queued: the next bytes go to the begin of the memory, which the CPU's cache still has. The
 * caller must not have stored bytes behind the end. */
static inline void byte_ring_rewind(struct byte_ring *r)
{
    if (r->len == 0 && r->claim == 0)
        r->head = 0;
}
/** Gives the memory back when nothing is queued. The caller must not have stored bytes behind the end. */
void byte_ring_release(struct byte_ring *r);
/** Raises the limit (never lowers it). */
void byte_ring_raise_limit(struct byte_ring *r, size_t limit);

#endif
