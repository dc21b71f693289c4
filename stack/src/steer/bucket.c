/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See bucket.h. */
#include "steer/bucket.h"

#include <string.h>

void bucket_table_init(struct bucket_table *t, unsigned num_workers, bool homeless,
                       const uint8_t pins_key[SIPHASH_KEY_LEN])
{
    t->homeless = homeless;
    memcpy(t->pins_key, pins_key, SIPHASH_KEY_LEN);
    for (unsigned b = 0; b < STEER_BUCKETS; b++) {
        atomic_init(&t->entry[b], b % num_workers);
        pthread_mutex_init(&t->bucket[b].lock, NULL);
        t->bucket[b].pins = (struct pins){.key = t->pins_key};
        t->bucket[b].elsewhere = 0;
        t->bucket[b].dormant = STEER_NOBODY;
    }
}

void bucket_table_fini(struct bucket_table *t)
{
    for (unsigned b = 0; b < STEER_BUCKETS; b++) {
        pins_fini(&t->bucket[b].pins);
        pthread_mutex_destroy(&t->bucket[b].lock);
    }
}

bool pin_key_of_class(const struct flow_class *c, struct pin_key *key)
{
    *key = (struct pin_key){c->local, c->peer, c->local_port, c->peer_port, c->proto};
    return c->proto != 0;
}

void pin_key_of_flow(const struct steer_flow *flow, struct pin_key *key)
{
    *key = (struct pin_key){be32(flow->local), be32(flow->peer), be16(flow->local_port),
                            be16(flow->peer_port), flow->proto};
}

/* The lock is held, here and below. */
static uint32_t entry_read(const struct bucket_table *t, unsigned b)
{
    return atomic_load_explicit(&t->entry[b], memory_order_relaxed);
}

static void entry_write(struct bucket_table *t, unsigned b, unsigned home, uint32_t hold)
{
    uint32_t pins = t->bucket[b].elsewhere ? ENTRY_PINS : 0;

    atomic_store_explicit(&t->entry[b], home | hold | pins, memory_order_release);
}

/* After the home or dormant has changed. */
static void recount(struct bucket *bucket, unsigned home)
{
    bucket->elsewhere = pins_elsewhere(&bucket->pins, home, bucket->dormant);
}

static bool counts(const struct bucket_table *t, const struct bucket *bucket, unsigned home, unsigned worker)
{
    return (worker != home || t->homeless) && worker != bucket->dormant;
}

enum status bucket_pin(struct bucket_table *t, unsigned b, const struct pin_key *key, unsigned worker)
{
    struct bucket *bucket = &t->bucket[b];
    enum status st = ST_OK;
    unsigned home;
    struct pin *pin;

    pthread_mutex_lock(&bucket->lock);
    home = entry_home(entry_read(t, b));
    pin = pins_find(&bucket->pins, key);
    if (!pin)
        st = pins_add(&bucket->pins, key, worker);
    else
        st = pin->worker == worker ? ST_ALREADY : ST_ADDRESS_IN_USE;
    if (st == ST_OK) {
        bucket->elsewhere += counts(t, bucket, home, worker);
        entry_write(t, b, home, entry_read(t, b) & ENTRY_HOLD);
    }
    pthread_mutex_unlock(&bucket->lock);
    return st == ST_ALREADY ? ST_OK : st;
}

void bucket_unpin(struct bucket_table *t, unsigned b, const struct pin_key *key)
{
    struct bucket *bucket = &t->bucket[b];
    unsigned worker, home;

    pthread_mutex_lock(&bucket->lock);
    home = entry_home(entry_read(t, b));
    if (pins_remove(&bucket->pins, key, &worker)) {
        bucket->elsewhere -= counts(t, bucket, home, worker);
        entry_write(t, b, home, entry_read(t, b) & ENTRY_HOLD);
    }
    pthread_mutex_unlock(&bucket->lock);
}

unsigned bucket_pinned_to(struct bucket_table *t, unsigned b, const struct pin_key *key)
{
    struct bucket *bucket = &t->bucket[b];
    unsigned worker = STEER_NOBODY;
    const struct pin *pin;

    pthread_mutex_lock(&bucket->lock);
    pin = pins_find(&bucket->pins, key);
    if (pin && pin->worker != bucket->dormant)
        worker = pin->worker;
    pthread_mutex_unlock(&bucket->lock);
    return worker;
}

void bucket_move_begin(struct bucket_table *t, unsigned b, unsigned from, unsigned to)
{
    pthread_mutex_lock(&t->bucket[b].lock);
    t->bucket[b].dormant = from;
    recount(&t->bucket[b], to);
    entry_write(t, b, to, ENTRY_HOLD);
    pthread_mutex_unlock(&t->bucket[b].lock);
}

bool bucket_move_detached(struct bucket_table *t, unsigned b, unsigned from)
{
    struct bucket *bucket = &t->bucket[b];
    uint32_t entry;
    bool any;

    pthread_mutex_lock(&bucket->lock);
    bucket->dormant = STEER_NOBODY;
    any = bucket->pins.count > 0 && pins_of(&bucket->pins, from) > 0;
    entry = entry_read(t, b);
    recount(bucket, entry_home(entry));
    entry_write(t, b, entry_home(entry), entry & ENTRY_HOLD);
    pthread_mutex_unlock(&bucket->lock);
    return any;
}

void bucket_move_attached(struct bucket_table *t, unsigned b)
{
    pthread_mutex_lock(&t->bucket[b].lock);
    entry_write(t, b, entry_home(entry_read(t, b)), 0);
    pthread_mutex_unlock(&t->bucket[b].lock);
}

void bucket_move_turn(struct bucket_table *t, unsigned b, unsigned from)
{
    pthread_mutex_lock(&t->bucket[b].lock);
    recount(&t->bucket[b], from);
    entry_write(t, b, from, ENTRY_HOLD);
    pthread_mutex_unlock(&t->bucket[b].lock);
}

void bucket_move_back(struct bucket_table *t, unsigned b, unsigned from)
{
    pthread_mutex_lock(&t->bucket[b].lock);
    t->bucket[b].dormant = STEER_NOBODY;
    recount(&t->bucket[b], from);
    entry_write(t, b, from, 0);
    pthread_mutex_unlock(&t->bucket[b].lock);
}
