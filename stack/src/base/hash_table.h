/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Intrusive chained hash table with a fixed number of buckets. The caller computes the hash (keyed by
 * siphash24() when the key comes from the network) and compares keys. One thread. */
#ifndef BASE_HASH_TABLE_H
#define BASE_HASH_TABLE_H

#include <stdint.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/status.h"

struct hash_node {
    struct hash_node *next;
    uint32_t hash;
};

struct hash_table {
    struct hash_node **bucket;
    uint32_t mask;
    size_t count;
};

/** Room for about `expected` nodes at chains of one. */
static inline enum status hash_table_init(struct hash_table *t, size_t expected)
{
    size_t n = 16;

    while (n < expected && n < (1u << 30))
        n <<= 1;
    t->bucket = calloc(n, sizeof(struct hash_node *));
    t->mask = (uint32_t)(n - 1);
    t->count = 0;
    return t->bucket ? ST_OK : ST_NO_MEMORY;
}

/** Forgets the nodes; they belong to the caller. */
static inline void hash_table_fini(struct hash_table *t)
{
    free(t->bucket);
    t->bucket = NULL;
    t->count = 0;
}

static inline void hash_table_insert(struct hash_table *t, struct hash_node *n, uint32_t hash)
{
    struct hash_node **head = &t->bucket[hash & t->mask];

    n->hash = hash;
    n->next = *head;
    *head = n;
    t->count++;
}

/** Takes a node out; nothing happens when it is not there. */
static inline void hash_table_remove(struct hash_table *t, struct hash_node *n)
{
    for (struct hash_node **at = &t->bucket[n->hash & t->mask]; *at; at = &(*at)->next) {
        if (*at != n)
            continue;
        *at = n->next;
        t->count--;
        return;
    }
}

static inline struct hash_node *hash_node_match(struct hash_node *n, uint32_t hash)
{
    while (n && n->hash != hash)
        n = n->next;
    return n;
}

static inline struct hash_node *hash_table_first(const struct hash_table *t, uint32_t hash)
{
    return hash_node_match(t->bucket[hash & t->mask], hash);
}

/** Walks the nodes of exactly this hash; the current one must not be removed. */
#define hash_table_for_each(pos, table, hash_) \
    for (struct hash_node *pos = hash_table_first(table, hash_); pos; pos = hash_node_match(pos->next, hash_))

#endif
