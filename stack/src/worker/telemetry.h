/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the stack shows in its memory file (mtcp_stat.h): the counters of every worker and of every thread of
 * the stack's own, written by themselves, and what the interface counts. */
#ifndef WORKER_TELEMETRY_H
#define WORKER_TELEMETRY_H

#include <stdbool.h>
#include <stdint.h>

#define TELEMETRY_US UINT64_C(10000) /**< how often a thread writes, at most */

struct mtcp_stack;
struct worker;
struct dedicated;

/** Without the file, which costs a warning, the stack works as well. */
void telemetry_open(struct mtcp_stack *st);
void telemetry_close(struct mtcp_stack *st);
/** Called by their own threads. present: false when it ends. */
void telemetry_worker(struct worker *w, bool present);
void telemetry_dedicated(struct dedicated *d, uint64_t now_us);

#endif
