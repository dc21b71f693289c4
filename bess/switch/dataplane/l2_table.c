/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes of the MAC table; see l2_table.h. */
#include "l2_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SLOTS 64

int l2_table_init(struct l2_table *t, size_t max_entries)
{
    memset(t, 0, sizeof(*t));
    t->slots = calloc(MIN_SLOTS, sizeof(*t->slots));
    if (t->slots == NULL)
        return -ENOMEM;
    t->n_slots = MIN_SLOTS;
    t->max_entries = max_entries;
    return 0;
}

void l2_table_free(struct l2_table *t)
{
    free(t->slots);
    memset(t, 0, sizeof(*t));
}

/* The slot that holds `mac`, or the free slot where it belongs. */
static size_t probe(const struct l2_table *t, uint64_t mac)
{
    size_t i = l2_slot_of(t, mac);

    while ((t->slots[i] & L2_SLOT_USED) && (t->slots[i] & L2_MAC_MASK) != mac)
        i = (i + 1) & (t->n_slots - 1);
    return i;
}

static int grow(struct l2_table *t)
{
    struct l2_table bigger = *t;

    bigger.n_slots = t->n_slots * 2;
    bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < t->n_slots; i++) {
        if (t->slots[i] & L2_SLOT_USED)
            bigger.slots[probe(&bigger, t->slots[i] & L2_MAC_MASK)] = t->slots[i];
    }
    free(t->slots);
    *t = bigger;
    return 0;
}

int l2_table_add(struct l2_table *t, uint64_t mac, uint16_t gate)
{
    if (t->slots[probe(t, mac)] & L2_SLOT_USED)
        return -EEXIST;
    if (t->n_entries >= t->max_entries)
        return -ENOMEM;
    if ((t->n_entries + 1) * 2 > t->n_slots && grow(t) != 0)
        return -ENOMEM;
    t->slots[probe(t, mac)] = L2_SLOT_USED | ((uint64_t)gate << L2_GATE_SHIFT) | mac;
    t->n_entries++;
    return 0;
}

int l2_table_delete(struct l2_table *t, uint64_t mac)
{
    size_t mask = t->n_slots - 1;
    size_t hole = probe(t, mac);

    if (!(t->slots[hole] & L2_SLOT_USED))
        return -ENOENT;
    /* Close the gap: pull back every later entry of the run whose own place is at or before the hole. */
    for (size_t i = (hole + 1) & mask; t->slots[i] & L2_SLOT_USED; i = (i + 1) & mask) {
        size_t home = l2_slot_of(t, t->slots[i] & L2_MAC_MASK);

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = 0;
    t->n_entries--;
    return 0;
}
