/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See pins.h. The chain is chosen by a hash of its own: all flows of a bucket have the low bits of the
 * Toeplitz hash in common, that hash has only sixteen, and its key is known to everybody. */
#include "steer/pins.h"

#include <stdlib.h>

#include "base/siphash.h"

#define FIRST_CHAINS 8u
#define MAX_CHAINS (1u << 20)

static uint32_t chain_of(const struct pins *p, const struct pin_key *key)
{
    const uint64_t flow[2] = {
        (uint64_t)key->local.raw << 32 | key->peer.raw,
        (uint64_t)key->local_port.raw << 24 | (uint64_t)key->peer_port.raw << 8 | key->proto,
    };

    return (uint32_t)siphash24(p->key, flow, sizeof(flow)) & (p->chains - 1);
}

static bool key_equal(const struct pin_key *a, const struct pin_key *b)
{
    return a->local.raw == b->local.raw && a->peer.raw == b->peer.raw &&
           a->local_port.raw == b->local_port.raw && a->peer_port.raw == b->peer_port.raw &&
           a->proto == b->proto;
}

struct pin *pins_find(const struct pins *p, const struct pin_key *key)
{
    if (p->count == 0)
        return NULL;
    for (struct pin *pin = p->chain[chain_of(p, key)]; pin; pin = pin->next)
        if (key_equal(&pin->key, key))
            return pin;
    return NULL;
}

/* A table that cannot grow goes on with longer chains. */
static void grow(struct pins *p)
{
    struct pins bigger = *p;

    bigger.chains = p->chains ? p->chains * 4 : FIRST_CHAINS;
    bigger.chain = calloc(bigger.chains, sizeof(struct pin *));
    if (!bigger.chain)
        return;
    for (uint32_t i = 0; i < p->chains; i++)
        for (struct pin *pin = p->chain[i], *next; pin; pin = next) {
            struct pin **head = &bigger.chain[chain_of(&bigger, &pin->key)];

            next = pin->next;
            pin->next = *head;
            *head = pin;
        }
    free(p->chain);
    *p = bigger;
}

enum status pins_add(struct pins *p, const struct pin_key *key, unsigned worker)
{
    struct pin *pin, **head;

    if (p->count >= p->chains * 2 && p->chains < MAX_CHAINS)
        grow(p);
    if (p->chains == 0)
        return ST_NO_MEMORY;
    pin = malloc(sizeof(*pin));
    if (!pin)
        return ST_NO_MEMORY;
    head = &p->chain[chain_of(p, key)];
    *pin = (struct pin){*head, *key, (uint8_t)worker};
    *head = pin;
    p->count++;
    return ST_OK;
}

bool pins_remove(struct pins *p, const struct pin_key *key, unsigned *worker)
{
    struct pin **at;

    if (p->count == 0)
        return false;
    for (at = &p->chain[chain_of(p, key)]; *at; at = &(*at)->next) {
        struct pin *pin = *at;

        if (!key_equal(&pin->key, key))
            continue;
        *at = pin->next;
        *worker = pin->worker;
        free(pin);
        p->count--;
        return true;
    }
    return false;
}

uint32_t pins_elsewhere(const struct pins *p, unsigned worker, unsigned or_worker)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->chains; i++)
        for (struct pin *pin = p->chain[i]; pin; pin = pin->next)
            n += pin->worker != worker && pin->worker != or_worker;
    return n;
}

uint32_t pins_of(const struct pins *p, unsigned worker)
{
    return p->count - pins_elsewhere(p, worker, worker);
}

void pins_fini(struct pins *p)
{
    for (uint32_t i = 0; i < p->chains; i++)
        for (struct pin *pin = p->chain[i], *next; pin; pin = next) {
            next = pin->next;
            free(pin);
        }
    free(p->chain);
    *p = (struct pins){.key = p->key};
}
