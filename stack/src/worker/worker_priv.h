/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The insides of a stack and its workers, for this folder. */
#ifndef WORKER_PRIV_H
#define WORKER_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/spsc_ring.h"
#include "inet/inet.h"
#include "worker/stack.h"
#include "worker/worker.h"

#define WORKER_RX_BURST 64u
#define WORKER_TX_BURST 32u    /**< frames gathered before they are handed over within a round */
#define WORKER_TX_QUEUE 512u   /**< frames that may wait for the interface */
#define WORKER_TX_LIMIT 448u   /**< from here on TCP and UDP get no buffers: the rest is for ARP and ICMP */
#define WORKER_AGAIN_LIMIT 32u /**< refused calls in a row after which a round is run */

/** Ports of active opens, shared out among the workers. */
#define EPHEMERAL_FIRST 32768u
#define EPHEMERAL_LAST 60999u

struct mtcp_stack {
    const struct config *cfg;
    struct log log;
    struct netif *nif;
    struct inet *inet;
    pthread_mutex_t lock; /**< of taken[], and of inet while its workers come and go */
    unsigned num_workers;
    struct spsc_ring **rings; /**< [from][to] of several workers, see handover.c; NULL with one */
    atomic_uint orphans;      /**< queues that no worker has */
    uint8_t tcp_key[16];      /**< secret of all workers' TCP: a four-tuple keeps its ISN sequence anywhere */
    bool taken[STACK_MAX_WORKERS]; /**< the queue is in use */
    _Atomic(struct worker *) workers[STACK_MAX_WORKERS];
};

struct worker_counters {
#define COUNTER(name, text) uint64_t name;
#include "worker/counters.def"
#undef COUNTER
};

/** Counters at the last line about rates (key stat_print). */
struct worker_rates {
    uint64_t next_us; /**< when the next line is due; WORKER_FOREVER = none wanted */
    uint64_t last_us;
    struct worker_counters last;
};

struct worker {
    struct mtcp_stack *stack;
    unsigned index; /**< also the queue of the interface */
    unsigned max_socks;
    uint64_t now_us;
    struct netif *nif;
    struct inet_worker *inet;
    struct tcp *tcp;
    struct udp *udp;
    struct socktab socks;
    bool attached;
    bool let_move;    /**< the user may lose connections that he declared movable */
    pthread_t thread; /**< the last thread that polled, when attached */
    struct pkt *tx[WORKER_TX_QUEUE];
    unsigned tx_count;
    bool send_refused;  /**< a datagram found no room: tell its socket when there is */
    unsigned again_run; /**< calls refused with ST_AGAIN since the last round */
    unsigned idle_run;  /**< idle rounds in a row */
    int wake_fd;        /**< eventfd that ends a sleep */
    atomic_bool interrupted;
    struct worker_counters cnt;
    struct worker_rates rates;
};

enum status worker_create(struct mtcp_stack *st, unsigned index, struct worker **out);
void worker_destroy(struct worker *w, uint64_t linger_us);
/** Takes frames from queues that no worker has: a device goes on using them when a thread is not there yet,
 * or has ended. */
unsigned stack_rx_orphans(struct mtcp_stack *st, struct pkt **pkts, unsigned n);
/** A packet for TCP or UDP of this very worker; consumes it. */
void worker_deliver(struct worker *w, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us);

enum status handover_create(struct mtcp_stack *st);
void handover_destroy(struct mtcp_stack *st);
/** The range of ports that active opens of the worker take. */
void handover_ports(const struct mtcp_stack *st, unsigned index, uint16_t *first, uint16_t *last);
/** True when the packet is another worker's: it has been consumed. */
bool handover_give(struct worker *w, const struct ipv4_hdr *ip, struct pkt *pkt);
/** Takes in what others have handed over; how many packets. */
unsigned handover_take(struct worker *w);

/** Hands over what has gathered; true when nothing is left. */
bool worker_tx_flush(struct worker *w);
/** Nothing happened in the last round: rest, as key `idle` says, until something may happen or until_us. */
void worker_idle(struct worker *w, uint64_t until_us);
uint64_t worker_clock_us(void);
/** Once a second a line with the worker's rates, when key stat_print asks for it. */
void rates_init(struct worker *w);
void rates_print(struct worker *w);

#endif
