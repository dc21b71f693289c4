/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When requests of an open loop are meant to leave: one every 1/rate, whatever has become of those before.
 * A latency counted from the meant time includes the wait of a request that could not leave in time, so a
 * server that stalls is seen to stall (no coordinated omission). */
#ifndef APPS_RPC_PACE_H
#define APPS_RPC_PACE_H

#include <stdint.h>

struct pace {
    uint64_t start_ns;
    double gap_ns;    /**< between two requests */
    uint64_t started; /**< requests that have left */
};

static inline void pace_begin(struct pace *p, double per_second, uint64_t now_ns)
{
    *p = (struct pace){.start_ns = now_ns, .gap_ns = 1e9 / per_second};
}

/** When request number n, from 0, is meant to leave. */
static inline uint64_t pace_time_ns(const struct pace *p, uint64_t n)
{
    return p->start_ns + (uint64_t)((double)n * p->gap_ns);
}

/** When the next request is meant to leave. */
static inline uint64_t pace_next_ns(const struct pace *p)
{
    return pace_time_ns(p, p->started);
}

/** How many requests are meant to leave before that moment, whether they have or not. */
static inline uint64_t pace_meant_before(const struct pace *p, uint64_t until_ns)
{
    uint64_t n;

    if (until_ns <= p->start_ns)
        return 0;
    n = (uint64_t)((double)(until_ns - p->start_ns) / p->gap_ns);
    while (pace_time_ns(p, n) < until_ns)
        n++;
    while (pace_time_ns(p, n - 1) >= until_ns)
        n--;
    return n;
}

/** Takes the next request when its time has come; meant_ns gets that time. */
static inline int pace_take(struct pace *p, uint64_t now_ns, uint64_t *meant_ns)
{
    *meant_ns = pace_next_ns(p);
    if (*meant_ns > now_ns)
        return 0;
    p->started++;
    return 1;
}

#endif
