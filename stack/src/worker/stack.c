/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Creation and destruction of a stack. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "worker/worker_priv.h"

static enum status create_inet(struct mtcp_stack *st)
{
    const struct config *cfg = st->cfg;
    struct inet_route routes[CONFIG_MAX_ROUTES + 1];
    struct inet_arp_entry arp[CONFIG_MAX_ARP];
    struct inet_params p = {.mac = st->nif->mac,
                            .addr = cfg->address,
                            .prefix_len = cfg->prefix_len,
                            .mtu = st->nif->mtu,
                            .routes = routes,
                            .static_arp = arp,
                            .num_static_arp = cfg->num_arp,
                            .log = &st->log};

    if (!cfg->has_address) {
        log_say(&st->log, LOG_ERROR, "the configuration has no `address = ADDRESS/LEN`");
        return ST_INVALID;
    }
    for (size_t i = 0; i < cfg->num_routes; i++)
        routes[p.num_routes++] = (struct inet_route){
            .prefix = cfg->routes[i].prefix,
            .prefix_len = cfg->routes[i].prefix_len,
            .gateway = cfg->routes[i].gateway,
        };
    if (cfg->gateway != 0)
        routes[p.num_routes++] = (struct inet_route){.gateway = cfg->gateway};
    for (size_t i = 0; i < cfg->num_arp; i++) {
        arp[i].addr = cfg->arp[i].addr;
        memcpy(arp[i].mac.b, cfg->arp[i].mac, sizeof(arp[i].mac.b));
    }
    return inet_create(&p, &st->inet);
}

static void decide(struct mtcp_stack *st)
{
    const struct config *cfg = st->cfg;
    const struct design_wish wish = {.distribution = cfg->distribution,
                                     .cores = cfg->num_cores ? cfg->num_cores : st->nif->num_queues,
                                     .queues = cfg->queues};
    struct design *d = &st->design;

    design_choose(&wish, st->nif->num_queues, d);
    st->num_workers = d->workers;
    log_say(&st->log, d->degraded ? LOG_WARN : LOG_INFO,
            "distribution %s: %u worker(s), %u thread(s) besides, %u queue(s) of %s (%s)",
            design_name(d->design), d->workers, d->dedicated, d->queues, cfg->port ? cfg->port : "",
            d->reason);
}

static bool make_secret(uint8_t key[16])
{
    return getrandom(key, 16, 0) == 16;
}

static enum status create_steer(struct mtcp_stack *st)
{
    struct steer_params p = {
        .design = st->design.design,
        .num_workers = st->num_workers,
        .num_queues = st->design.queues,
        .ring_frames = st->cfg->steer_ring,
        .park_frames = st->cfg->steer_ring,
        .ephemeral_first = EPHEMERAL_FIRST,
        .ephemeral_last = EPHEMERAL_LAST,
    };

    if (!st->design.steering)
        return ST_OK;
    return make_secret(p.pins_key) ? steer_create(&p, &st->steer) : ST_IO;
}

static struct mtcp_stack *allocate(void)
{
    struct mtcp_stack *st = aligned_alloc(alignof(struct mtcp_stack), sizeof(*st));

    if (!st)
        return NULL;
    memset(st, 0, sizeof(*st));
    st->stat.fd = -1;
    for (unsigned i = 0; i < STACK_MAX_WORKERS; i++)
        st->sleepers[i].wake_fd = -1;
    for (unsigned i = 0; i < STACK_MAX_DEDICATED; i++)
        st->dedicated[i].sleeper.wake_fd = -1;
    return st;
}

static enum status create_sleepers(struct mtcp_stack *st)
{
    enum status rc = ST_OK;

    for (unsigned i = 0; rc == ST_OK && i < st->num_workers; i++)
        rc = sleeper_init(&st->sleepers[i]);
    for (unsigned i = 0; rc == ST_OK && i < st->design.dedicated; i++)
        rc = sleeper_init(&st->dedicated[i].sleeper);
    return rc;
}

