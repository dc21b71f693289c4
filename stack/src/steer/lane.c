/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Creation of a lane. */
#include "steer/lane.h"

struct lane *lane_create(uint32_t size)
{
    uint32_t slots = 1;
    struct lane *l;

    while (slots < size && slots < 1u << 31)
        slots <<= 1;
    l = aligned_alloc(64, (sizeof(*l) + slots * sizeof(l->slot[0]) + 63) / 64 * 64);
    if (!l)
        return NULL;
    atomic_init(&l->head, 0);
    atomic_init(&l->tail, 0);
    atomic_init(&l->most, 0);
    atomic_init(&l->frames, 0);
    atomic_init(&l->drops, 0);
    l->staged = l->tail_seen = 0;
    l->size = slots;
    return l;
}
