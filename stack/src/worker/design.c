/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See design.h. */
#include "worker/design.h"

#include <stdio.h>

#include "base/minmax.h"

/** Cores that do nothing but distribute. */
static unsigned dedicated_of(enum config_distribution distribution)
{
    if (distribution == CONFIG_DISTRIBUTION_1KB)
        return 1;
    return distribution == CONFIG_DISTRIBUTION_2KB ? 2 : 0;
}

static unsigned cores_of(const struct design_wish *wish)
{
    unsigned most = STEER_MAX_WORKERS + dedicated_of(wish->distribution);

    return wish->cores == 0 ? 1 : wish->cores < most ? wish->cores : most;
}

unsigned design_queues(const struct design_wish *wish)
{
    if (wish->queues > 0)
        return wish->queues;
    if (wish->distribution == CONFIG_DISTRIBUTION_AUTO || wish->distribution == CONFIG_DISTRIBUTION_DIRECT)
        return cores_of(wish);
    return 1;
}

static void choose_dedicated(const struct design_wish *wish, struct design *d)
{
    unsigned cores = cores_of(wish);

    d->design = wish->distribution == CONFIG_DISTRIBUTION_1KB ? STEER_1KB : STEER_2KB;
    d->dedicated = dedicated_of(wish->distribution);
    d->workers = cores > d->dedicated ? cores - d->dedicated : 1;
    d->steering = true;
    snprintf(d->reason, sizeof(d->reason),
             cores > d->dedicated ? "as configured: %u of %u core(s) distribute%s"
                                  : "as configured: %u core(s) distribute, of %u there are%s",
             d->dedicated, cores, cores > d->dedicated ? "" : ", so the worker shares one with them");
}

static void choose_direct(const struct design_wish *wish, struct design *d)
{
    unsigned cores = cores_of(wish);

    d->design = STEER_DIRECT;
    d->workers = min_u32(cores, d->queues);
    d->degraded = d->workers < cores;
    snprintf(d->reason, sizeof(d->reason),
             d->degraded ? "as configured: one queue a worker, and of %u core(s) only %u can have one"
                         : "as configured: %u core(s), %u queue(s)",
             cores, d->queues);
}

static void choose_shared(const struct design_wish *wish, struct design *d)
{
    d->design = STEER_SHARED;
    d->workers = cores_of(wish);
    snprintf(d->reason, sizeof(d->reason), "as configured: %u core(s), %u queue(s)", d->workers, d->queues);
}

static void choose_auto(const struct design_wish *wish, struct design *d)
{
    unsigned cores = cores_of(wish);

    d->workers = cores;
    d->design = cores == 1 || d->queues >= cores ? STEER_DIRECT : STEER_SHARED;
    if (cores == 1)
        snprintf(d->reason, sizeof(d->reason), "auto: one core, nothing to distribute");
    else
        snprintf(d->reason, sizeof(d->reason), "auto: %u core(s) and %u queue(s), so %s", cores, d->queues,
                 d->design == STEER_DIRECT ? "each has one of its own" : "they are shared");
}

void design_choose(const struct design_wish *wish, unsigned queues, struct design *out)
{
    *out = (struct design){.queues = queues < STEER_MAX_QUEUES ? queues : STEER_MAX_QUEUES};
    switch (wish->distribution) {
    case CONFIG_DISTRIBUTION_1KB:
    case CONFIG_DISTRIBUTION_2KB:
        choose_dedicated(wish, out);
        return;
    case CONFIG_DISTRIBUTION_DIRECT:
        choose_direct(wish, out);
        break;
    case CONFIG_DISTRIBUTION_SHARED:
        choose_shared(wish, out);
        break;
    case CONFIG_DISTRIBUTION_AUTO:
        choose_auto(wish, out);
        break;
    }
    out->steering = out->workers > 1;
}

/* What a worker's queues can hold, see worker_priv.h and inet_priv.h: a burst, the frames that wait for the
 * interface and for neighbours, packets to ourselves. */
#define OWN_BUFFERS 1344u
#define TX_RING_BUFFERS 512u
#define THREAD_BUFFERS 512u /**< an interface keeps some at hand for each thread */

unsigned design_buffers(const struct design *d, unsigned per_worker, unsigned steer_ring)
{
    uint64_t least = OWN_BUFFERS, all;

    if (d->steering) /* its rings, and as many frames that wait while their bucket moves */
        least += 2 * (uint64_t)steer_ring;
    if (d->steering && d->design != STEER_DIRECT)
        least += TX_RING_BUFFERS;
    all = d->workers * (least > per_worker ? least : per_worker) +
          (uint64_t)(d->workers + d->dedicated) * THREAD_BUFFERS;
    return (unsigned)min_u64(all, UINT32_MAX);
}

const char *design_name(enum steer_design design)
{
    switch (design) {
    case STEER_DIRECT:
        return "direct";
    case STEER_SHARED:
        return "shared";
    case STEER_1KB:
        return "1kb";
    case STEER_2KB:
        return "2kb";
    }
    return "";
}
