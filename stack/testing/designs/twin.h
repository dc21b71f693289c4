/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two complete stacks in one process at the ends of a cable, each with worker threads that run what the test
 * hangs into them: 10.0.0.1 is side 0, 10.0.0.2 side 1. The run is over when no work is left; then every
 * connection must go away, every frame must come back, and no counter may tell of a loss that the test did
 * not expect. Nothing depends on time: a run that makes no progress for TWIN_PATIENCE_S prints all it knows
 * and ends the program. */
#ifndef TESTING_DESIGNS_TWIN_H
#define TESTING_DESIGNS_TWIN_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/api_priv.h"
#include "base/list.h"
#include "netif/fault_model.h"
#include "testing/designs/cable.h"

#define TWIN_MAX_WORKERS 8u
#define TWIN_PATIENCE_S 60u
#define TWIN_TEXT 256u

struct twin;
struct twin_worker;

struct twin_side_params {
    const char *design; /**< value of key `distribution` */
    unsigned workers;   /**< that run TCP: the cores that a design takes for itself come on top */
    unsigned queues;    /**< 0 = as many as workers */
};

struct twin_params {
    struct twin_side_params side[2];
    enum cable_spread spread;
    const char *config;               /**< further lines for both sides, or NULL */
    bool arp;                         /**< neighbours are asked for, not configured */
    bool wakes;                       /**< the interface has a descriptor that wakes sleepers */
    const struct fault_params *fault; /**< makes the cable bad at side 0, both ways; NULL = clean */
};

/** Something that waits for events of a descriptor: data.ptr of its epoll entry. */
struct twin_handler {
    void (*on)(struct twin_handler *h, uint32_t events);
};

struct twin_worker {
    struct twin *twin;
    unsigned side, index; /**< index: of the worker in its stack */
    mctx_t ctx;
    int ep;
    void *app;      /**< of the test */
    bool cut_short; /**< the last wait had more events than it could tell */
    pthread_t thread;
    _Atomic uint64_t loops; /**< for who looks whether it is alive */
    _Atomic uint64_t conns; /**< it had at the last look */
    bool leaves;            /**< set by the test in a step: the context ends, and a new one begins */
};

/** What a test runs in the worker threads. */
struct twin_app {
    /** A context is there: makes listeners and the like. At first all do so before any of them polls. */
    void (*start)(struct twin_worker *tw);
    /** Before each wait. Returns how many ms the wait may last, -1 = until something happens. */
    int (*step)(struct twin_worker *tw);
    /** After the last event of this context: closes what is still open. */
    void (*stop)(struct twin_worker *tw);
    /** What the test knows when a run hangs; from another thread. */
    void (*dump)(struct twin *t, FILE *out);
};

struct twin_counter {
    char name[48];
    uint64_t value;
};

struct twin {
    struct twin_params p;
    const struct twin_app *app;
    void *test; /**< of the test */
    struct cable *cable;
    struct config cfg[2];
    struct mtcp_stack *stack[2];
    struct twin_worker worker[2][TWIN_MAX_WORKERS];
    pthread_barrier_t barrier; /**< all threads, at start and end */
    _Atomic uint64_t work;     /**< what is left to do; at 0 the run is over */
    _Atomic uint64_t progress; /**< rises whenever something went on */
    atomic_bool over, failed;
    atomic_uint quiet; /**< workers that have nothing left */
    pthread_mutex_t lock;
    char failure[TWIN_TEXT];
    struct twin_counter counters[2][256]; /**< sums over the workers of a side that have ended */
    unsigned num_counters[2];
};

/** Builds both stacks. */
void twin_open(struct twin *t, const struct twin_params *p, const struct twin_app *app, void *test);
/** Runs until t->work is 0 or something failed, and takes everything apart. */
void twin_run(struct twin *t);

/** For worker threads: n pieces of work are done. */
void twin_done(struct twin_worker *tw, uint64_t n);
void twin_progress(struct twin_worker *tw);
/** The first failure is kept, and ends the run. */
void twin_fail(struct twin *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Ends the waits of all workers. */
void twin_interrupt(struct twin *t);

struct sockaddr_in twin_addr(unsigned side, uint16_t port);
/** Watches a descriptor with level-triggered events. */
void twin_watch(struct twin_worker *tw, int fd, uint32_t events, struct twin_handler *h);
void twin_rewatch(struct twin_worker *tw, int fd, uint32_t events, struct twin_handler *h);
struct worker *twin_worker_of(const struct twin_worker *tw);
/** A counter of a worker now, in its own thread; 0 when there is none of the name. */
uint64_t twin_counter_now(struct twin_worker *tw, const char *name);

/** After the run: a counter of a side, `layer.name`. */
uint64_t twin_counter(const struct twin *t, unsigned side, const char *name);
/** After the run: a failure for each counter of a drop, disorder or failure that is not 0 and does not stand
 * in allowed (names apart by blanks, a * at the end of one stands for anything). What segments meet that were
 * sent twice, for nothing, may be as many as these. */
void twin_expect_no_drops(struct twin *t, const char *allowed);
/** After the run: NULL, or what went wrong. */
const char *twin_failure(const struct twin *t);

#endif
