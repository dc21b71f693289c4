/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The dedicated threads of the designs 1kb (one receives and transmits) and 2kb (one receives, one
 * transmits): they sort what the interface has for the workers, and give it what the workers send. They know
 * no protocol, and no worker waits for them. Invariant: a thread runs from distributor_start() to
 * distributor_stop(), whatever workers come and go. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>

#include "worker/worker_priv.h"

#define FLUSH_US 100000u /**< at the end, for what still waits in the transmit rings */

static unsigned distribute(struct dedicated *d)
{
    struct mtcp_stack *st = d->stack;
    struct pkt *pkts[WORKER_RX_BURST];
    unsigned total = 0;

    for (unsigned q = 0; q < st->design.queues; q++) {
        unsigned n = netif_rx_burst(st->nif, q, pkts, st->cfg->burst);

        if (n == 0)
            continue;
        cycles_spend(&d->cycles_last, &d->cnt.cycles_receive);
        d->cnt.rx_bursts++;
        d->cnt.rx_polled += n;
        /* Nobody else receives: the queue is free. */
        steer_rx_enter(st->steer, q);
        steer_distribute(st->steer, q, STEER_NOBODY, pkts, n);
        steer_rx_leave(st->steer, q);
        workers_wake_waiting(st);
        cycles_spend(&d->cycles_last, &d->cnt.cycles_steer);
        total += n;
    }
    return total;
}

static unsigned transmit(struct dedicated *d)
{
    unsigned n = transmit_all(d->stack, &d->cnt);

    if (n > 0) {
        d->cnt.tx_ring_bursts++;
        cycles_spend(&d->cycles_last, &d->cnt.cycles_transmit);
    }
    return n;
}

/** Frames that the interface holds back (fault) move when it is polled. Who receives polls it anyway, but may
 * sleep. */
static void move_what_is_due(struct mtcp_stack *st)
{
    uint64_t due_us = netif_next_deadline_us(st->nif);

    if (due_us == WORKER_FOREVER || due_us > worker_clock_us())
        return;
    for (unsigned q = 0; q < st->design.queues; q++)
        netif_tx_burst(st->nif, q, NULL, 0);
}

static void flush(struct dedicated *d)
{
    uint64_t until_us = worker_clock_us() + FLUSH_US;

    while (transmit_waits(d->stack) && worker_clock_us() < until_us)
        if (transmit_all(d->stack, &d->cnt) == 0)
            sched_yield();
}

static void *run(void *arg)
{
    struct dedicated *d = arg;
    struct mtcp_stack *st = d->stack;

    if (netif_attach_thread(st->nif) != ST_OK)
        log_say(&st->log, LOG_ERROR, "distributor %u: the interface refused the thread", d->index);
    d->cycles_last = cycles_now();
    while (!atomic_load_explicit(&st->stopping, memory_order_acquire)) {
        uint64_t now_us = worker_clock_us();
        unsigned n = 0;

        if (now_us >= d->stat_next_us) {
            telemetry_dedicated(d, now_us);
            d->stat_next_us = now_us + TELEMETRY_US;
        }

        if (d->roles & DEDICATED_RECEIVES)
            n += distribute(d);
        if (d->roles & DEDICATED_TRANSMITS)
            n += transmit(d);
        d->cnt.rounds++;
        if (n > 0) {
            d->idle_run = 0;
            continue;
        }
        if (d->roles == DEDICATED_TRANSMITS)
            move_what_is_due(st);
        d->idle_run++;
        d->cnt.idle_rounds++;
        cycles_spend(&d->cycles_last, &d->cnt.cycles_idle);
        dedicated_idle(d);
    }
    if (d->roles & DEDICATED_TRANSMITS)
        flush(d);
    return NULL;
}

/** The CPUs of core_mask that follow those of the workers, around again when there are no more. */
static void pin(const struct dedicated *d, pthread_attr_t *attr)
{
    const struct mtcp_stack *st = d->stack;
    uint64_t mask = st->cfg->core_mask;
    cpu_set_t set;

    if (mask == 0)
        return;
    for (unsigned i = (st->num_workers + d->index) % (unsigned)__builtin_popcountll(mask); i > 0; i--)
        mask &= mask - 1;
    CPU_ZERO(&set);
    CPU_SET(__builtin_ctzll(mask), &set);
    pthread_attr_setaffinity_np(attr, sizeof(set), &set);
}

static int create_thread(struct dedicated *d, bool pinned)
{
    pthread_attr_t attr;
    int err = pthread_attr_init(&attr);

    if (err)
        return err;
    if (pinned)
        pin(d, &attr);
    err = pthread_create(&d->thread, &attr, run, d);
    pthread_attr_destroy(&attr);
    return err;
}

static enum status start_one(struct mtcp_stack *st, unsigned index, unsigned roles, const char *name)
{
    struct dedicated *d = &st->dedicated[index];
    sigset_t all, before;
    int err;

    d->stack = st;
    d->index = index;
    d->roles = roles;
    /* Signals are for the application's threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = create_thread(d, true);
    if (err && st->cfg->core_mask) {
        log_say(&st->log, LOG_WARN, "%s stays unpinned: its CPU of core_mask cannot be used", name);
        err = create_thread(d, false);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err) {
        log_say(&st->log, LOG_ERROR, "%s: the thread does not start", name);
        return ST_NO_MEMORY;
    }
    pthread_setname_np(d->thread, name);
    d->running = true;
    return ST_OK;
}

enum status distributor_start(struct mtcp_stack *st)
{
    enum status rc = ST_OK;

    if (st->design.dedicated == 0)
        return ST_OK;
    if (st->design.dedicated == 1)
        return start_one(st, 0, DEDICATED_RECEIVES | DEDICATED_TRANSMITS, "mtcp-distribute");
    rc = start_one(st, 0, DEDICATED_RECEIVES, "mtcp-receive");
    return rc == ST_OK ? start_one(st, 1, DEDICATED_TRANSMITS, "mtcp-transmit") : rc;
}

void distributor_stop(struct mtcp_stack *st)
{
    atomic_store(&st->stopping, true);
    for (unsigned i = 0; i < st->design.dedicated; i++)
        if (st->dedicated[i].running)
            sleeper_wake(&st->dedicated[i].sleeper);
    for (unsigned i = 0; i < st->design.dedicated; i++)
        if (st->dedicated[i].running)
            pthread_join(st->dedicated[i].thread, NULL);
}
