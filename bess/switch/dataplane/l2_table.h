/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exact-match table from MAC address to gate: open addressing, linear probing, one 64-bit word an entry.
 *
 * An address is the 48-bit number that its six bytes spell in network order. The table grows with its content
 * up to `max_entries` and stays at most half full, so a lookup reads one or two words. Lookups may run on
 * many workers; changes need all of them to stand still.
 */
#ifndef DP_L2_TABLE_H
#define DP_L2_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define L2_MAC_MASK 0xffffffffffffULL

struct l2_table {
    uint64_t *slots;
    size_t n_slots; /* power of two */
    size_t n_entries;
    size_t max_entries;
};

int l2_table_init(struct l2_table *t, size_t max_entries);
void l2_table_free(struct l2_table *t);
/* 0, -EEXIST, -ENOMEM ("not enough space") */
int l2_table_add(struct l2_table *t, uint64_t mac, uint16_t gate);
/* 0, -ENOENT */
int l2_table_delete(struct l2_table *t, uint64_t mac);

#define L2_SLOT_USED (1ULL << 63)
#define L2_GATE_SHIFT 48
#define L2_GATE_MASK 0x3fffU

static inline size_t l2_slot_of(const struct l2_table *t, uint64_t mac)
{
    return (size_t)((mac * 0x9e3779b97f4a7c15ULL) >> 32) & (t->n_slots - 1);
}

/* The gate of `mac`, or `otherwise`. */
static inline uint16_t l2_table_find(const struct l2_table *t, uint64_t mac, uint16_t otherwise)
{
    for (size_t i = l2_slot_of(t, mac);; i = (i + 1) & (t->n_slots - 1)) {
        uint64_t slot = t->slots[i];

        if (!(slot & L2_SLOT_USED))
            return otherwise;
        if ((slot & L2_MAC_MASK) == mac)
            return (slot >> L2_GATE_SHIFT) & L2_GATE_MASK;
    }
}

#endif
