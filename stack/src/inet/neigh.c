/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Neighbour table: buckets of eight entries, so that a lookup reads neighbouring cache lines and follows no
 * links. Life of an entry: INCOMPLETE (asked by broadcast) -> REACHABLE -> PROBE (used, and due for
 * confirmation)
 * -> REACHABLE again or FREE. Invariants: the published MAC is valid in REACHABLE, PROBE and STATIC only; a
 * STATIC entry never changes; next_us <= every at_us. */
#include "inet/neigh.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8u
#define BUCKETS 256u
#define NEVER UINT64_MAX
#define MAC_VALID (1ull << 48)

enum neigh_state { FREE, INCOMPLETE, REACHABLE, PROBE, STATIC };

struct neigh {
    /* read without the lock */
    _Atomic uint32_t seq; /**< odd while addr and mac are being written */
    _Atomic uint32_t addr;
    _Atomic uint64_t mac; /**< 48 bits and MAC_VALID */
    atomic_bool used;     /**< a packet went there since the last confirmation */
    /* under the lock */
    uint8_t state;  /**< enum neigh_state */
    uint8_t tries;  /**< requests sent in this state */
    uint64_t at_us; /**< INCOMPLETE, PROBE: next request; REACHABLE: when trust ends */
};

struct neigh_table {
    struct neigh bucket[BUCKETS][WAYS];
    pthread_mutex_t lock;
    _Atomic uint64_t next_us; /**< earliest at_us, or earlier */
    _Atomic uint32_t generation;
    _Atomic uint32_t version; /**< of all published addresses and MACs */
};

static uint64_t pack_mac(struct eth_addr mac)
{
    uint64_t v = 0;

    memcpy(&v, mac.b, 6);
    return v;
}

static struct eth_addr unpack_mac(uint64_t v)
{
    struct eth_addr mac;

    memcpy(mac.b, &v, 6);
    return mac;
}

static struct neigh *bucket_of(struct neigh_table *t, ipv4_addr_t addr)
{
    return t->bucket[(addr * 0x9e3779b1u) >> 24];
}

enum status neigh_table_create(struct neigh_table **out)
{
    struct neigh_table *t = calloc(1, sizeof(*t));

    if (!t)
        return ST_NO_MEMORY;
    if (pthread_mutex_init(&t->lock, NULL) != 0) {
        free(t);
        return ST_NO_MEMORY;
    }
    atomic_store(&t->next_us, NEVER);
    *out = t;
    return ST_OK;
}

