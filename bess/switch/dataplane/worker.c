/* SPDX-License-Identifier: BSD-3-Clause */
/* See worker.h. */
#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_lcore.h>
#include <rte_pause.h>

static long sleep_ns(unsigned empty_rounds)
{
    unsigned doublings = empty_rounds - SPIN_ROUNDS - YIELD_ROUNDS;

    if (empty_rounds >= QUIET_ROUNDS)
        return SLEEP_QUIET_NS;
    return doublings < 8 ? RTE_MIN(SLEEP_MIN_NS << doublings, SLEEP_MAX_NS) : SLEEP_MAX_NS;
}

static void idle(unsigned empty_rounds)
{
    if (empty_rounds < SPIN_ROUNDS)
        rte_pause();
    else if (empty_rounds < SPIN_ROUNDS + YIELD_ROUNDS)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = sleep_ns(empty_rounds)}, NULL);
}

static void run(struct worker *w)
{
    unsigned empty_rounds = 0;

    while (__atomic_load_n(&w->wanted, __ATOMIC_ACQUIRE) == WORKER_RUNNING) {
        unsigned moved = 0;

        for (unsigned i = 0; i < w->n_tasks; i++) {
            const struct task *t = &w->tasks[i];

            moved += t->module->class->run_task(&w->ctx, t->module, t->id);
        }
        if (moved > 0) {
            empty_rounds = 0;
        } else {
            idle(empty_rounds);
            if (empty_rounds < UINT32_MAX)
                empty_rounds++;
        }
    }
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    bool registered;

    prctl(PR_SET_TIMERSLACK, 1000UL);        /* the default of 50 us would double the longest sleep */
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
    ret = thread_start(w);
    if (ret != 0) {
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
