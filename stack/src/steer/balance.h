/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which buckets should move, from what the buckets and the workers have done between two looks. No clock, no
 * threads: loads in, moves out. The load of a worker is the sum of its buckets' rates times its relative cost
 * of a frame. Costs count as equal while they are within 4 times the median (a worker that batches well is
 * not a slow one); beyond it the worker is slowed by its application, and the real ratio counts, up to 50.
 * Costs are averaged over more looks than rates: with fewer cores than threads a worker that does not run for
 * a while looks slow without being it.
 * Hysteresis: moves begin when two looks in a row show a maximum above 1.25 times the mean, by more than
 * chance, and go on until it is at most 1.1 times the mean or nothing helps. The maximum never rises. */
#ifndef STEER_BALANCE_H
#define STEER_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "steer/steer.h"

#define BALANCE_BEGIN 1.25      /**< times the mean: worth while */
#define BALANCE_GOOD 1.1        /**< times the mean: good enough */
#define BALANCE_MIN_RATE 1000.0 /**< frames/s of all workers together, below which nothing moves */
#define BALANCE_COST_EQUAL 4.0  /**< times the median; above it a worker begins to count as slow */
#define BALANCE_COST_AGAIN 2.0  /**< times the median; below it it counts as equal again */
#define BALANCE_COST_MAX 50.0
#define BALANCE_COST_STALLED 8.0 /**< of a worker that did nothing though frames waited */
#define BALANCE_MAX_MOVES 128u   /**< per look */

/** What one worker did between two looks. */
struct balance_worker {
    bool present; /**< may have buckets, and give them away */
    uint64_t busy_cycles, frames;
    bool stalled; /**< frames waited and none was processed */
};

/** What has happened since the last look. */
struct balance_look {
    unsigned num_workers;
    uint64_t interval_us; /**< > 0 */
    struct balance_worker worker[STEER_MAX_WORKERS];
    uint32_t frames[STEER_BUCKETS]; /**< per bucket */
    uint8_t home[STEER_BUCKETS];
    struct steer_buckets fixed; /**< cannot move now */
};

struct balance_move {
    uint16_t bucket;
    uint8_t to;
};

struct balance_plan {
    unsigned num_moves;
    struct balance_move move[BALANCE_MAX_MOVES];
};

/** What is remembered between looks; all zero at first. */
struct balance {
    double rate[STEER_BUCKETS];      /**< frames/s, smoothed */
    double ratio[STEER_MAX_WORKERS]; /**< cost of a frame to the median's, smoothed */
    double cost[STEER_MAX_WORKERS];  /**< what of it counts: 1, or the ratio of a slow worker */
    double load[STEER_MAX_WORKERS];  /**< after the last look, before its moves */
    unsigned uneven;                 /**< looks in a row */
    bool warm;                       /**< rate[] has been filled */
    /* of steer_balance() */
    uint64_t last_us;
    uint32_t seen_frames[STEER_BUCKETS];
    uint64_t seen_cycles[STEER_MAX_WORKERS], seen_reported[STEER_MAX_WORKERS];
};

/** One look; the moves in order of their use. */
void balance_look(struct balance *b, const struct balance_look *look, struct balance_plan *plan);

#endif
