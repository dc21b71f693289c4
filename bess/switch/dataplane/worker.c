/* SPDX-License-Identifier: BSD-3-Clause */
/* See worker.h. */
#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_pause.h>

static bool goes_on(const struct worker *w)
{
    return __atomic_load_n(&w->wanted, __ATOMIC_ACQUIRE) == WORKER_RUNNING;
}

/* Every task once: how many packets moved. */
static unsigned run_round(struct worker *w)
{
    unsigned moved = 0;

    w->ctx.wake_tsc = UINT64_MAX;
    for (unsigned i = 0; i < w->n_tasks; i++) {
        const struct task *t = &w->tasks[i];

        moved += t->module->class->run_task(&w->ctx, t->module, t->id);
    }
    return moved;
}

/* `ns`, or what is left until a task has something to do. */
static uint64_t until_wake_ns(const struct worker *w, uint64_t ns)
{
    uint64_t now, left_ns;

    if (w->ctx.wake_tsc == UINT64_MAX)
        return ns;
    now = rte_rdtsc();
    if (w->ctx.wake_tsc <= now)
        return 0;
    left_ns = (double)(w->ctx.wake_tsc - now) * 1e9 / (double)rte_get_tsc_hz();
    return RTE_MIN(ns, left_ns);
}

/* ---- asleep until somebody wakes us ---- */

static uint32_t generations(const struct worker *w)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < w->n_tasks; i++) {
        const struct module *m = w->tasks[i].module;

        if (m->class->generation != NULL)
            sum += m->class->generation(m);
    }
    return sum;
}

static void disarm(struct worker *w, unsigned n_tasks)
{
    for (unsigned i = 0; i < n_tasks; i++) {
        const struct task *t = &w->tasks[i];

        if (t->module->class->disarm != NULL)
            t->module->class->disarm(t->module, t->id);
    }
}

static bool arm(struct worker *w, int epoll_fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &event) != 0)
        return false;
    for (unsigned i = 0; i < w->n_tasks; i++) {
        const struct task *t = &w->tasks[i];

        if (t->module->class->arm == NULL || !t->module->class->arm(t->module, t->id, epoll_fd)) {
            disarm(w, i + 1);
            return false;
        }
    }
    return true;
}

/* Kicks of the past make an eventfd readable that nobody reads; being edge-triggered, each says so once. */
static void forget_old_kicks(int epoll_fd)
{
    struct epoll_event events[64];

    while (epoll_wait(epoll_fd, events, RTE_DIM(events), 0) == RTE_DIM(events))
        ;
}

/* False: some task must be polled. */
static bool wait_for_work(struct worker *w)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    uint32_t generation = generations(w);
    struct pollfd pfd = {.fd = epoll_fd, .events = POLLIN};
    bool armed = epoll_fd >= 0 && arm(w, epoll_fd);

    if (armed) {
        forget_old_kicks(epoll_fd);
        rte_smp_mb(); /* a frame whose sender did not see that we asked is seen by this round */
        while (goes_on(w) && run_round(w) == 0 && generations(w) == generation) {
            struct timespec ts = {.tv_nsec = until_wake_ns(w, WAIT_NS)};

            if (ppoll(&pfd, 1, &ts, NULL) > 0) {
                __atomic_add_fetch(&w->kicks, 1, __ATOMIC_RELAXED);
                break;
            }
        }
        disarm(w, w->n_tasks);
    }
    if (epoll_fd >= 0)
        close(epoll_fd);
    return armed;
}

/* ---- the loop ---- */

static uint64_t sleep_ns(unsigned empty_rounds)
{
    unsigned doublings = empty_rounds - SPIN_ROUNDS - YIELD_ROUNDS;

    if (empty_rounds >= QUIET_ROUNDS)
        return SLEEP_QUIET_NS;
    return doublings < 8 ? RTE_MIN(SLEEP_MIN_NS << doublings, SLEEP_MAX_NS) : SLEEP_MAX_NS;
}

/*
 * While a frame waits for its time nothing is gained by staying awake, and punctuality lost: who spins, or
 * yields, is behind all others when it matters. Where it shares its core with guests that do not sleep,
 * frames left 0.7 ms late on average with spinning, and leave 0.1 to 0.2 ms late without.
 */
static void idle(const struct worker *w, unsigned empty_rounds)
{
    if (w->ctx.wake_tsc != UINT64_MAX && empty_rounds < HELD_ROUNDS)
        empty_rounds = HELD_ROUNDS;
    if (empty_rounds < SPIN_ROUNDS)
        rte_pause();
    else if (empty_rounds < SPIN_ROUNDS + YIELD_ROUNDS)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = until_wake_ns(w, sleep_ns(empty_rounds))}, NULL);
}

