/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See ports.h. The counts are large, but memory that was never touched takes no room. */
#include "steer/ports.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/ipv4.h"

static bool slot_of(uint8_t proto, uint16_t port, size_t *slot)
{
    if (proto != IP_PROTO_TCP && proto != IP_PROTO_UDP)
        return false;
    *slot = (proto == IP_PROTO_UDP ? PORTS_PER_PROTO : 0) + port;
    return true;
}

static uint32_t *refs_of(const struct ports *p, unsigned worker)
{
    return p->refs + (size_t)worker * 2 * PORTS_PER_PROTO;
}

enum status ports_init(struct ports *p, unsigned num_workers)
{
    p->num_workers = num_workers;
    p->holders = calloc(2 * PORTS_PER_PROTO, sizeof(*p->holders));
    p->refs = calloc((size_t)num_workers * 2 * PORTS_PER_PROTO, sizeof(*p->refs));
    if (p->holders && p->refs)
        return ST_OK;
    ports_fini(p);
    return ST_NO_MEMORY;
}

void ports_fini(struct ports *p)
{
    free(p->holders);
    free(p->refs);
    p->holders = NULL;
    p->refs = NULL;
}

void ports_hold(struct ports *p, uint8_t proto, uint16_t port, unsigned worker)
{
    size_t slot;

    if (slot_of(proto, port, &slot) && refs_of(p, worker)[slot]++ == 0)
        atomic_fetch_or_explicit(&p->holders[slot], UINT64_C(1) << worker, memory_order_relaxed);
}

void ports_release(struct ports *p, uint8_t proto, uint16_t port, unsigned worker)
{
    size_t slot;

    if (!slot_of(proto, port, &slot) || refs_of(p, worker)[slot] == 0)
        return;
    if (--refs_of(p, worker)[slot] == 0)
        atomic_fetch_and_explicit(&p->holders[slot], ~(UINT64_C(1) << worker), memory_order_relaxed);
}

void ports_forget(struct ports *p, unsigned worker)
{
    for (size_t slot = 0; slot < 2 * PORTS_PER_PROTO; slot++)
        if (atomic_load_explicit(&p->holders[slot], memory_order_relaxed) >> worker & 1) {
            refs_of(p, worker)[slot] = 0;
            atomic_fetch_and_explicit(&p->holders[slot], ~(UINT64_C(1) << worker), memory_order_relaxed);
        }
}

uint64_t ports_holders(const struct ports *p, uint8_t proto, uint16_t port)
{
    size_t slot;

    return slot_of(proto, port, &slot) ? atomic_load_explicit(&p->holders[slot], memory_order_relaxed) : 0;
}
