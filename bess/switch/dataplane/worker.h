/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: one pinned thread that runs its tasks round-robin.
 *
 * On a host where guests share the cores a thread that never sleeps starves them, so an idle worker backs
 * off: SPIN_ROUNDS empty rounds of spinning, YIELD_ROUNDS with sched_yield, then sleeps that double from
 * SLEEP_MIN_NS to SLEEP_MAX_NS. After QUIET_ROUNDS (some 20 ms) it asks its ports' peers to wake it
 * (port_notify.h) and waits for that, looking around every WAIT_NS all the same; where a task cannot tell
 * (a device without kicks) it goes on sleeping SLEEP_QUIET_NS at a time. One packet ends it all. The price is
 * up to one sleep, or one wake-up, of latency on the first packet after a pause. It never sleeps beyond
 * ctx.wake_tsc; while that says that a frame waits for its time, it sleeps SLEEP_MAX_NS from the first empty
 * round on, because a thread that has used little of its share of a core is run as soon as it wakes up.
 *
 * The task list changes only while the worker is paused.
 */
#ifndef DP_WORKER_H
#define DP_WORKER_H

#include <pthread.h>

#include "module.h"

#define WORKER_MAX_TASKS 1024
#define SPIN_ROUNDS 64
#define YIELD_ROUNDS 64
#define SLEEP_MIN_NS 2000
#define SLEEP_MAX_NS 50000
#define QUIET_ROUNDS 450
#define SLEEP_QUIET_NS 200000
#define WAIT_NS 10000000
#define HELD_ROUNDS (SPIN_ROUNDS + YIELD_ROUNDS + 5) /* sleeps of SLEEP_MAX_NS from the first */
#define SLICE_NS 100000                              /* the shortest that Linux gives */

struct task {
    struct module *module;
    unsigned id;
};

enum worker_state { WORKER_PAUSED, WORKER_RUNNING, WORKER_ENDED };

struct worker {
    pthread_t thread;
    int core;
    struct run_ctx ctx;
    unsigned n_tasks;
    struct task tasks[WORKER_MAX_TASKS];

    int wake_fd;    /* eventfd: something else is wanted */
    uint64_t kicks; /* sleeps that something ended, rather than time */
    int wanted;     /* enum worker_state; read by the thread in every round */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum worker_state state; /* under mutex */
};

/* Starts paused. -EINVAL: the process may not run on this core. */
int worker_create(unsigned slot, int core, struct rte_mempool *pool, struct worker **out);
void worker_destroy(struct worker *w);
/* Both return when the thread has obeyed. */
void worker_pause(struct worker *w);
void worker_resume(struct worker *w);
int worker_attach(struct worker *w, struct module *m, unsigned task);
void worker_detach(struct worker *w, const struct module *m, unsigned task);

#endif
