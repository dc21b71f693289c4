/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Wrapper that makes an interface bad on purpose, in both directions, as fault_model decides: frames are
 * lost, held back, overtaken or doubled. Held frames move when the queue is polled (rx or tx);
 * next_deadline_us tells when that is due. Every queue and direction has a model of its own, seeded from the
 * one seed. */
#ifndef NETIF_FAULT_H
#define NETIF_FAULT_H

#include "netif/fault_model.h"
#include "netif/netif.h"

/** Frames that one direction of a queue holds back at most. */
#define FAULT_MAX_HELD 4096

/** Summed over both directions and all queues. */
struct fault_counters {
    uint64_t lost;      /**< frames dropped on purpose */
    uint64_t reordered; /**< frames held back so that later ones overtake them */
    uint64_t doubled;   /**< frames that were sent on twice */
    uint64_t overflow;  /**< frames dropped because FAULT_MAX_HELD were held already */
    uint64_t no_buffer; /**< duplicates not made for want of a packet buffer */
};

/** Takes inner over: closing the wrapper closes it. clock_us NULL = the monotonic clock. On failure inner
 * stays the caller's. */
enum status fault_wrap(struct netif *inner, const struct fault_params *params,
                       uint64_t (*clock_us)(void *ctx), void *clock_ctx, struct netif **out);
/** nif was made by fault_wrap(). */
void fault_get_counters(struct netif *nif, struct fault_counters *out);

#endif
