/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One stack: an interface, the internet layer, and up to STACK_MAX_WORKERS workers, each with its own TCP,
 * UDP and descriptors; how the frames of the interface's queues reach them is a choice of the configuration.
 * All state hangs below struct mtcp_stack; there is no other. The stack is made and destroyed by one thread;
 * stack_take_worker() may be called by several at once. */
#ifndef WORKER_STACK_H
#define WORKER_STACK_H

#include "base/log.h"
#include "base/status.h"
#include "config/config.h"
#include "netif/netif.h"

#define STACK_MAX_WORKERS 64

struct mtcp_stack;
struct worker;

/** Opens the interface that the configuration names, wrappers included, with the queues that the distribution
 * wants for so many cores. */
enum status stack_open_netif(const struct config *cfg, unsigned num_cores, struct log *log,
                             struct netif **out);

/** Builds a stack on an open interface, which it owns from then on, also when it fails. cfg stays the
 * caller's and must live as long as the stack. cfg->num_cores counts the workers and the threads of the
 * stack's own; 0 = as many as the interface has queues. */
enum status stack_create(const struct config *cfg, struct netif *nif, const struct log *log,
                         struct mtcp_stack **out);
/** Destroys the workers that are left and closes the interface. */
void stack_destroy(struct mtcp_stack *st);
unsigned stack_num_workers(const struct mtcp_stack *st);

/** Makes the next free worker. ST_TABLE_FULL when all are taken. */
enum status stack_take_worker(struct mtcp_stack *st, struct worker **out);
/** Closes its sockets, lets what is pending out for at most linger_us, and frees it. */
void stack_give_worker(struct worker *w, uint64_t linger_us);
/** Interrupts the waits of all workers. Async-signal-safe. */
void stack_interrupt(struct mtcp_stack *st);

#endif
