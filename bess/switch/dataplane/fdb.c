/* SPDX-License-Identifier: BSD-3-Clause */
/* See fdb.h. */
#define _GNU_SOURCE
#include "fdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 4 /* slots for each entry that the limits allow: sets seldom fill by chance */
#define SWEEP_EVERY_MS 1000
#define STATIC_LIMIT 4096
#define MAX_SETS (1U << 17) /* 16 MB */

static uint64_t mac_of(uint64_t key)
{
    return key & FDB_MAC_MASK;
}

static uint16_t port_of(uint64_t key)
{
    return (key >> FDB_PORT_SHIFT) & FDB_PORT_MASK;
}

static uint64_t key_make(uint64_t mac, uint16_t port)
{
    return FDB_USED | ((uint64_t)port << FDB_PORT_SHIFT) | mac;
}

static uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static struct fdb_slot *set_of(const struct fdb *t, uint64_t mac)
{
    uint64_t h = (mac ^ t->seed) * 0x9e3779b97f4a7c15ULL;

    h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9ULL;
    return &t->slots[(size_t)((h >> 32) & (t->n_sets - 1)) * FDB_WAYS];
}

static bool is_old(const struct fdb *t, const struct fdb_slot *s, uint64_t key, uint64_t now_ms)
{
    uint64_t age_ms = load(&t->age_ms), seen = load(&s->seen_ms);

    return !(key & FDB_STATIC) && age_ms > 0 && now_ms > seen && now_ms - seen > age_ms;
}

/* The slot of `mac` in its set and the key that was seen there, or NULL. */
static struct fdb_slot *lookup(const struct fdb *t, uint64_t mac, uint64_t *key)
{
    struct fdb_slot *set = set_of(t, mac);

    for (unsigned i = 0; i < FDB_WAYS; i++) {
        *key = load(&set[i].key);
        if ((*key & FDB_USED) && mac_of(*key) == mac)
            return &set[i];
    }
    return NULL;
}

int fdb_init(struct fdb *t, uint32_t n_ports, uint32_t port_limit, uint64_t age_ms, uint64_t seed)
{
    pthread_mutexattr_t attr;
    uint64_t wanted = (uint64_t)n_ports * port_limit * ROOM / FDB_WAYS;

    memset(t, 0, sizeof(*t));
    if (n_ports < 1 || n_ports > FDB_MAX_PORTS || port_limit < 1 || wanted > MAX_SETS)
        return -EINVAL;
    t->n_sets = 16;
    while (t->n_sets < wanted)
        t->n_sets *= 2;
    t->slots = calloc((size_t)t->n_sets * FDB_WAYS, sizeof(*t->slots));
    if (t->slots == NULL)
        return -ENOMEM;
    t->n_ports = n_ports;
    t->port_limit = port_limit;
    t->static_limit = STATIC_LIMIT;
    t->age_ms = age_ms;
    t->seed = seed;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&t->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return 0;
}

void fdb_free(struct fdb *t)
{
    if (t->slots == NULL)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t->slots);
    t->slots = NULL;
}

uint16_t fdb_find(const struct fdb *t, uint64_t mac, uint64_t now_ms)
{
    uint64_t key;
    const struct fdb_slot *s = lookup(t, mac, &key);

    return s == NULL || is_old(t, s, key, now_ms) ? FDB_NO_PORT : port_of(key);
}

/* ---- changes: the lock is held ---- */

static void forget(struct fdb *t, struct fdb_slot *s)
{
    uint64_t key = s->key;

    if (key & FDB_STATIC)
        t->n_static--;
    else
        t->learned[port_of(key)]--;
    store(&s->key, 0);
}

static void sweep(struct fdb *t, uint64_t now_ms)
{
    t->swept_ms = now_ms;
    for (size_t i = 0; i < (size_t)t->n_sets * FDB_WAYS; i++) {
        struct fdb_slot *s = &t->slots[i];

        if ((s->key & FDB_USED) && is_old(t, s, s->key, now_ms))
            forget(t, s);
    }
}

/* A free slot of the set, if need be one whose entry has grown old. */
static struct fdb_slot *room_in(struct fdb *t, struct fdb_slot *set, uint64_t now_ms)
{
    for (unsigned i = 0; i < FDB_WAYS; i++) {
        if (!(set[i].key & FDB_USED))
            return &set[i];
    }
    for (unsigned i = 0; i < FDB_WAYS; i++) {
        if (is_old(t, &set[i], set[i].key, now_ms)) {
            forget(t, &set[i]);
            return &set[i];
        }
    }
    return NULL;
}

static void put(struct fdb *t, struct fdb_slot *s, uint64_t mac, uint16_t port, uint64_t now_ms)
{
    store(&s->seen_ms, now_ms);
    store(&s->key, key_make(mac, port));
    t->learned[port]++;
}

static enum fdb_event learn_locked(struct fdb *t, uint64_t mac, uint16_t port, uint64_t now_ms)
{
    uint64_t key;
    struct fdb_slot *s = lookup(t, mac, &key);
    bool moved = false;

