/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The insides of a stack and its workers, for this folder. */
#ifndef WORKER_PRIV_H
#define WORKER_PRIV_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/cycles.h"
#include "base/spsc_ring.h"
#include "inet/inet.h"
#include "steer/steer.h"
#include "worker/design.h"
#include "worker/stack.h"
#include "worker/stat_file.h"
#include "worker/telemetry.h"
#include "worker/transmit.h"
#include "worker/worker.h"

#define WORKER_RX_BURST 64u    /**< most that key `burst` allows */
#define WORKER_TX_BURST 32u    /**< frames gathered before they are handed over within a round */
#define WORKER_TX_QUEUE 512u   /**< frames that may wait for the interface, and in the ring before it */
#define WORKER_TX_LIMIT 448u   /**< from here on TCP and UDP get no buffers: the rest is for ARP and ICMP */
#define WORKER_AGAIN_LIMIT 32u /**< refused calls in a row after which a round is run */

/** Ports of active opens. */
#define EPHEMERAL_FIRST 32768u
#define EPHEMERAL_LAST 60999u
#define SPARE_FIRST 61000u /**< for a worker that no bucket leads to */
#define SPARE_LAST 65535u

#define STACK_MAX_DEDICATED 2u

/** A thread that may sleep, and what wakes it. */
struct sleeper {
    alignas(64) atomic_bool asleep;
    atomic_bool interrupted; /**< a worker's wait shall end; here, as is wake_fd, for who comes too late */
    int wake_fd; /**< eventfd; lives as long as the stack, so that nobody wakes a descriptor that is gone */
};

/** What a dedicated thread does. */
enum dedicated_role { DEDICATED_RECEIVES = 1, DEDICATED_TRANSMITS = 2 };

struct worker_counters {
#define COUNTER(name, text) uint64_t name;
#include "worker/counters.def"
#undef COUNTER
};

/** A thread of the stack's own that distributes, transmits, or both. */
struct dedicated {
    struct mtcp_stack *stack;
    unsigned index; /**< 0 .. design.dedicated - 1 */
    unsigned roles; /**< enum dedicated_role */
    bool running;
    pthread_t thread;
    struct sleeper sleeper;
    unsigned idle_run;
    uint64_t cycles_last;
    uint64_t stat_next_us;
    struct worker_counters cnt; /**< those that apply */
};

struct mtcp_stack {
    const struct config *cfg;
    struct log log;
    struct netif *nif;
    struct inet *inet;
    pthread_mutex_t lock; /**< of taken[], and of inet while its workers come and go */
    struct design design;
    unsigned num_workers;
    uint8_t tcp_key[16]; /**< secret of all workers' TCP: a four-tuple keeps its ISN sequence anywhere */
    struct steer *steer; /**< NULL: one worker polls all queues */
    struct spsc_ring *tx_rings[STACK_MAX_WORKERS]; /**< NULL: each worker has a transmit queue */
    struct tx_port *tx_ports;                      /**< a transmit queue each; NULL: not shared */
    struct sleeper sleepers[STACK_MAX_WORKERS];    /**< of the workers */
    struct dedicated dedicated[STACK_MAX_DEDICATED];
    alignas(64) atomic_uint num_asleep; /**< workers that sleep: so that nobody looks for them in vain */
    atomic_bool stopping;               /**< the dedicated threads end */
    atomic_uint absent;                 /**< workers that are not there */
    bool taken[STACK_MAX_WORKERS];      /**< the worker is there, or being made */
    _Atomic(struct worker *) workers[STACK_MAX_WORKERS];
    struct stat_file stat;              /**< what mtcpstat reads */
    _Atomic uint64_t interface_next_us; /**< when the interface's part of it is due */
};

/** Counters at the last line about rates (key stat_print). */
struct worker_rates {
    uint64_t next_us; /**< when the next line is due; WORKER_FOREVER = none wanted */
    uint64_t last_us;
    struct worker_counters last;
};

/** What key `rebalance` reports. */
struct worker_load {
    uint64_t busy_cycles;          /**< in periods without rest */
    uint64_t last_busy, last_idle; /**< cycles at the end of the last period */
    uint64_t next_us;              /**< when this one ends */
};

