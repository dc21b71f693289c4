/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames on their way from the workers to the interface, see transmit.c. */
#ifndef WORKER_TRANSMIT_H
#define WORKER_TRANSMIT_H

#include <stdbool.h>

#include "base/pkt.h"
#include "base/status.h"

struct mtcp_stack;
struct worker;
struct worker_counters;

/** What a stack's design needs: nothing when every worker has a queue of its own. */
enum status transmit_create(struct mtcp_stack *st);
/** Frees the frames that still wait. */
void transmit_destroy(struct mtcp_stack *st);

/** A worker's way to the interface, by its stack's design. */
void worker_tx_init(struct worker *w);
void worker_tx_fini(struct worker *w);
/** Takes a frame; it leaves at the end of the round, or when a burst has gathered. */
void worker_xmit(struct worker *w, struct pkt *frame);
/** Hands over what has gathered; true when nothing is left in the worker's array. */
bool worker_tx_flush(struct worker *w);
/** The interface has taken everything. */
bool worker_tx_done(const struct worker *w);

/** The dedicated thread that transmits: empties the rings of all workers as far as the interface takes it;
 * how many frames went. */
unsigned transmit_all(struct mtcp_stack *st, struct worker_counters *cnt);
/** Whether a ring holds frames. */
bool transmit_waits(const struct mtcp_stack *st);

#endif
