/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lowest-free-number allocator. Invariant: a summary bit is set exactly when its word is not zero. */
#include "sock/idmap.h"

#include <stdlib.h>

#define WORDS(bits) (((bits) + 63) / 64)

static void bit_set(uint64_t *map, unsigned i)
{
    map[i / 64] |= UINT64_C(1) << (i % 64);
}

enum status idmap_init(struct idmap *m, unsigned size)
{
    unsigned words = WORDS(size);

    *m = (struct idmap){.size = size};
    m->free = calloc(words, sizeof(uint64_t));
    m->summary = calloc(WORDS(words), sizeof(uint64_t));
    if (size == 0 || !m->free || !m->summary) {
        idmap_fini(m);
        return size == 0 ? ST_INVALID : ST_NO_MEMORY;
    }
    for (unsigned i = 0; i < size; i++)
        bit_set(m->free, i);
    for (unsigned i = 0; i < words; i++)
        bit_set(m->summary, i);
    return ST_OK;
}

void idmap_fini(struct idmap *m)
{
    free(m->free);
    free(m->summary);
    *m = (struct idmap){0};
}

int idmap_take(struct idmap *m)
{
    unsigned top = WORDS(WORDS(m->size));

    for (unsigned s = 0; s < top; s++) {
        unsigned word, bit;

        if (m->summary[s] == 0)
            continue;
        word = s * 64 + (unsigned)__builtin_ctzll(m->summary[s]);
        bit = (unsigned)__builtin_ctzll(m->free[word]);
        m->free[word] &= m->free[word] - 1;
        if (m->free[word] == 0)
            m->summary[s] &= m->summary[s] - 1;
        m->used++;
        return (int)(word * 64 + bit);
    }
    return -1;
}

bool idmap_taken(const struct idmap *m, unsigned id)
{
    return id < m->size && !(m->free[id / 64] >> (id % 64) & 1);
}

void idmap_give(struct idmap *m, unsigned id)
{
    if (!idmap_taken(m, id))
        return;
    bit_set(m->free, id);
    bit_set(m->summary, id / 64);
    m->used--;
}
