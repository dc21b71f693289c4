/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Flows change their worker: what the worker does when steer moves buckets, and key `rebalance`. */
#include "worker/worker_priv.h"

void worker_let_move(struct worker *w, bool on)
{
    w->let_move = on;
}