static void run(struct worker *w)
{
    unsigned empty_rounds = 0;
    uint64_t unused;

    (void)!read(w->wake_fd, &unused, sizeof(unused));
    while (goes_on(w)) {
        if (run_round(w) > 0) {
            empty_rounds = 0;
            continue;
        }
        if (empty_rounds >= QUIET_ROUNDS && wait_for_work(w)) {
            empty_rounds = 0;
            continue;
        }
        idle(w, empty_rounds);
        if (empty_rounds < UINT32_MAX)
            empty_rounds++;
    }
}

/* Linux's argument of sched_getattr and sched_setattr, for which the C library has neither name nor call. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice_ns, deadline, period;
};

/*
 * A thread that asks for short slices preempts, when it wakes up, those that run longer ones, as long as it
 * has not had more than its share (Linux 6.12; older ones ignore it). Its share stays the same, and anyone
 * may ask.
 */
static void ask_for_short_slices(void)
{
    struct scheduling s = {.size = sizeof(s)};

    if (syscall(SYS_sched_getattr, 0, &s, sizeof(s), 0) != 0 || s.policy != SCHED_OTHER)
        return;
    s.slice_ns = SLICE_NS;
    syscall(SYS_sched_setattr, 0, &s, 0);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    bool registered;

    prctl(PR_SET_TIMERSLACK, 1000UL); /* the default of 50 us would double the longest sleep */
    ask_for_short_slices();
    registered = rte_thread_register() == 0; /* gives the thread its own mempool cache */
    pthread_mutex_lock(&w->mutex);
    while (w->wanted != WORKER_ENDED) {
        if (w->wanted == WORKER_PAUSED) {
            w->state = WORKER_PAUSED;
            pthread_cond_broadcast(&w->changed);
            pthread_cond_wait(&w->changed, &w->mutex);
            continue;
        }
        w->state = WORKER_RUNNING;
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->mutex);
        run(w);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    if (registered)
        rte_thread_unregister();
    return NULL;
}

static void want(struct worker *w, enum worker_state state)
{
    pthread_mutex_lock(&w->mutex);
    __atomic_store_n(&w->wanted, state, __ATOMIC_RELEASE);
    (void)!write(w->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    pthread_cond_broadcast(&w->changed);
    while (w->state != state && state != WORKER_ENDED)
        pthread_cond_wait(&w->changed, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
}

/* A thread on `core` that leaves signals to the process's own threads. */
static int thread_start(struct worker *w)
{
    pthread_attr_t attr;
    cpu_set_t cpus;
    sigset_t all, old;
    char name[16];
    int ret;

    CPU_ZERO(&cpus);
    CPU_SET(w->core, &cpus);
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    ret = pthread_create(&w->thread, &attr, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (ret != 0)
        return -ret;
    snprintf(name, sizeof(name), "vportd-w%u", w->ctx.slot);
    pthread_setname_np(w->thread, name);
    return 0;
}

int worker_create(unsigned slot, int core, struct rte_mempool *pool, struct worker **out)
{
    struct worker *w;
    int ret;

    if (core < 0 || core >= CPU_SETSIZE)
        return -EINVAL;
    w = calloc(1, sizeof(*w));
    if (w == NULL)
        return -ENOMEM;
    w->core = core;
    w->ctx.slot = slot;
    w->ctx.pool = pool;
    w->wanted = WORKER_PAUSED;
    w->state = WORKER_RUNNING; /* until the thread says that it is paused */
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->changed, NULL);
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ret = w->wake_fd < 0 ? -errno : thread_start(w);
    if (ret != 0) {
        if (w->wake_fd >= 0)
            close(w->wake_fd);
        free(w);
        return ret;
    }
    want(w, WORKER_PAUSED);
    *out = w;
    return 0;
}

void worker_destroy(struct worker *w)
{
    want(w, WORKER_ENDED);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
    close(w->wake_fd);
    free(w);
}

void worker_pause(struct worker *w)
{
    want(w, WORKER_PAUSED);
}

void worker_resume(struct worker *w)
{
    want(w, WORKER_RUNNING);
}

int worker_attach(struct worker *w, struct module *m, unsigned task)
{
    if (task >= m->n_tasks)
        return -ENOENT;
    if (w->n_tasks >= WORKER_MAX_TASKS)
        return -ENOMEM;
    w->tasks[w->n_tasks++] = (struct task){.module = m, .id = task};
    return 0;
}

void worker_detach(struct worker *w, const struct module *m, unsigned task)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < w->n_tasks; i++) {
        if (w->tasks[i].module != m || w->tasks[i].id != task)
            w->tasks[kept++] = w->tasks[i];
    }
    w->n_tasks = kept;
}
