/* SPDX-License-Identifier: BSD-3-Clause */
/* See capture_ring.h. Before each record stands its length with the word itself; 0 means: go on at the start.
 */
#include "capture_ring.h"

#include <errno.h>
#include <stdlib.h>

#define WORD sizeof(uint64_t)

int capture_ring_init(struct capture_ring *r, uint64_t size)
{
    *r = (struct capture_ring){.size = size, .bytes = aligned_alloc(WORD, size)};
    return r->bytes == NULL ? -ENOMEM : 0;
}

void capture_ring_free(struct capture_ring *r)
{
    free(r->bytes);
    r->bytes = NULL;
}

static uint64_t *word_at(const struct capture_ring *r, uint64_t position)
{
    return (uint64_t *)&r->bytes[position & (r->size - 1)];
}

void *capture_ring_reserve(struct capture_ring *r, uint32_t len)
{
    uint64_t whole = WORD + ((len + WORD - 1) & ~(WORD - 1));
    uint64_t free = r->size - (r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE));
    uint64_t to_end = r->size - (r->head & (r->size - 1));

    if (whole > to_end) {
        if (free < to_end + whole)
            return NULL;
        *word_at(r, r->head) = 0;
        __atomic_store_n(&r->head, r->head + to_end, __ATOMIC_RELEASE);
    } else if (free < whole) {
        return NULL;
    }
    *word_at(r, r->head) = whole;
    return word_at(r, r->head) + 1;
}

void capture_ring_commit(struct capture_ring *r)
{
    __atomic_store_n(&r->head, r->head + *word_at(r, r->head), __ATOMIC_RELEASE);
}

const void *capture_ring_peek(struct capture_ring *r)
{
    while (r->tail != __atomic_load_n(&r->head, __ATOMIC_ACQUIRE)) {
        uint64_t *word = word_at(r, r->tail);

        if (*word != 0)
            return word + 1;
        __atomic_store_n(&r->tail, r->tail + r->size - (r->tail & (r->size - 1)), __ATOMIC_RELEASE);
    }
    return NULL;
}

void capture_ring_release(struct capture_ring *r)
{
    __atomic_store_n(&r->tail, r->tail + *word_at(r, r->tail), __ATOMIC_RELEASE);
}
