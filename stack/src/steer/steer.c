/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Creation, and what is to be seen of it all. */
#include "steer/steer.h"

#include <stdlib.h>
#include <string.h>

#include "steer/steer_priv.h"

/* ---- creation ---- */

static bool params_are_good(const struct steer_params *p)
{
    return p->num_workers >= 1 && p->num_workers <= STEER_MAX_WORKERS && p->num_queues >= 1 &&
           p->num_queues <= STEER_MAX_QUEUES && p->ring_frames >= 1 && p->ring_frames <= 1u << 20 &&
           p->ephemeral_first <= p->ephemeral_last;
}

static void *alloc_zeroed(size_t n, size_t size)
{
    void *mem = aligned_alloc(64, n * size);

    if (mem)
        memset(mem, 0, n * size);
    return mem;
}

static enum status make_lanes(struct steer *s)
{
    for (unsigned q = 0; q < s->params.num_queues; q++)
        for (unsigned w = 0; w < s->params.num_workers; w++) {
            s->queue[q].lane[w] = lane_create(s->params.ring_frames);
            if (!s->queue[q].lane[w])
                return ST_NO_MEMORY;
        }
    return ST_OK;
}

enum status steer_create(const struct steer_params *params, struct steer **out)
{
    struct steer *s;
    enum status st;

    if (!params_are_good(params))
        return ST_INVALID;
    s = calloc(1, sizeof(*s));
    if (!s)
        return ST_NO_MEMORY;
    s->params = *params;
    s->ephemeral_share = (params->ephemeral_last - params->ephemeral_first + 1u) / params->num_workers;
    pthread_mutex_init(&s->moves_lock, NULL);
    pthread_mutex_init(&s->balance_lock, NULL);
    bucket_table_init(&s->table, params->num_workers, params->design == STEER_DIRECT, params->pins_key);
    for (unsigned w = 0; w < STEER_MAX_WORKERS; w++)
        atomic_init(&s->stand_in[w], NOBODY_U8);
    s->queue = alloc_zeroed(params->num_queues, sizeof(struct steer_queue));
    s->worker = alloc_zeroed(params->num_workers, sizeof(struct steer_worker));
    s->balance = calloc(1, sizeof(*s->balance));
    st = ports_init(&s->ports, params->num_workers);
    if (!s->queue || !s->worker || !s->balance)
        st = ST_NO_MEMORY;
    if (st == ST_OK)
        st = make_lanes(s);
    if (st != ST_OK) {
        steer_destroy(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

static void lane_end(struct lane *l)
{
    if (l)
        lane_drain(l);
    free(l);
}

void steer_destroy(struct steer *s)
{
    if (!s)
        return;
    for (unsigned w = 0; w < s->params.num_workers; w++) {
        for (unsigned q = 0; s->queue && q < s->params.num_queues; q++)
            lane_end(s->queue[q].lane[w]);
        for (unsigned from = 0; s->worker && from < s->params.num_workers; from++)
            lane_end(atomic_load_explicit(&s->worker[w].lane[from], memory_order_acquire));
        if (s->worker)
            hold_drop_all(&s->worker[w]);
    }
    ports_fini(&s->ports);
    bucket_table_fini(&s->table);
    pthread_mutex_destroy(&s->moves_lock);
    pthread_mutex_destroy(&s->balance_lock);
    free(s->balance);
    free(s->queue);
    free(s->worker);
    free(s);
}

enum steer_design steer_design_of(const struct steer *s)
{
    return s->params.design;
}

/* ---- ports ---- */

void steer_port_hold(struct steer *s, uint8_t proto, uint16_t port, unsigned worker)
{
    ports_hold(&s->ports, proto, port, worker);
    if (proto == IP_PROTO_TCP)
        settle_begin(s, worker);
}

void steer_port_release(struct steer *s, uint8_t proto, uint16_t port, unsigned worker)
{
    ports_release(&s->ports, proto, port, worker);
}

uint64_t steer_port_holders(const struct steer *s, uint8_t proto, uint16_t port)
{
    return ports_holders(&s->ports, proto, port);
}

/* ---- what is to be seen ---- */

static uint64_t read64(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_lane(const struct lane *l, struct steer_counters *out)
{
    uint32_t most;

    if (!l)
        return;
    most = atomic_load_explicit(&l->most, memory_order_relaxed);
    out->frames += read64(&l->frames);
    out->drop_ring_full += read64(&l->drops);
    out->ring_most = most > out->ring_most ? most : out->ring_most;
}

void steer_get_counters(const struct steer *s, unsigned worker, struct steer_counters *out)
{
    const struct steer_worker *w = &s->worker[worker];

    *out = (struct steer_counters){
        .frames = read64(&w->kept),
        .drop_park_full = read64(&w->drop_park_full),
        .parked = read64(&w->parked),
        .buckets_in = read64(&w->buckets_in),
        .buckets_out = read64(&w->buckets_out),
    };
    for (unsigned q = 0; q < s->params.num_queues; q++)
        add_lane(s->queue[q].lane[worker], out);
    for (unsigned from = 0; from < s->params.num_workers; from++)
        add_lane(atomic_load_explicit(&w->lane[from], memory_order_acquire), out);
    for (unsigned b = 0; b < STEER_BUCKETS; b++)
        out->buckets += entry_home(bucket_entry(&s->table, b)) == worker;
}

uint64_t steer_dropped_absent(const struct steer *s)
{
    return read64(&s->drop_absent);
}
