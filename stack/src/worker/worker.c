/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Creation and destruction of a worker. */
#include <stdlib.h>

#include "worker/worker_priv.h"

static void worker_free(struct worker *w)
{
    socktab_fini(&w->socks);
    if (w->udp)
        udp_destroy(w->udp);
    if (w->tcp)
        tcp_destroy(w->tcp);
    if (w->inet) {
        pthread_mutex_lock(&w->stack->lock);
        inet_worker_destroy(w->inet);
        pthread_mutex_unlock(&w->stack->lock);
    }
    worker_tx_fini(w);
    free(w);
}

enum status worker_create(struct mtcp_stack *st, unsigned index, struct worker **out)
{
    struct worker *w = calloc(1, sizeof(*w));
    enum status rc;

    if (!w)
        return ST_NO_MEMORY;
    w->stack = st;
    w->index = index;
    w->nif = st->nif;
    w->max_socks = st->cfg->max_concurrency;
    w->burst = st->cfg->burst;
    w->now_us = worker_clock_us();
    w->cycles_last = cycles_now();
    w->sleeper = &st->sleepers[index];
    atomic_store(&w->sleeper->interrupted, false);
    worker_tx_init(w);
    rates_init(w);
    rc = worker_create_layers(w);
    if (rc != ST_OK) {
        log_say(&st->log, LOG_ERROR, "worker %u: %s", index, status_text(rc));
        worker_free(w);
        return rc;
    }
    if (st->steer)
        steer_join(st->steer, index, &rebalance_ops, w);
    *out = w;
    return ST_OK;
}

/** Nothing is left to send or to wait for; connections in TIME-WAIT only guard against old segments. */
static bool drained(void *arg)
{
    struct worker *w = arg;

    return worker_tx_done(w) && tcp_num_conns(w->tcp) == tcp_get_counters(w->tcp)->now_time_wait &&
           (!w->stack->steer || steer_leave_begin(w->stack->steer, w->index));
}

static void log_line(void *ctx, const char *text)
{
    struct worker *w = ctx;

    log_say(&w->stack->log, LOG_DEBUG, "worker %u: %s", w->index, text);
}

void worker_destroy(struct worker *w, uint64_t linger_us)
{
    if (w->stack->steer) /* no connection comes to where nobody will have it */
        steer_leave_begin(w->stack->steer, w->index);
    socktab_close_all(&w->socks, w->now_us);
    if (linger_us > 0)
        worker_wait_through(w, drained, w, linger_us);
    else
        worker_round(w);
    if (w->stack->steer) {
        steer_leave(w->stack->steer, w->index);
        workers_wake_waiting(w->stack);
    }
    tcp_abort_all(w->tcp, w->now_us);
    worker_tx_flush(w);
    telemetry_worker(w, false);
    if (w->stack->log.level >= LOG_DEBUG)
        worker_print_counters(w, log_line, w);
    worker_free(w);
}

struct socktab *worker_socks(struct worker *w)
{
    return &w->socks;
}

uint64_t worker_now(const struct worker *w)
{
    return w->now_us;
}

unsigned worker_index(const struct worker *w)
{
    return w->index;
}

unsigned worker_max_socks(const struct worker *w)
{
    return w->max_socks;
}

const struct config *worker_config(const struct worker *w)
{
    return w->stack->cfg;
}
