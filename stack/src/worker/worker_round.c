/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The poll loop: one round, and waiting. Resting when there is nothing to do is in idle.c.
 * Invariant: the clock is read once a round and never goes back. */
#include <time.h>

#include "base/minmax.h"
#include "worker/worker_priv.h"

uint64_t worker_clock_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/** Some interfaces must know each thread that polls them. */
static void attach(struct worker *w)
{
    pthread_t self = pthread_self();

    if (w->attached && pthread_equal(w->thread, self))
        return;
    w->attached = true;
    w->thread = self;
    if (w->nif->ops->attach_thread && w->nif->ops->attach_thread(w->nif) != ST_OK)
        log_say(&w->stack->log, LOG_ERROR, "worker %u: the interface refused the thread", w->index);
}

static uint64_t timers_deadline(struct worker *w)
{
    uint64_t t = tcp_next_deadline(w->tcp), i = inet_worker_next_deadline(w->inet);

    return t < i ? t : i;
}

uint64_t worker_deadline(struct worker *w)
{
    return min_u64(timers_deadline(w), w->rates.next_us);
}

/** What others see of the worker. */
static void report(struct worker *w)
{
    w->stat_next_us = w->now_us + TELEMETRY_US;
    telemetry_worker(w, true);
    if (w->now_us >= w->rates.next_us)
        rates_print(w);
}

bool worker_round(struct worker *w)
{
    bool busy, timers;
    unsigned unsent;

    worker_spend(w, w->waiting ? &w->cnt.cycles_idle : &w->cnt.cycles_application);
    attach(w);
    w->again_run = 0;
    w->now_us = worker_clock_us();
    busy = worker_receive(w) > 0;
    timers = timers_deadline(w) <= w->now_us;
    if (timers) {
        tcp_timers(w->tcp, w->now_us);
        inet_worker_timers(w->inet, w->now_us);
    }
    tcp_flush(w->tcp, w->now_us);
    busy = busy || timers;
    unsent = w->tx_count;
    if (busy || unsent > 0)
        worker_spend(w, &w->cnt.cycles_protocol);
    worker_tx_flush(w);
    busy = busy || w->tx_count < unsent; /* who only waits for room has nothing to do */
    if (w->send_refused && w->tx_count < WORKER_TX_LIMIT) {
        w->send_refused = false;
        socktab_notify_send_room(&w->socks);
    }
    if (w->stack->steer)
        rebalance_round(w);
    w->cnt.rounds++;
    w->idle_run = busy ? 0 : w->idle_run + 1;
    w->cnt.idle_rounds += !busy;
    worker_spend(w, busy ? &w->cnt.cycles_transmit : &w->cnt.cycles_idle);
    if (w->now_us >= w->stat_next_us)
        report(w);
    return busy;
}

static bool take_interrupt(struct worker *w)
{
    return atomic_load_explicit(&w->sleeper->interrupted, memory_order_relaxed) &&
           atomic_exchange(&w->sleeper->interrupted, false);
}

static enum status wait(struct worker *w, bool (*ready)(void *arg), void *arg, uint64_t timeout_us,
                        bool through)
{
    uint64_t start_us = 0, until_us = WORKER_FOREVER;

    for (;;) {
        bool busy = worker_round(w);

        w->waiting = true;
        if (ready(arg))
            return ST_OK;
        if (take_interrupt(w) && !through)
            return ST_INTERRUPTED;
        if (start_us == 0) {
            start_us = w->now_us;
            if (timeout_us < WORKER_FOREVER - start_us)
                until_us = start_us + timeout_us;
        }
        if (w->now_us >= until_us) {
            if (timeout_us == 0 && !busy)
                worker_yield(w);
            return ST_TIMED_OUT;
        }
        if (!busy)
            worker_idle(w, until_us);
    }
}

enum status worker_wait(struct worker *w, bool (*ready)(void *arg), void *arg, uint64_t timeout_us)
{
    enum status st = wait(w, ready, arg, timeout_us, false);

    w->waiting = false;
    return st;
}

void worker_wait_through(struct worker *w, bool (*ready)(void *arg), void *arg, uint64_t timeout_us)
{
    wait(w, ready, arg, timeout_us, true);
    w->waiting = false;
}
