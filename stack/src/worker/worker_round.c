/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The poll loop: one round, waiting, and resting when there is nothing to do.
 * Invariant: the clock is read once a round and never goes back. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/minmax.h"
#include "worker/worker_priv.h"

#define SPIN_ROUNDS 64u             /**< idle rounds before a sleeping worker sleeps */
#define BACKOFF_MAX_US 200u         /**< longest sleep when the interface can only be polled */
#define TX_RETRY_US 20u             /**< sleep while the interface does not take frames */
#define NEIGHBOUR_US UINT64_C(5000) /**< longest sleep beside other workers: they share what ARP learns */

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

static unsigned receive(struct worker *w)
{
    struct pkt *pkts[WORKER_RX_BURST];
    unsigned n = netif_rx_burst(w->nif, w->index, pkts, WORKER_RX_BURST);

    if (n < WORKER_RX_BURST)
        n += stack_rx_orphans(w->stack, pkts + n, WORKER_RX_BURST - n);
    w->cnt.rx_frames += n;
    for (unsigned i = 0; i < n; i++) {
        w->cnt.rx_bytes += pkts[i]->len;
        inet_input(w->inet, pkts[i], w->now_us);
    }
    return n;
}

bool worker_round(struct worker *w)
{
    bool busy, timers;

    attach(w);
    w->again_run = 0;
    w->now_us = worker_clock_us();
    busy = receive(w) + handover_take(w) > 0;
    timers = timers_deadline(w) <= w->now_us;
    if (timers) {
        tcp_timers(w->tcp, w->now_us);
        inet_worker_timers(w->inet, w->now_us);
    }
    tcp_flush(w->tcp, w->now_us);
    busy = busy || timers || w->tx_count > 0;
    worker_tx_flush(w);
    if (w->send_refused && w->tx_count < WORKER_TX_LIMIT) {
        w->send_refused = false;
        socktab_notify_send_room(&w->socks);
    }
    if (w->now_us >= w->rates.next_us)
        rates_print(w);
    w->cnt.rounds++;
    w->idle_run = busy ? 0 : w->idle_run + 1;
    w->cnt.idle_rounds += !busy;
    return busy;
}

enum status worker_wait(struct worker *w, bool (*ready)(void *arg), void *arg, uint64_t timeout_us)
{
    uint64_t start_us = 0, until_us = WORKER_FOREVER;

    for (;;) {
        bool busy = worker_round(w);

        if (ready(arg))
            return ST_OK;
        if (atomic_load_explicit(&w->interrupted, memory_order_relaxed)) {
            atomic_store(&w->interrupted, false);
            return ST_INTERRUPTED;
        }
        if (start_us == 0) {
            start_us = w->now_us;
            if (timeout_us < WORKER_FOREVER - start_us)
                until_us = start_us + timeout_us;
        }
        if (w->now_us >= until_us)
            return ST_TIMED_OUT;
        if (!busy)
            worker_idle(w, until_us);
    }
}

void worker_interrupt(struct worker *w)
{
    uint64_t one = 1;
    int saved = errno;

    atomic_store(&w->interrupted, true);
    if (write(w->wake_fd, &one, sizeof(one)) < 0)
        errno = EAGAIN; /* The counter is full: the sleeper is awake already. */
    errno = saved;
}

/** Sleeps until the descriptor is readable, somebody interrupts, or so long. */
static void sleep_on(struct worker *w, int fd, uint64_t us)
{
    struct pollfd fds[2] = {{.fd = w->wake_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    struct timespec ts = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    uint64_t count;

    if (ppoll(fds, fd >= 0 ? 2 : 1, us == WORKER_FOREVER ? NULL : &ts, NULL) > 0 &&
        (fds[0].revents & POLLIN) && read(w->wake_fd, &count, sizeof(count)) < 0)
        return;
}

/** How long nothing will happen by itself; WORKER_FOREVER = until a frame comes. */
static uint64_t quiet_us(struct worker *w, uint64_t until_us)
{
    uint64_t next = min_u64(min_u64(until_us, timers_deadline(w)), w->rates.next_us), now = worker_clock_us();

    if (w->nif->ops->next_deadline_us)
        next = min_u64(next, w->nif->ops->next_deadline_us(w->nif));
    if (next == WORKER_FOREVER)
        return WORKER_FOREVER;
    return next > now ? next - now : 0;
}

void worker_idle(struct worker *w, uint64_t until_us)
{
    uint64_t us;
    int fd;

    if (w->stack->cfg->idle == CONFIG_IDLE_POLL)
        return;
    if (w->stack->cfg->idle == CONFIG_IDLE_YIELD) {
        w->cnt.sleeps++;
        sched_yield();
        return;
    }
    if (w->idle_run < SPIN_ROUNDS && w->nif->ops->rx_fd(w->nif, w->index) < 0)
        return;
    us = quiet_us(w, until_us);
    fd = w->nif->ops->rx_fd(w->nif, w->index);
    if (fd < 0)
        us = min_u64(us, min_u64(w->idle_run - SPIN_ROUNDS + 1, BACKOFF_MAX_US));
    if (w->tx_count > 0)
        us = min_u64(us, TX_RETRY_US);
    if (w->stack->num_workers > 1)
        us = min_u64(us, NEIGHBOUR_US);
    if (us == 0)
        return;
    w->cnt.sleeps++;
    sleep_on(w, fd, us);
}