void neigh_table_destroy(struct neigh_table *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* Makes address and MAC visible to readers as one. */
static void publish(struct neigh_table *t, struct neigh *n, ipv4_addr_t addr, uint64_t mac)
{
    uint32_t seq = atomic_load_explicit(&n->seq, memory_order_relaxed);

    atomic_store_explicit(&n->seq, seq + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&n->addr, addr, memory_order_relaxed);
    atomic_store_explicit(&n->mac, mac, memory_order_relaxed);
    atomic_store_explicit(&n->seq, seq + 2, memory_order_release);
    atomic_fetch_add_explicit(&t->version, 1, memory_order_release);
}

/* One attempt to read an entry; false when it was being written. */
static bool snapshot(const struct neigh *n, ipv4_addr_t *addr, uint64_t *mac)
{
    uint32_t seq = atomic_load_explicit(&n->seq, memory_order_acquire);

    *addr = atomic_load_explicit(&n->addr, memory_order_relaxed);
    *mac = atomic_load_explicit(&n->mac, memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    return !(seq & 1) && atomic_load_explicit(&n->seq, memory_order_relaxed) == seq;
}

static void mark_used(struct neigh *n)
{
    if (!atomic_load_explicit(&n->used, memory_order_relaxed))
        atomic_store_explicit(&n->used, true, memory_order_relaxed);
}

bool neigh_lookup(struct neigh_table *t, ipv4_addr_t addr, struct eth_addr *mac)
{
    struct neigh *b = bucket_of(t, addr);

    for (unsigned i = 0; i < WAYS; i++) {
        ipv4_addr_t a;
        uint64_t m;

        /* An entry that is being written counts as unknown: the slow path waits for the writer. */
        if (!snapshot(&b[i], &a, &m) || a != addr || !(m & MAC_VALID))
            continue;
        mark_used(&b[i]);
        *mac = unpack_mac(m);
        return true;
    }
    return false;
}

static struct neigh *find(struct neigh_table *t, ipv4_addr_t addr)
{
    struct neigh *b = bucket_of(t, addr);

    for (unsigned i = 0; i < WAYS; i++)
        if (b[i].state != FREE && atomic_load_explicit(&b[i].addr, memory_order_relaxed) == addr)
            return &b[i];
    return NULL;
}

/* How willingly an entry gives its place to another; 0 = never. */
static unsigned victim_rank(const struct neigh *n, bool needed)
{
    bool used = atomic_load_explicit(&n->used, memory_order_relaxed);

    switch ((enum neigh_state)n->state) {
    case FREE:
        return 4;
    case REACHABLE:
        if (!used)
            return 3;
        return needed ? 1 : 0;
    case PROBE:
        return needed ? 1 : 0;
    case INCOMPLETE:
        return needed ? 2 : 0;
    case STATIC:
        break;
    }
    return 0;
}

/* A place for a new entry; `needed` = packets wait for it (else it was only overheard). */
static struct neigh *take_slot(struct neigh_table *t, ipv4_addr_t addr, bool needed)
{
    struct neigh *b = bucket_of(t, addr), *best = NULL;
    unsigned best_rank = 0;

    for (unsigned i = 0; i < WAYS; i++) {
        unsigned rank = victim_rank(&b[i], needed);

        if (rank > best_rank || (rank && rank == best_rank && b[i].at_us < best->at_us)) {
            best = &b[i];
            best_rank = rank;
        }
    }
    if (best && best->state == INCOMPLETE)
        atomic_fetch_add(&t->generation, 1); /* those who wait for it must learn that it is gone */
    return best;
}

static void schedule(struct neigh_table *t, struct neigh *n, uint64_t at_us)
{
    n->at_us = at_us;
    if (at_us < atomic_load_explicit(&t->next_us, memory_order_relaxed))
        atomic_store_explicit(&t->next_us, at_us, memory_order_relaxed);
}

static void set_state(struct neigh_table *t, struct neigh *n, enum neigh_state state, uint64_t at_us)
{
    n->state = (uint8_t)state;
    n->tries = state == INCOMPLETE || state == PROBE;
    schedule(t, n, at_us);
}

static void set_reachable(struct neigh_table *t, struct neigh *n, ipv4_addr_t addr, struct eth_addr mac,
                          uint64_t now_us)
{
    uint64_t packed = pack_mac(mac) | MAC_VALID;

    if (n->state == INCOMPLETE)
        atomic_fetch_add(&t->generation, 1);
    if (atomic_load_explicit(&n->addr, memory_order_relaxed) != addr ||
        atomic_load_explicit(&n->mac, memory_order_relaxed) != packed)
        publish(t, n, addr, packed);
    set_state(t, n, REACHABLE, now_us + NEIGH_REACHABLE_US);
}

static void set_free(struct neigh_table *t, struct neigh *n)
{
    if (n->state == INCOMPLETE)
        atomic_fetch_add(&t->generation, 1);
    publish(t, n, 0, 0);
    set_state(t, n, FREE, NEVER);
}

enum status neigh_add_static(struct neigh_table *t, ipv4_addr_t addr, struct eth_addr mac)
{
    enum status st = ST_OK;
    struct neigh *n;

    pthread_mutex_lock(&t->lock);
    n = find(t, addr) ? NULL : take_slot(t, addr, true);
    if (n) {
        publish(t, n, addr, pack_mac(mac) | MAC_VALID);
        set_state(t, n, STATIC, NEVER);
    } else {
        st = find(t, addr) ? ST_EXISTS : ST_NO_MEMORY;
    }
    pthread_mutex_unlock(&t->lock);
    return st;
}

static enum neigh_result result_of(const struct neigh *n, struct eth_addr *mac)
{
    if (!n)
        return NEIGH_NONE;
    if (n->state == INCOMPLETE)
        return NEIGH_WAIT;
    *mac = unpack_mac(atomic_load_explicit(&n->mac, memory_order_relaxed));
    return NEIGH_RESOLVED;
}

enum neigh_result neigh_query(struct neigh_table *t, ipv4_addr_t addr, struct eth_addr *mac)
{
    enum neigh_result r;

    pthread_mutex_lock(&t->lock);
    r = result_of(find(t, addr), mac);
    pthread_mutex_unlock(&t->lock);
    return r;
}

enum neigh_result neigh_resolve(struct neigh_table *t, ipv4_addr_t addr, uint64_t now_us,
                                struct eth_addr *mac)
{
    enum neigh_result r;
    struct neigh *n;

    pthread_mutex_lock(&t->lock);
    n = find(t, addr);
    r = result_of(n, mac);
    if (!n && (n = take_slot(t, addr, true))) {
        publish(t, n, addr, 0);
        set_state(t, n, INCOMPLETE, now_us + NEIGH_RETRY_US);
        r = NEIGH_ASK;
    }
    if (n)
        mark_used(n);
    pthread_mutex_unlock(&t->lock);
    return r;
}

enum neigh_learned neigh_learn(struct neigh_table *t, ipv4_addr_t addr, struct eth_addr mac, bool may_create,
                               uint64_t now_us)
{
    enum neigh_learned verdict = NEIGH_CONFIRMED;
    struct neigh *n;

    pthread_mutex_lock(&t->lock);
    n = find(t, addr);
    if (!n && may_create && (n = take_slot(t, addr, false))) {
        atomic_store_explicit(&n->used, false, memory_order_relaxed);
        set_reachable(t, n, addr, mac, now_us);
    } else if (!n) {
        verdict = NEIGH_IGNORED;
    } else {
        bool same = atomic_load_explicit(&n->mac, memory_order_relaxed) == (pack_mac(mac) | MAC_VALID);

        if (n->state == STATIC) {
            verdict = same ? NEIGH_CONFIRMED : NEIGH_STATIC;
        } else {
            verdict = same || n->state == INCOMPLETE ? NEIGH_CONFIRMED : NEIGH_CHANGED;
            set_reachable(t, n, addr, mac, now_us);
        }
    }
    pthread_mutex_unlock(&t->lock);
    return verdict;
}

/* One entry whose time has come; true when a request is to be sent. */
static bool expire(struct neigh_table *t, struct neigh *n, uint64_t now_us, struct neigh_ask *ask)
{
    unsigned limit = n->state == INCOMPLETE ? NEIGH_TRIES : NEIGH_PROBES;

    if (n->state == REACHABLE) {
        if (!atomic_exchange_explicit(&n->used, false, memory_order_relaxed)) {
            set_free(t, n);
            return false;
        }
        set_state(t, n, PROBE, now_us + NEIGH_RETRY_US);
    } else if (n->tries >= limit) {
        set_free(t, n);
        return false;
    } else {
        n->tries++;
        schedule(t, n, now_us + NEIGH_RETRY_US);
    }
    ask->addr = atomic_load_explicit(&n->addr, memory_order_relaxed);
    ask->to = ETH_BROADCAST;
    if (n->state == PROBE && n->tries <= NEIGH_UNICAST_PROBES)
        ask->to = unpack_mac(atomic_load_explicit(&n->mac, memory_order_relaxed));
    return true;
}

unsigned neigh_timers(struct neigh_table *t, uint64_t now_us, struct neigh_ask *asks, unsigned max)
{
    struct neigh *n = &t->bucket[0][0], *end = n + BUCKETS * WAYS;
    uint64_t next_us = NEVER;
    unsigned count = 0;

    if (now_us < neigh_next_deadline(t) || pthread_mutex_trylock(&t->lock) != 0)
        return 0;
    for (; n < end; n++) {
        if (n->state == FREE || n->state == STATIC)
            continue;
        if (n->at_us <= now_us && count < max)
            count += expire(t, n, now_us, &asks[count]);
        if (n->state != FREE && n->at_us < next_us)
            next_us = n->at_us;
    }
    atomic_store_explicit(&t->next_us, next_us, memory_order_relaxed);
    pthread_mutex_unlock(&t->lock);
    return count;
}

uint64_t neigh_next_deadline(const struct neigh_table *t)
{
    return atomic_load_explicit(&t->next_us, memory_order_relaxed);
}

uint32_t neigh_version(const struct neigh_table *t)
{
    return atomic_load_explicit(&t->version, memory_order_acquire);
}

uint32_t neigh_generation(const struct neigh_table *t)
{
    return atomic_load_explicit(&t->generation, memory_order_acquire);
}
