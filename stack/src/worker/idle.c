/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a thread does when its last round found nothing (key `idle`): polls on, gives the core to who wants
 * it, or sleeps - until the interface's descriptor is readable, another thread has put something into its
 * rings, somebody interrupts, or its next timer is due. An interface without a descriptor is polled by those
 * who poll it, with a growing pause.
 * Who sleeps says so first and then looks once more; who puts something into a ring looks afterwards who
 * sleeps. With a full fence between the two steps on both sides, one of them sees the other: no frame waits
 * beside a sleeper. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/minmax.h"
#include "worker/worker_priv.h"

#define SPIN_ROUNDS 64u             /**< idle rounds before a sleeping worker sleeps */
#define BACKOFF_MAX_US 200u         /**< longest sleep when the interface can only be polled */
#define TX_RETRY_US 20u             /**< sleep while the interface does not take frames */
#define NEIGHBOUR_US UINT64_C(5000) /**< longest sleep beside other workers: they share what ARP learns */

enum status sleeper_init(struct sleeper *s)
{
    atomic_init(&s->asleep, false);
    atomic_init(&s->interrupted, false);
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return s->wake_fd < 0 ? ST_IO : ST_OK;
}

void sleeper_fini(struct sleeper *s)
{
    if (s->wake_fd >= 0)
        close(s->wake_fd);
}

void sleeper_wake(struct sleeper *s)
{
    uint64_t one = 1;
    int saved = errno;

    if (write(s->wake_fd, &one, sizeof(one)) < 0)
        errno = EAGAIN; /* The counter is full: the sleeper is awake already. */
    errno = saved;
}

/** Wakes the thread if it sleeps and nobody else has woken it. */
static void wake_if_asleep(struct sleeper *s)
{
    if (atomic_load(&s->asleep) && atomic_exchange(&s->asleep, false))
        sleeper_wake(s);
}

void dedicated_wake(struct mtcp_stack *st, enum dedicated_role role)
{
    if (st->cfg->idle != CONFIG_IDLE_SLEEP)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned i = 0; i < st->design.dedicated; i++)
        if (st->dedicated[i].roles & role)
            wake_if_asleep(&st->dedicated[i].sleeper);
}

void workers_wake_waiting(struct mtcp_stack *st)
{
    if (st->cfg->idle != CONFIG_IDLE_SLEEP)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&st->num_asleep, memory_order_relaxed) == 0)
        return;
    for (unsigned i = 0; i < st->num_workers; i++)
        if (atomic_load_explicit(&st->sleepers[i].asleep, memory_order_relaxed) &&
            steer_waiting(st->steer, i) > 0)
            wake_if_asleep(&st->sleepers[i]);
}

/** Sleeps until a descriptor is readable (the first one is the sleeper's own) or so long. */
static void sleep_on(struct pollfd *fds, unsigned n, uint64_t us)
{
    struct timespec ts = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    uint64_t count;

    if (ppoll(fds, n, us == WORKER_FOREVER ? NULL : &ts, NULL) > 0 && (fds[0].revents & POLLIN) &&
        read(fds[0].fd, &count, sizeof(count)) < 0)
        return; /* somebody else's wake-up, taken already */
}

/** The descriptors of the queues from `first` on, in steps; 0 when one can only be polled. */
static unsigned rx_fds(struct netif *nif, struct pollfd *fds, unsigned first, unsigned step, unsigned queues)
{
    unsigned n = 0;

    for (unsigned q = first; q < queues; q += step) {
        fds[n] = (struct pollfd){.fd = nif->ops->rx_fd(nif, q), .events = POLLIN};
        if (fds[n++].fd < 0)
            return 0;
    }
    return n;
}

static uint64_t left_us(uint64_t deadline_us)
{
    uint64_t now = worker_clock_us();

    if (deadline_us == WORKER_FOREVER)
        return WORKER_FOREVER;
    return deadline_us > now ? deadline_us - now : 0;
}

static uint64_t backoff_us(unsigned idle_run)
{
    return idle_run < SPIN_ROUNDS ? 0 : min_u64(idle_run - SPIN_ROUNDS + 1, BACKOFF_MAX_US);
}

/* ---- a worker ---- */

/** How long nothing will happen by itself; WORKER_FOREVER = until a frame comes. */
static uint64_t worker_quiet_us(struct worker *w, uint64_t until_us)
{
    uint64_t next = min_u64(until_us, worker_deadline(w));

    if (w->stack->design.dedicated == 0)
        next = min_u64(next, netif_next_deadline_us(w->nif));
    return left_us(next);
}

