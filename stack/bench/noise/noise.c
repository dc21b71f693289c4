/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See noise.h. */
#include "noise/noise.h"

void noise_gap(struct noise *n, uint64_t gap_ns)
{
    n->above_floor_ns += gap_ns;
    histogram_add_many(&n->time_in_gap, gap_ns, gap_ns);
    if (gap_ns > n->longest_ns)
        n->longest_ns = gap_ns;
    if (gap_ns <= n->lost_above_ns)
        return;
    n->gaps++;
    n->lost_ns += gap_ns;
}

void noise_end(struct noise *n)
{
    histogram_add_many(&n->time_in_gap, 0, n->last_ns - n->begin_ns - n->above_floor_ns);
}

double noise_lost_percent(const struct noise *n)
{
    uint64_t all_ns = n->time_in_gap.count;

    return all_ns ? 100.0 * (double)n->lost_ns / (double)all_ns : 0;
}

double noise_gap_us(const struct noise *n, double q)
{
    return (double)histogram_quantile(&n->time_in_gap, q) / 1e3;
}

void noise_merge(struct noise *into, const struct noise *from)
{
    into->lost_ns += from->lost_ns;
    into->gaps += from->gaps;
    if (from->longest_ns > into->longest_ns)
        into->longest_ns = from->longest_ns;
    histogram_merge(&into->time_in_gap, &from->time_in_gap);
}
