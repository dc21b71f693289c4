/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a thread that only reads the clock misses: whenever two readings lie far apart, somebody else had the
 * CPU in between (an interrupt, another task, the hypervisor, the firmware). */
#ifndef BENCH_NOISE_H
#define BENCH_NOISE_H

#include <stdint.h>

#include "common/histogram.h"

#define NOISE_FLOOR_NS 1000u /**< two readings need less; shorter gaps are not looked at */

struct noise {
    uint64_t lost_above_ns; /**< longer gaps are lost time */
    uint64_t begin_ns, last_ns;
    uint64_t lost_ns, longest_ns, gaps; /**< time in gaps that long; the longest of any; how many that long */
    uint64_t above_floor_ns;
    struct histogram
        time_in_gap; /**< nanoseconds spent in gaps of a length: a gap counts as often as it is long */
};

static inline void noise_begin(struct noise *n, uint64_t lost_above_ns, uint64_t now_ns)
{
    *n = (struct noise){.lost_above_ns = lost_above_ns, .begin_ns = now_ns, .last_ns = now_ns};
}

/** Two readings lie so far apart. */
void noise_gap(struct noise *n, uint64_t gap_ns);

/** One reading of the clock. */
static inline void noise_look(struct noise *n, uint64_t now_ns)
{
    uint64_t gap_ns = now_ns - n->last_ns;

    n->last_ns = now_ns;
    if (gap_ns >= NOISE_FLOOR_NS)
        noise_gap(n, gap_ns);
}

/** No more readings: the rest of the time was in no gap. */
void noise_end(struct noise *n);
/** Percent of the time that was lost. */
double noise_lost_percent(const struct noise *n);
/** After noise_end(): at a moment chosen by chance, the thread is in a gap that is longer with probability
 * 1 - q. */
double noise_gap_us(const struct noise *n, double q);
/** Adds what another CPU has seen. Both have ended. */
void noise_merge(struct noise *into, const struct noise *from);

#endif
