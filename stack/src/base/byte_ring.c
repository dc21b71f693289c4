/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Byte ring. Growing moves the whole old memory, because bytes behind the end may be stored already. */
#include "base/byte_ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/minmax.h"
#include "base/poison.h"

#define FIRST_BYTES 1024u  /* the first allocation, when the limit allows */
#define CACHE_BLOCKS 1024u /* kept in a cache at most */

static size_t round_up_pow2(size_t n)
{
    if (n <= BYTE_RING_MIN)
        return BYTE_RING_MIN;
    if (n > SIZE_MAX / 4)
        n = SIZE_MAX / 4;
    return (size_t)1 << (64 - __builtin_clzll(n - 1));
}

static void *mem_get(struct byte_ring_cache *cache, size_t size)
{
    void *mem;

    if (size != FIRST_BYTES || !cache || !cache->first)
        return malloc(size);
    mem = cache->first;
    ASAN_UNPOISON_MEMORY_REGION(mem, FIRST_BYTES);
    memcpy(&cache->first, mem, sizeof(void *));
    cache->count--;
    return mem;
}

static void mem_put(struct byte_ring_cache *cache, void *mem, size_t size)
{
    if (size != FIRST_BYTES || !cache || cache->count >= CACHE_BLOCKS) {
        free(mem);
        return;
    }
    memcpy(mem, &cache->first, sizeof(void *));
    cache->first = mem;
    cache->count++;
    ASAN_POISON_MEMORY_REGION(mem, FIRST_BYTES);
}

void byte_ring_cache_fini(struct byte_ring_cache *cache)
{
    while (cache->first)
        free(mem_get(cache, FIRST_BYTES));
}

void byte_ring_init(struct byte_ring *r, size_t limit)
{
    memset(r, 0, sizeof(*r));
    r->limit = round_up_pow2(limit);
}

void byte_ring_fini(struct byte_ring *r)
{
    if (r->mem)
        mem_put(r->cache, r->mem, r->size);
    r->mem = NULL;
    r->size = r->head = r->len = r->claim = 0;
}

void byte_ring_raise_limit(struct byte_ring *r, size_t limit)
{
    limit = round_up_pow2(limit);
    if (limit > r->limit)
        r->limit = limit;
}

/* Pieces of memory that hold `len` bytes from the offset; len must not exceed size. */
static unsigned ring_spans(const struct byte_ring *r, size_t offset, size_t len, struct byte_span out[2])
{
    size_t at, first;

    if (len == 0)
        return 0;
    at = (r->head + offset) & (r->size - 1);
    first = min_size(len, r->size - at);
    out[0] = (struct byte_span){r->mem + at, first};
    if (first == len)
        return 1;
    out[1] = (struct byte_span){r->mem, len - first};
    return 2;
}

/* Makes the memory reach up to `need` bytes, as far as the limit and the allocator allow. */
static void ring_grow(struct byte_ring *r, size_t need)
{
    struct byte_span old[2] = {{NULL, 0}, {NULL, 0}};
    size_t size = r->size ? r->size : min_size(FIRST_BYTES, r->limit);
    uint8_t *mem;

    while (size < need && size < r->limit)
        size <<= 1;
    if (size <= r->size)
        return;
    mem = mem_get(r->cache, size);
    if (!mem)
        return;
    if (ring_spans(r, 0, r->size, old))
        memcpy(mem, old[0].data, old[0].len);
    if (old[1].len)
        memcpy(mem + old[0].len, old[1].data, old[1].len);
    if (r->mem)
        mem_put(r->cache, r->mem, r->size);
    r->mem = mem;
    r->size = size;
    r->head = 0;
    r->claim = 0;
}

void byte_ring_reserve(struct byte_ring *r, size_t bytes)
{
    if (bytes > r->size && r->size < r->limit)
        ring_grow(r, bytes);
}

/* Whether len > 0 bytes from the offset are in the memory in one piece, which then begins at *at. */
static inline bool ring_plain(const struct byte_ring *r, size_t offset, size_t len, uint8_t **at)
{
    size_t first = (r->head + offset) & (r->size - 1);

    if (offset >= r->size || len - 1 >= r->size - offset || len > r->size - first)
        return false;
    *at = r->mem + first;
    return true;
}

static size_t write_in_pieces(struct byte_ring *r, size_t offset, const void *data, size_t len)
{
    struct byte_span to[2];
    unsigned n;

    if (offset >= r->limit || len == 0)
        return 0;
    len = min_size(len, r->limit - offset);
    if (offset + len > r->size)
        ring_grow(r, offset + len);
    if (offset >= r->size)
        return 0;
    len = min_size(len, r->size - offset);
    n = ring_spans(r, offset, len, to);
    for (unsigned i = 0; i < n; i++) {
        memcpy((uint8_t *)to[i].data, data, to[i].len);
        data = (const uint8_t *)data + to[i].len;
    }
    return len;
}

size_t byte_ring_write_at(struct byte_ring *r, size_t offset, const void *data, size_t len)
{
    uint8_t *to;

    if (!ring_plain(r, offset, len, &to))
        return write_in_pieces(r, offset, data, len);
    memcpy(to, data, len);
    return len;
}

size_t byte_ring_extend(struct byte_ring *r, size_t n)
{
    n = min_size(n, r->size - r->len);
    r->len += n;
    return n;
}

size_t byte_ring_write(struct byte_ring *r, const void *data, size_t len)
{
    uint8_t *to;

    r->claim = 0;
    if (!ring_plain(r, r->len, len, &to))
        return byte_ring_extend(r, write_in_pieces(r, r->len, data, len));
    memcpy(to, data, len);
    r->len += len;
    return len;
}

unsigned byte_ring_claim(struct byte_ring *r, size_t len, struct byte_span out[2])
{
    len = min_size(len, byte_ring_room(r));
    byte_ring_reserve(r, r->len + len);
    r->claim = min_size(len, r->size - r->len);
    return ring_spans(r, r->len, r->claim, out);
}

bool byte_ring_commit(struct byte_ring *r, size_t n)
{
    if (n > r->claim)
        return false;
    r->claim = 0;
    r->len += n;
    return true;
}

unsigned byte_ring_peek(const struct byte_ring *r, size_t offset, size_t len, struct byte_span out[2])
{
    if (offset >= r->len)
        return 0;
    return ring_spans(r, offset, min_size(len, r->len - offset), out);
}

size_t byte_ring_copy(const struct byte_ring *r, size_t offset, void *buf, size_t len)
{
    struct byte_span from[2];
    size_t done = 0;
    uint8_t *plain;
    unsigned n;

    if (offset >= r->len)
        return 0;
    len = min_size(len, r->len - offset);
    if (ring_plain(r, offset, len, &plain)) {
        memcpy(buf, plain, len);
        return len;
    }
    n = ring_spans(r, offset, len, from);
    for (unsigned i = 0; i < n; i++) {
        memcpy((uint8_t *)buf + done, from[i].data, from[i].len);
        done += from[i].len;
    }
    return done;
}

size_t byte_ring_consume(struct byte_ring *r, size_t n)
{
    n = min_size(n, r->len);
    r->head += n;
    r->len -= n;
    return n;
}

void byte_ring_release(struct byte_ring *r)
{
    if (r->len == 0 && r->claim == 0)
        byte_ring_fini(r);
}
