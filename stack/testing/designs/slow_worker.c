/* SPDX-License-Identifier: BSD-3-Clause
 *
 * slow_worker [DESIGN WORKERS QUEUES]: what the other workers of a server lose when the application of one of
 * them sleeps 100 ms at each event. Pairs of runs, without and with the sleep; the median of their ratios
 * must be at least 0.95. It measures: nothing else should run. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "testing/designs/echo.h"
#include "testing/designs/twin.h"

#define PAIRS 5u
#define RUN_US 1500000u
#define FLOWS 64u
#define SLOW_US 100000u

struct run {
    struct twin twin;
    struct echo echo;
    uint64_t until_us;
    atomic_bool ended;
};

static uint64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void start(struct twin_worker *tw)
{
    tw->app = echo_start(&((struct run *)tw->twin->test)->echo, tw);
}

static int step(struct twin_worker *tw)
{
    struct run *r = tw->twin->test;

    echo_step(tw->app);
    if (tw->side == 0 && now_us() >= r->until_us && !atomic_exchange(&r->ended, true))
        twin_done(tw, 1);
    return tw->side == 0 ? 10 : -1;
}

static void stop(struct twin_worker *tw)
{
    echo_stop(tw->app);
}

static const struct twin_app app = {.start = start, .step = step, .stop = stop};

/** Datagrams a second of the workers other than the first. */
static double run(const struct twin_side_params *server, unsigned slow_us)
{
    struct run *r = calloc(1, sizeof(*r));
    const struct echo_params ep = {
        .server_worker = ECHO_ALL, .datagrams = UINT32_MAX, .window = 4, .len = 64, .slow_us = slow_us};
    struct twin_params p = {.side = {{"direct", 1, 1}, *server}, .spread = CABLE_SAME_QUEUE};
    double rate = 0;

    echo_init(&r->echo, FLOWS, &ep);
    for (unsigned i = 0; i < FLOWS; i++)
        echo_add(&r->echo, 0, 0);
    r->until_us = now_us() + RUN_US;
    twin_open(&r->twin, &p, &app, r);
    atomic_store(&r->twin.work, 1);
    twin_run(&r->twin);
    if (twin_failure(&r->twin)) {
        fprintf(stderr, "%s\n", twin_failure(&r->twin));
        exit(1);
    }
    for (unsigned w = 1; w < server->workers; w++)
        rate += (double)atomic_load(&r->echo.served[1][w]) * 1e6 / RUN_US;
    echo_fini(&r->echo);
    free(r);
    return rate;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct twin_side_params server = {"shared", 4, 1};
    double ratio[PAIRS];

    if (argc > 3)
        server = (struct twin_side_params){argv[1], (unsigned)strtoul(argv[2], NULL, 10),
                                           (unsigned)strtoul(argv[3], NULL, 10)};
    for (unsigned i = 0; i < PAIRS; i++) {
        double without = run(&server, 0), with = run(&server, SLOW_US);

        ratio[i] = with / without;
        printf("the others: %.0f datagrams/s, with a slow one beside them %.0f: %.3f\n", without, with,
               ratio[i]);
    }
    qsort(ratio, PAIRS, sizeof(ratio[0]), by_size);
    printf("%s W%u: median %.3f\n", server.design, server.workers, ratio[PAIRS / 2]);
    return ratio[PAIRS / 2] >= 0.95 ? 0 : 1;
}
