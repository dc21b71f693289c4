/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which design of distribution a stack takes: a pure function of what the configuration asks for, the cores
 * it may have and the queues that the interface gives. The core of a worker is the application's; a dedicated
 * core is the stack's own. */
#ifndef WORKER_DESIGN_H
#define WORKER_DESIGN_H

#include "config/config.h"
#include "steer/steer.h"

#define DESIGN_REASON_LEN 160

struct design_wish {
    enum config_distribution distribution; /**< key */
    unsigned cores;                        /**< of the stack, workers and dedicated ones; at least 1 */
    unsigned queues;                       /**< key: asked for, 0 = by design */
};

struct design {
    enum steer_design design;
    unsigned workers;   /**< 1 .. STEER_MAX_WORKERS */
    unsigned dedicated; /**< threads of the stack's own: 0, 1 or 2 */
    unsigned queues;    /**< queues of the interface in use */
    bool steering;      /**< false: one worker polls all queues, nothing is distributed */
    bool degraded;      /**< fewer workers than cores, because of the queues: worth a warning */
    char reason[DESIGN_REASON_LEN];
};

/** How many queues to open the interface with. */
unsigned design_queues(const struct design_wish *wish);
/** queues: what the interface has, at least 1. */
void design_choose(const struct design_wish *wish, unsigned queues, struct design *out);
/** Packet buffers that the stack may hold at once, those in the device's queues not counted. per_worker: key
 * max_num_buffers, steer_ring: key; never less than the workers' queues can hold. */
unsigned design_buffers(const struct design *d, unsigned per_worker, unsigned steer_ring);
/** As in key `distribution`. */
const char *design_name(enum steer_design design);

#endif
