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

static void count_workers(struct mtcp_stack *st)
{
    unsigned wanted = st->cfg->num_cores, queues = st->nif->num_queues;

    st->num_workers = queues;
    if (wanted != 0 && wanted < queues)
        st->num_workers = wanted;
    if (wanted > queues)
        log_say(&st->log, LOG_WARN,
                "num_cores = %u, but interface %s has %u queue(s) and `distribution = direct` needs one a "
                "worker: "
                "using %u worker(s)",
                wanted, st->cfg->port ? st->cfg->port : "", queues, queues);
    if (st->num_workers > STACK_MAX_WORKERS)
        st->num_workers = STACK_MAX_WORKERS;
}

/** A connection that moves, or whose four-tuple comes back at another worker, needs the same secret there. */
static enum status make_tcp_key(struct mtcp_stack *st)
{
    return getrandom(st->tcp_key, sizeof(st->tcp_key), 0) == (ssize_t)sizeof(st->tcp_key) ? ST_OK : ST_IO;
}

enum status stack_create(const struct config *cfg, struct netif *nif, const struct log *log,
                         struct mtcp_stack **out)
{
    struct mtcp_stack *st = calloc(1, sizeof(*st));
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
    count_workers(st);
    atomic_init(&st->orphans, st->num_workers);
    rc = make_tcp_key(st);
    if (rc == ST_OK)
        rc = handover_create(st);
    if (rc == ST_OK)
        rc = create_inet(st);
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
    handover_destroy(st);
    if (st->inet)
        inet_destroy(st->inet);
    st->nif->ops->close(st->nif);
    pthread_mutex_destroy(&st->lock);
    free(st);
}

unsigned stack_num_workers(const struct mtcp_stack *st)
{
    return st->num_workers;
}

/** A free queue, -1 when all are in use. */
static int reserve_index(struct mtcp_stack *st)
{
    int found = -1;

    pthread_mutex_lock(&st->lock);
    for (unsigned i = 0; i < st->num_workers && found < 0; i++)
        if (!st->taken[i])
            found = (int)i;
    if (found >= 0) {
        st->taken[found] = true;
        atomic_fetch_sub(&st->orphans, 1);
    }
    pthread_mutex_unlock(&st->lock);
    return found;
}

static void release_index(struct mtcp_stack *st, unsigned index)
{
    pthread_mutex_lock(&st->lock);
    st->taken[index] = false;
    atomic_fetch_add(&st->orphans, 1);
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

    /* First out of the table, so that no signal handler finds a worker that is being freed. */
    atomic_store(&st->workers[index], NULL);
    worker_destroy(w, linger_us);
    release_index(st, index);
}

unsigned stack_rx_orphans(struct mtcp_stack *st, struct pkt **pkts, unsigned n)
{
    unsigned got = 0;

    if (atomic_load_explicit(&st->orphans, memory_order_relaxed) == 0 ||
        pthread_mutex_trylock(&st->lock) != 0)
        return 0;
    for (unsigned i = 0; i < st->num_workers && got < n; i++)
        if (!st->taken[i])
            got += netif_rx_burst(st->nif, i, pkts + got, n - got);
    pthread_mutex_unlock(&st->lock);
    return got;
}

void stack_interrupt(struct mtcp_stack *st)
{
    for (unsigned i = 0; i < st->num_workers; i++) {
        struct worker *w = atomic_load(&st->workers[i]);

        if (w)
            worker_interrupt(w);
    }
}
