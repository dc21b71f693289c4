/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A cable in memory between two interfaces whose numbers of queues may differ, for tests with threads. The
 * device at each end decides by itself into which queue a frame goes, as real ones do. Frames are single
 * allocations, so that the sanitizers see each; no lock orders the threads, so that ThreadSanitizer sees
 * what the stack itself forgets to order. Breaches of the rule "one thread at a time receives from a queue,
 * and one sends to it" are counted. */
#ifndef TESTING_DESIGNS_CABLE_H
#define TESTING_DESIGNS_CABLE_H

#include "netif/netif.h"

#define CABLE_MAX_QUEUES 8u

/** How a frame finds its queue at the other end. */
enum cable_spread {
    CABLE_SAME_QUEUE, /**< the queue it was sent to, modulo the queues there are */
    CABLE_BY_FLOW,    /**< by a hash of addresses and ports which the stack knows nothing of */
};

struct cable_params {
    unsigned queues[2]; /**< of each end, 1 .. CABLE_MAX_QUEUES */
    enum cable_spread spread;
    uint16_t mtu;
    unsigned num_bufs;    /**< frames that may exist at once */
    unsigned ring_frames; /**< frames that wait between a sending and a receiving queue */
    bool wakes;           /**< rx_fd() becomes readable when frames wait */
};

/** What must be true when both ends are closed. */
struct cable_report {
    unsigned frames_left; /**< never given back */
    unsigned breaches;    /**< two threads in one direction of a queue at once */
};

struct cable;

enum status cable_create(const struct cable_params *p, struct cable **out);
/** End 0 or 1; whoever takes it closes it. */
struct netif *cable_end(struct cable *c, unsigned end);
/** Frames that exist now, those under way included. */
unsigned cable_frames(const struct cable *c);
/** Both ends are closed. */
void cable_destroy(struct cable *c, struct cable_report *out);

#endif
