/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objects of one size, taken from chunks that are allocated as needed and freed together: no malloc per
 * object, a hard limit. One thread. Under AddressSanitizer free objects are poisoned. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/status.h"

struct pool_chunk;
struct pool_free;

struct pool {
    size_t obj_bytes;      /**< rounded up to POOL_ALIGN */
    size_t objs_per_chunk; /**< how many objects one allocation brings */
    size_t limit;          /**< objects at most */
    size_t allocated;      /**< objects in all chunks */
    size_t in_use;
    struct pool_chunk *chunks;
    struct pool_free *free;
};

#define POOL_ALIGN 16u

/** limit and objs_per_chunk > 0. Allocates nothing yet. */
void pool_init(struct pool *p, size_t obj_bytes, size_t objs_per_chunk, size_t limit);
/** Frees all memory, objects in use included. */
void pool_fini(struct pool *p);
/** A cleared object, NULL at the limit or when memory is out. */
void *pool_get(struct pool *p);
/** Gives an object back; NULL is allowed. */
void pool_put(struct pool *p, void *obj);

#endif
