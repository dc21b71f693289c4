/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Properties of TCP between two hosts, tried with random users, buffers, options and networks: whatever the
 * users do, the bytes that are read are those that were written, in order, all of them; both sides close;
 * no connection, packet or timer is left; also when connections move between workers all the while. A failing
 * seed is printed: add it to seeds_that_failed. */
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "testing/world.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SEEDS = 2000 };
#else
enum { SEEDS = 20000 };
#endif

/** Seeds that found a bug once; they run first for ever. */
static const uint64_t seeds_that_failed[] = {
    15, 17, 40, /* no TCP_EV_WRITABLE after a write that filled the buffer to the last byte */
};

static uint64_t pick(struct prng *g, const uint64_t *choices, size_t n)
{
    return choices[prng_below(g, n)];
}

#define PICK(g, ...) pick(g, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static void random_link(struct prng *g, struct link_params *l)
{
    fault_params_defaults(&l->fault);
    l->fault.seed = prng_next(g);
    l->fault.loss = (double)PICK(g, 0, 0, 1, 5, 15) / 100;
    l->fault.reorder = (double)PICK(g, 0, 0, 5, 30) / 100;
    l->fault.reorder_us = PICK(g, 100, 1000, 30000);
    l->fault.dup = (double)PICK(g, 0, 0, 5, 30) / 100;
    l->fault.delay_us = PICK(g, 0, 20, 1000, 50000);
    l->fault.jitter_us = PICK(g, 0, 0, 100, 5000);
    l->corrupt = (double)PICK(g, 0, 0, 0, 2) / 100;
    l->bits_per_s = PICK(g, 0, 1000000, 100000000);
}

static void random_side(struct prng *g, struct world_side *s)
{
    s->write_bytes = prng_below(g, PICK(g, 1, 100, 5000, 60000));
    s->rcvbuf = PICK(g, 64, 1024, 8192, 65536, 1 << 20);
    s->sndbuf = PICK(g, 64, 1024, 8192, 65536, 1 << 20);
    s->max_piece = PICK(g, 10, 1000, 1448, 65536);
    s->pause_us = PICK(g, 0, 0, 100, 20000);
    s->close = (enum world_close)prng_below(g, WORLD_CLOSE_KINDS);
    s->no_timestamps = prng_below(g, 3) == 0;
    s->no_wscale = prng_below(g, 3) == 0;
    s->nagle = prng_below(g, 3) == 0;
    s->mtu = (uint16_t)PICK(g, 576, 1500, 1500);
    if (s->rcvbuf < 1000 || s->sndbuf < 1000 || s->max_piece < 100)
        s->write_bytes %= 2000; /* else one run takes for ever */
}

static void params_of(uint64_t seed, struct world_params *p)
{
    struct prng g = {seed};

    *p = (struct world_params){.seed = seed, .limit_us = 4 * 3600ull * 1000000};
    for (unsigned i = 0; i < 2; i++) {
        random_link(&g, &p->link[i]);
        random_side(&g, &p->side[i]);
    }
    p->pkt_limit = PICK(&g, 0, 0, 0, 40);
    p->move_one_in = (unsigned)PICK(&g, 0, 0, 0, 1, 10, 100);
    p->offload = prng_below(&g, 2) == 0;
}

static bool holds(uint64_t seed)
{
    struct world_params p;
    struct world_result r;

    params_of(seed, &p);
    world_run(&p, &r);
    if (!r.ok)
        print_error("seed %" PRIu64 ": %s (%" PRIu64 " packets, %" PRIu64 " timeouts)\n", seed, r.why,
                    r.packets, r.timeouts);
    return r.ok;
}

static void test_seeds_that_failed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(seeds_that_failed) / sizeof(seeds_that_failed[0]); i++)
        assert_true(holds(seeds_that_failed[i]));
}

static void test_random_seeds(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        failed += !holds(seed);
    assert_int_equal(failed, 0);
}

/** The same parameters give the same run, to the last packet. */
static void test_deterministic(void **state)
{
    struct world_params p;
    struct world_result a, b;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        params_of(seed, &p);
        world_run(&p, &a);
        world_run(&p, &b);
        assert_memory_equal(&a, &b, sizeof(a));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds_that_failed),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_random_seeds),
    };

    if (argc > 1)
        return !holds(strtoull(argv[1], NULL, 0));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