static enum status create_parts(struct mtcp_stack *st)
{
    enum status rc = create_sleepers(st);

    if (rc == ST_OK && !make_secret(st->tcp_key))
        rc = ST_IO;
    if (rc == ST_OK)
        rc = create_steer(st);
    if (rc == ST_OK)
        rc = transmit_create(st);
    if (rc == ST_OK)
        rc = create_inet(st);
    if (rc == ST_OK)
        telemetry_open(st);
    if (rc == ST_OK)
        rc = distributor_start(st);
    return rc;
}

enum status stack_create(const struct config *cfg, struct netif *nif, const struct log *log,
                         struct mtcp_stack **out)
{
    struct mtcp_stack *st = allocate();
    enum status rc;

    *out = NULL;
    if (!st) {
        nif->ops->close(nif);
        return ST_NO_MEMORY;
    }
    st->cfg = cfg;
    st->nif = nif;
    st->log = *log;
    pthread_mutex_init(&st->lock, NULL);
    decide(st);
    atomic_init(&st->absent, st->num_workers);
    rc = create_parts(st);
    if (rc != ST_OK) {
        stack_destroy(st);
        return rc;
    }
    *out = st;
    return ST_OK;
}

void stack_destroy(struct mtcp_stack *st)
{
    if (!st)
        return;
    for (unsigned i = 0; i < st->num_workers; i++) {
        struct worker *w = atomic_load(&st->workers[i]);

        if (w)
            stack_give_worker(w, 0);
    }
    distributor_stop(st);
    telemetry_close(st);
    transmit_destroy(st);
    if (st->steer)
        steer_destroy(st->steer);
    if (st->inet)
        inet_destroy(st->inet);
    st->nif->ops->close(st->nif);
    for (unsigned i = 0; i < STACK_MAX_WORKERS; i++)
        sleeper_fini(&st->sleepers[i]);
    for (unsigned i = 0; i < STACK_MAX_DEDICATED; i++)
        sleeper_fini(&st->dedicated[i].sleeper);
    pthread_mutex_destroy(&st->lock);
    free(st);
}

unsigned stack_num_workers(const struct mtcp_stack *st)
{
    return st->num_workers;
}

/** A free index, -1 when all are in use. */
static int reserve_index(struct mtcp_stack *st)
{
    int found = -1;

    pthread_mutex_lock(&st->lock);
    for (unsigned i = 0; i < st->num_workers && found < 0; i++)
        if (!st->taken[i])
            found = (int)i;
    if (found >= 0) {
        st->taken[found] = true;
        atomic_fetch_sub(&st->absent, 1);
    }
    pthread_mutex_unlock(&st->lock);
    return found;
}

static void release_index(struct mtcp_stack *st, unsigned index)
{
    pthread_mutex_lock(&st->lock);
    st->taken[index] = false;
    atomic_fetch_add(&st->absent, 1);
    pthread_mutex_unlock(&st->lock);
}

enum status stack_take_worker(struct mtcp_stack *st, struct worker **out)
{
    int index = reserve_index(st);
    enum status rc;

    *out = NULL;
    if (index < 0)
        return ST_TABLE_FULL;
    rc = worker_create(st, (unsigned)index, out);
    if (rc == ST_OK)
        atomic_store(&st->workers[index], *out);
    else
        release_index(st, (unsigned)index);
    return rc;
}

void stack_give_worker(struct worker *w, uint64_t linger_us)
{
    struct mtcp_stack *st = w->stack;
    unsigned index = w->index;

    /* First out of the table: from now on nobody interrupts it, and others poll its queues, too. */
    atomic_store(&st->workers[index], NULL);
    worker_destroy(w, linger_us);
    release_index(st, index);
}

void stack_interrupt(struct mtcp_stack *st)
{
    for (unsigned i = 0; i < st->num_workers; i++)
        if (atomic_load(&st->workers[i]))
            sleeper_interrupt(&st->sleepers[i]);
}