    if (s != NULL) {
        if (key & FDB_STATIC)
            return port_of(key) == port ? FDB_KNOWN : FDB_PINNED;
        if (port_of(key) == port && !is_old(t, s, key, now_ms)) {
            store(&s->seen_ms, now_ms);
            return FDB_KNOWN;
        }
        moved = port_of(key) != port && !is_old(t, s, key, now_ms);
    }
    if (t->learned[port] >= t->port_limit && now_ms >= t->swept_ms + SWEEP_EVERY_MS)
        sweep(t, now_ms);
    /* At its limit a port may still take an address over: the entry that says otherwise is wrong by now. */
    if (t->learned[port] >= t->port_limit) {
        if (moved)
            forget(t, s);
        return FDB_FULL;
    }
    s = lookup(t, mac, &key); /* the sweep may have taken it */
    if (s != NULL)
        forget(t, s);
    else
        s = room_in(t, set_of(t, mac), now_ms);
    if (s == NULL)
        return FDB_FULL;
    put(t, s, mac, port, now_ms);
    return moved ? FDB_MOVED : FDB_LEARNED;
}

/* ---- from workers ---- */

enum fdb_event fdb_learn(struct fdb *t, uint64_t mac, uint16_t port, uint64_t now_ms)
{
    uint64_t key, seen;
    const struct fdb_slot *s = lookup(t, mac, &key);
    enum fdb_event event;

    if (s != NULL && port_of(key) == port) {
        seen = load(&s->seen_ms);
        if ((key & FDB_STATIC) || now_ms <= seen || now_ms - seen <= load(&t->age_ms) / 16)
            return FDB_KNOWN;
    } else if (s == NULL && load(&t->age_ms) == 0 &&
               __atomic_load_n(&t->learned[port], __ATOMIC_RELAXED) >= t->port_limit) {
        return FDB_FULL; /* nothing ages, so nothing can have become free but by a command */
    }
    if (pthread_mutex_trylock(&t->lock) != 0)
        return FDB_BUSY;
    event = learn_locked(t, mac, port, now_ms);
    pthread_mutex_unlock(&t->lock);
    return event;
}

/* ---- from the control plane ---- */

static int add_static_locked(struct fdb *t, uint64_t mac, uint16_t port)
{
    struct fdb_slot *set = set_of(t, mac), *s;
    uint64_t key;

    s = lookup(t, mac, &key);
    if (s != NULL && (key & FDB_STATIC))
        return -EEXIST;
    if (t->n_static >= t->static_limit)
        return -ENOMEM;
    for (unsigned i = 0; i < FDB_WAYS && s == NULL; i++) {
        if (!(set[i].key & FDB_USED))
            s = &set[i];
    }
    for (unsigned i = 0; i < FDB_WAYS && s == NULL; i++) {
        if (!(set[i].key & FDB_STATIC))
            s = &set[i]; /* a learned entry gives way: it can be learned again */
    }
    if (s == NULL)
        return -ENOMEM;
    if (s->key & FDB_USED)
        forget(t, s);
    store(&s->key, key_make(mac, port) | FDB_STATIC);
    t->n_static++;
    return 0;
}

int fdb_add_static(struct fdb *t, uint64_t mac, uint16_t port)
{
    int ret;

    pthread_mutex_lock(&t->lock);
    ret = add_static_locked(t, mac, port);
    pthread_mutex_unlock(&t->lock);
    return ret;
}

int fdb_delete(struct fdb *t, uint64_t mac)
{
    struct fdb_slot *s;
    uint64_t key;

    pthread_mutex_lock(&t->lock);
    s = lookup(t, mac, &key);
    if (s != NULL)
        forget(t, s);
    pthread_mutex_unlock(&t->lock);
    return s == NULL ? -ENOENT : 0;
}

uint32_t fdb_flush(struct fdb *t, uint16_t port)
{
    uint32_t n = 0;

    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < (size_t)t->n_sets * FDB_WAYS; i++) {
        struct fdb_slot *s = &t->slots[i];

        if (!(s->key & FDB_USED) || (s->key & FDB_STATIC))
            continue;
        if (port == FDB_NO_PORT || port_of(s->key) == port) {
            forget(t, s);
            n++;
        }
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

void fdb_set_age(struct fdb *t, uint64_t age_ms)
{
    store(&t->age_ms, age_ms);
}

uint32_t fdb_list(struct fdb *t, uint64_t now_ms, uint32_t first, struct fdb_entry *out, uint32_t max)
{
    uint32_t n = 0, at = 0;

    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < (size_t)t->n_sets * FDB_WAYS && n < max; i++) {
        const struct fdb_slot *s = &t->slots[i];

        if (!(s->key & FDB_USED) || is_old(t, s, s->key, now_ms) || at++ < first)
            continue;
        out[n++] = (struct fdb_entry){
            .mac = mac_of(s->key),
            .port = port_of(s->key),
            .is_static = (s->key & FDB_STATIC) != 0,
            .age_ms = (s->key & FDB_STATIC) || now_ms < s->seen_ms ? 0 : now_ms - s->seen_ms,
        };
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

uint32_t fdb_count(struct fdb *t, uint64_t now_ms)
{
    uint32_t n;

    pthread_mutex_lock(&t->lock);
    sweep(t, now_ms);
    n = t->n_static;
    for (uint32_t port = 0; port < t->n_ports; port++)
        n += t->learned[port];
    pthread_mutex_unlock(&t->lock);
    return n;
}