struct worker {
    struct mtcp_stack *stack;
    unsigned index;
    unsigned max_socks;
    unsigned burst; /**< key */
    uint64_t now_us;
    struct netif *nif;
    struct inet_worker *inet;
    struct tcp *tcp;
    struct udp *udp;
    struct socktab socks;
    bool attached;
    bool let_move;     /**< the user may lose connections that he declared movable */
    pthread_t thread;  /**< the last thread that polled, when attached */
    unsigned tx_queue; /**< of the interface */
    unsigned tx_count;
    struct spsc_ring *tx_ring; /**< NULL: the queue is the worker's alone */
    struct tx_port *tx_port;   /**< the lock of the queue; NULL: a dedicated thread, or nobody, shares it */
    struct pkt *tx[WORKER_TX_QUEUE];
    uint64_t tx_tried_round; /**< + 1: in which the interface was last asked for room */
    bool foreign;            /**< DIRECT: what is being processed came by another worker's queue */
    bool send_refused;       /**< a datagram found no room: tell its socket when there is */
    bool waiting;            /**< within worker_wait() */
    unsigned again_run;      /**< calls refused with ST_AGAIN since the last round */
    unsigned idle_run;       /**< idle rounds in a row */
    struct sleeper *sleeper;
    uint64_t cycles_last; /**< up to here cycles are accounted for */
    struct worker_counters cnt;
    uint64_t stat_next_us; /**< when the counters are shown next */
    struct worker_rates rates;
    struct worker_load load;
};

enum status worker_create(struct mtcp_stack *st, unsigned index, struct worker **out);
void worker_destroy(struct worker *w, uint64_t linger_us);
/** inet, TCP, UDP and sockets, wired together. What is there after a failure is the caller's to free. */
enum status worker_create_layers(struct worker *w);

/** As worker_wait(), whoever interrupts. */
void worker_wait_through(struct worker *w, bool (*ready)(void *arg), void *arg, uint64_t timeout_us);

/** Receives a burst from where it comes from and processes it; how many frames there were. */
unsigned worker_receive(struct worker *w);
/** Nothing happened in the last round: rest, as key `idle` says, until something may happen or until_us. */
void worker_idle(struct worker *w, uint64_t until_us);
/** The same for a call that does not wait: key `idle` = yield lets others run, and nothing else is done. A
 * program that only ever asks whether there is something would starve whom it waits for. */
void worker_yield(struct worker *w);
/** When something happens by itself: timers, lines about rates. */
uint64_t worker_deadline(struct worker *w);
uint64_t worker_clock_us(void);

/** The cycles since the last call go to one counter. */
static inline void cycles_spend(uint64_t *last, uint64_t *on)
{
    uint64_t now = cycles_now();

    if (now > *last) /* the thread may have moved to a CPU whose counter is behind */
        *on += now - *last;
    *last = now;
}
static inline void worker_spend(struct worker *w, uint64_t *on)
{
    cycles_spend(&w->cycles_last, on);
}

/* idle.c */
enum status sleeper_init(struct sleeper *s);
void sleeper_fini(struct sleeper *s);
/** Wakes a sleeping thread. Any thread. */
void sleeper_wake(struct sleeper *s);
void sleeper_interrupt(struct sleeper *s);
/** The dedicated thread with one of these roles, when it sleeps: something waits for it. */
void dedicated_wake(struct mtcp_stack *st, enum dedicated_role role);
/** Frames have been put into rings: wakes the workers that sleep beside them. */
void workers_wake_waiting(struct mtcp_stack *st);
/** As worker_idle(), for a dedicated thread. */
void dedicated_idle(struct dedicated *d);

/* rebalance.c */
extern const struct steer_ops rebalance_ops;
/** At the end of a round of one among several: buckets that move, and with key `rebalance` whether some
 * should.
 */
void rebalance_round(struct worker *w);

/* distributor.c */
enum status distributor_start(struct mtcp_stack *st);
/** What waits in the transmit rings goes out first, when the interface takes it soon. */
void distributor_stop(struct mtcp_stack *st);

/** Once a second a line with the worker's rates, when key stat_print asks for it. */
void rates_init(struct worker *w);
void rates_print(struct worker *w);

#endif
