/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The bad network as arithmetic: what happens to the next frame, decided from a seed. Pure: no clock, no I/O,
 * no allocation. The same seed and parameters give the same decisions on every machine (splitmix64, integer
 * thresholds), and one knob never changes what the others decide (every frame draws the same number of
 * times). Frames keep their order under delay and jitter; only those that `reorder` picks are overtaken. */
#ifndef NETIF_FAULT_MODEL_H
#define NETIF_FAULT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"
#include "base/status.h"

#define FAULT_MAX_COPIES 2

struct fault_params {
    uint64_t seed;
    double loss, reorder, dup; /**< probability for each frame, 0..1 */
    uint64_t delay_us;         /**< every frame waits so long */
    uint64_t jitter_us;        /**< plus 0..jitter_us, uniformly */
    uint64_t reorder_us;       /**< a reordered frame waits so much longer; default 1000 */
};

struct fault_model {
    struct fault_params params;
    struct prng prng;
    uint64_t loss_below, reorder_below, dup_below; /**< thresholds of 2^32 */
    uint64_t last_due_us;                          /**< of the last frame that kept its order */
};

struct fault_verdict {
    unsigned copies; /**< 0 = lost, 1, 2 = duplicated */
    uint64_t due_us[FAULT_MAX_COPIES];
    bool reordered; /**< the first copy waits for later frames to overtake it */
};

/** Everything off: seed 1, no fault. */
void fault_params_defaults(struct fault_params *p);
/** Reads `seed=1,loss=0.01,delay_us=1000,jitter_us=0,reorder=0.01,reorder_us=1000,dup=0.01`; what is not
 * named keeps its default. ST_INVALID: error says what is wrong and what is allowed. */
enum status fault_params_parse(const char *text, struct fault_params *out, char *error, size_t error_len);
void fault_model_init(struct fault_model *m, const struct fault_params *p);
/** Decides over a frame that arrives now. */
void fault_model_decide(struct fault_model *m, uint64_t now_us, struct fault_verdict *out);

#endif
