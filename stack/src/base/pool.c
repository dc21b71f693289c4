/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Object pool. Invariant: in_use <= allocated <= limit; every allocated object is in use or in the free
 * list. */
#include "base/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/poison.h"

struct pool_chunk {
    struct pool_chunk *next;
    size_t bytes;
    _Alignas(POOL_ALIGN) uint8_t mem[];
};

struct pool_free {
    struct pool_free *next;
};

void pool_init(struct pool *p, size_t obj_bytes, size_t objs_per_chunk, size_t limit)
{
    memset(p, 0, sizeof(*p));
    if (obj_bytes < sizeof(struct pool_free))
        obj_bytes = sizeof(struct pool_free);
    p->obj_bytes = (obj_bytes + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
    p->objs_per_chunk = objs_per_chunk;
    p->limit = limit;
}

void pool_fini(struct pool *p)
{
    while (p->chunks) {
        struct pool_chunk *c = p->chunks;

        p->chunks = c->next;
        ASAN_UNPOISON_MEMORY_REGION(c->mem, c->bytes);
        free(c);
    }
    p->free = NULL;
    p->allocated = p->in_use = 0;
}

static void pool_push(struct pool *p, void *obj)
{
    struct pool_free *f = obj;

    f->next = p->free;
    p->free = f;
    ASAN_POISON_MEMORY_REGION(obj, p->obj_bytes);
}

static void pool_grow(struct pool *p)
{
    size_t n = p->objs_per_chunk;
    struct pool_chunk *c;

    if (n > p->limit - p->allocated)
        n = p->limit - p->allocated;
    if (n == 0 || n > (SIZE_MAX - sizeof(*c)) / p->obj_bytes)
        return;
    c = malloc(sizeof(*c) + n * p->obj_bytes);
    if (!c)
        return;
    c->bytes = n * p->obj_bytes;
    c->next = p->chunks;
    p->chunks = c;
    p->allocated += n;
    while (n--) /* backwards, so that objects are handed out by rising address */
        pool_push(p, c->mem + n * p->obj_bytes);
}

void *pool_get(struct pool *p)
{
    struct pool_free *f;

    if (!p->free)
        pool_grow(p);
    f = p->free;
    if (!f)
        return NULL;
    ASAN_UNPOISON_MEMORY_REGION(f, p->obj_bytes);
    p->free = f->next;
    p->in_use++;
    return memset(f, 0, p->obj_bytes);
}

void pool_put(struct pool *p, void *obj)
{
    if (!obj)
        return;
    p->in_use--;
    pool_push(p, obj);
}
