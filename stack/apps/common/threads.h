/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One thread a core, each with a context of its own, and a line a second about what they do, as mTCP's
 * programs print it. */
#ifndef APPS_THREADS_H
#define APPS_THREADS_H

#include <stdatomic.h>
#include <stddef.h>

#include "common/app.h"
#include "mtcp_epoll.h"

#define THREADS_MAX 64

/** What a thread counts while it runs; read by the thread that prints. */
struct thread_counts {
    atomic_ulong waits, events, connects, read_bytes, write_bytes, completes, errors;
    atomic_ulong time_sum_us, time_max_us; /**< of the completed requests */
};

struct thread {
    const struct app_options *options;
    int core;
    mctx_t mctx;
    void *arg; /**< the program's */
    struct thread_counts counts;
    bool failed;
};

static inline void count(atomic_ulong *c, unsigned long n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline unsigned long counted(const atomic_ulong *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

/** Runs run() in a thread for each of cores[], and returns when all have ended. threads[i].arg is set by the
 * caller. False when a thread could not start or set failed. */
bool threads_run(const struct app_options *o, struct thread *threads, const int *cores, int n,
                 void (*run)(struct thread *t));
/** mtcp_epoll_wait() with its counts. Events stored, 0 also when a signal came, -1 after a message: the
 * thread has failed. */
int thread_wait(struct thread *t, int ep, struct mtcp_epoll_event *events, int max, int timeout_ms);
/** The sum over all threads. */
void threads_sum(const struct thread *threads, int n, struct thread_counts *out);

#endif