/** The sleep of a worker that others may wake; not when something has come meanwhile. */
static void sleep_among_others(struct worker *w, struct pollfd *fds, unsigned n, uint64_t us)
{
    struct mtcp_stack *st = w->stack;

    atomic_store(&w->sleeper->asleep, true);
    atomic_fetch_add(&st->num_asleep, 1);
    atomic_thread_fence(memory_order_seq_cst);
    if (steer_waiting(st->steer, w->index) == 0)
        sleep_on(fds, n, min_u64(us, NEIGHBOUR_US));
    atomic_store(&w->sleeper->asleep, false);
    atomic_fetch_sub(&st->num_asleep, 1);
}

static void worker_sleep(struct worker *w, uint64_t until_us)
{
    struct pollfd fds[1 + STEER_MAX_QUEUES] = {{.fd = w->sleeper->wake_fd, .events = POLLIN}};
    const struct design *d = &w->stack->design;
    bool own_queues = d->design == STEER_DIRECT && d->steering;
    unsigned n = 0;
    uint64_t us;

    if (d->dedicated == 0)
        n = rx_fds(w->nif, fds + 1, own_queues ? w->index : 0, own_queues ? d->workers : 1, d->queues);
    if (n == 0 && d->dedicated == 0 && w->idle_run < SPIN_ROUNDS)
        return;
    us = worker_quiet_us(w, until_us);
    if (n == 0 && d->dedicated == 0)
        us = min_u64(us, backoff_us(w->idle_run));
    if (w->tx_count > 0 || (w->tx_port && !worker_tx_done(w)))
        us = min_u64(us, TX_RETRY_US);
    if (us == 0)
        return;
    w->cnt.sleeps++;
    if (w->stack->steer)
        sleep_among_others(w, fds, 1 + n, us);
    else
        sleep_on(fds, 1 + n, us);
}

void worker_yield(struct worker *w)
{
    if (w->stack->cfg->idle != CONFIG_IDLE_YIELD)
        return;
    w->cnt.sleeps++;
    sched_yield();
    worker_spend(w, &w->cnt.cycles_idle);
}

void worker_idle(struct worker *w, uint64_t until_us)
{
    switch (w->stack->cfg->idle) {
    case CONFIG_IDLE_POLL:
        return;
    case CONFIG_IDLE_YIELD:
        worker_yield(w);
        return;
    case CONFIG_IDLE_SLEEP:
        worker_sleep(w, until_us);
        break;
    }
    worker_spend(w, &w->cnt.cycles_idle);
}

void sleeper_interrupt(struct sleeper *s)
{
    atomic_store(&s->interrupted, true);
    sleeper_wake(s);
}

void worker_interrupt(struct worker *w)
{
    sleeper_interrupt(w->sleeper);
}

/* ---- a dedicated thread ---- */

static void dedicated_sleep(struct dedicated *d)
{
    struct pollfd fds[1 + STEER_MAX_QUEUES] = {{.fd = d->sleeper.wake_fd, .events = POLLIN}};
    struct mtcp_stack *st = d->stack;
    bool receives = d->roles & DEDICATED_RECEIVES, transmits = d->roles & DEDICATED_TRANSMITS;
    uint64_t us = WORKER_FOREVER;
    unsigned n = 0;

    if (receives)
        n = rx_fds(st->nif, fds + 1, 0, 1, st->design.queues);
    us = left_us(netif_next_deadline_us(st->nif));
    if (receives && n == 0)
        us = min_u64(us, backoff_us(d->idle_run));
    if (transmits && transmit_waits(st)) /* the interface has refused them */
        us = min_u64(us, TX_RETRY_US);
    if (us == 0)
        return;
    d->cnt.sleeps++;
    atomic_store(&d->sleeper.asleep, true);
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load(&st->stopping) && !(transmits && us > TX_RETRY_US && transmit_waits(st)))
        sleep_on(fds, 1 + n, us);
    atomic_store(&d->sleeper.asleep, false);
}

void dedicated_idle(struct dedicated *d)
{
    switch (d->stack->cfg->idle) {
    case CONFIG_IDLE_POLL:
        return;
    case CONFIG_IDLE_YIELD:
        d->cnt.sleeps++;
        sched_yield();
        break;
    case CONFIG_IDLE_SLEEP:
        dedicated_sleep(d);
        break;
    }
    cycles_spend(&d->cycles_last, &d->cnt.cycles_idle);
}
