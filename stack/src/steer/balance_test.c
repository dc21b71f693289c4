/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The balancer as a pure function: named cases, then many random loads of which every plan must lower the
 * maximum, come to rest, and leave noise alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/prng.h"
#include "steer/balance.h"

#define LOOK_US 20000u

struct world {
    struct balance b;
    struct balance_look look;
    struct balance_plan plan;
    double rate[STEER_BUCKETS]; /* frames/s */
    double cost[STEER_MAX_WORKERS];
    struct prng rnd;
    double noise; /* share of a rate by which a look may differ */
};

static void world_init(struct world *w, unsigned workers, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->rnd.state = seed;
    w->look.num_workers = workers;
    w->look.interval_us = LOOK_US;
    for (unsigned i = 0; i < workers; i++) {
        w->look.worker[i].present = true;
        w->cost[i] = 1;
    }
    for (unsigned i = 0; i < STEER_BUCKETS; i++)
        w->look.home[i] = (uint8_t)(i % workers);
}

static double random_part(struct world *w)
{
    return (double)prng_below(&w->rnd, 1000001) / 1e6;
}

static double load_of(const struct world *w, unsigned worker)
{
    double sum = 0;

    for (unsigned i = 0; i < STEER_BUCKETS; i++)
        sum += w->look.home[i] == worker ? w->rate[i] * w->cost[worker] : 0;
    return sum;
}

static double mean_of(const struct world *w)
{
    double sum = 0;

    for (unsigned i = 0; i < w->look.num_workers; i++)
        sum += load_of(w, i);
    return sum / w->look.num_workers;
}

static double max_of(const struct world *w)
{
    double max = 0;

    for (unsigned i = 0; i < w->look.num_workers; i++)
        max = load_of(w, i) > max ? load_of(w, i) : max;
    return max;
}

/* One look and the moves it leads to; how many. */
static unsigned step(struct world *w)
{
    uint64_t frames[STEER_MAX_WORKERS] = {0};

    for (unsigned i = 0; i < STEER_BUCKETS; i++) {
        double factor = 1 + w->noise * (2 * random_part(w) - 1);

        w->look.frames[i] = (uint32_t)(w->rate[i] * factor * LOOK_US / 1e6 + 0.5);
        frames[w->look.home[i]] += w->look.frames[i];
    }
    for (unsigned i = 0; i < w->look.num_workers; i++) {
        w->look.worker[i].frames = frames[i];
        w->look.worker[i].busy_cycles = (uint64_t)((double)frames[i] * 300 * w->cost[i]);
    }
    balance_look(&w->b, &w->look, &w->plan);
    for (unsigned i = 0; i < w->plan.num_moves; i++) {
        const struct balance_move *m = &w->plan.move[i];

        assert_true(m->bucket < STEER_BUCKETS && m->to < w->look.num_workers);
        assert_true(w->look.home[m->bucket] != m->to);
        assert_false(steer_buckets_has(&w->look.fixed, m->bucket));
        w->look.home[m->bucket] = m->to;
    }
    return w->plan.num_moves;
}

/* 80 % of the load on the buckets of one worker. */
static void make_skew(struct world *w, double total)
{
    for (unsigned i = 0; i < STEER_BUCKETS; i++)
        w->rate[i] = w->look.home[i] == 0
                         ? total * 0.8 / (STEER_BUCKETS / w->look.num_workers)
                         : total * 0.2 / (STEER_BUCKETS - STEER_BUCKETS / w->look.num_workers);
}

static void eighty_per_cent_on_one_spreads(void **state)
{
    (void)state;
    for (unsigned workers = 2; workers <= 8; workers *= 2) {
        struct world w;

        world_init(&w, workers, workers);
        make_skew(&w, 1e6);
        for (unsigned n = 0; n < 4; n++)
            step(&w);
        assert_true(max_of(&w) <= 1.1 * mean_of(&w) + 1);
        for (unsigned n = 0; n < 50; n++)
            assert_int_equal(step(&w), 0);
    }
}

static void one_look_is_not_enough(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, 4, 1);
    make_skew(&w, 1e6);
    assert_int_equal(step(&w), 0);
    assert_true(step(&w) > 0);
}

static void little_traffic_stays(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, 4, 1);
    make_skew(&w, 900);
    for (unsigned n = 0; n < 50; n++)
        assert_int_equal(step(&w), 0);
}

/* A single hot flow cannot be spread: the rest makes room for it, and that is all. */
static void an_elephant_gets_room_and_stays(void **state)
{
    struct world w;
    unsigned home;

    (void)state;
    world_init(&w, 4, 1);
    for (unsigned i = 0; i < STEER_BUCKETS; i++)
        w.rate[i] = 500;
    w.rate[77] = 400000;
    home = w.look.home[77];
    for (unsigned n = 0; n < 20; n++)
        step(&w);
    assert_int_equal(w.look.home[77], home);
    assert_true(load_of(&w, home) < 402000);
    for (unsigned n = 0; n < 50; n++)
        assert_int_equal(step(&w), 0);
}

static void two_hot_buckets_part(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, 4, 1);
    w.rate[4] = w.rate[8] = 100000;
    for (unsigned n = 0; n < 6; n++)
        step(&w);
    assert_true(w.look.home[4] != w.look.home[8]);
}

static void a_slow_worker_gets_less(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, 4, 3);
    for (unsigned i = 0; i < STEER_BUCKETS; i++)
        w.rate[i] = 2000;
    w.cost[2] = 3; /* within what counts as equal */
    for (unsigned n = 0; n < 20; n++)
        assert_int_equal(step(&w), 0);
    w.cost[2] = 10;
    for (unsigned n = 0; n < 20; n++)
        step(&w);
    assert_true(max_of(&w) <= 1.3 * mean_of(&w));
    assert_true(load_of(&w, 2) / 10 < load_of(&w, 0) / 4);
}

static void a_stalled_worker_counts_as_slow(void **state)
{
    struct world w;
    unsigned moved = 0;

    (void)state;
    world_init(&w, 4, 3);
    for (unsigned i = 0; i < STEER_BUCKETS; i++)
        w.rate[i] = 2000;
    w.look.worker[1].stalled = true;
    for (unsigned n = 0; n < 3; n++) /* it may just not have had a core */
        moved += step(&w);
    assert_int_equal(moved, 0);
    for (unsigned n = 0; n < 8; n++)
        moved += step(&w);
    assert_true(moved > 0);
    assert_true(load_of(&w, 1) < load_of(&w, 0));
}

static void absent_workers_and_fixed_buckets_are_left_alone(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, 4, 3);
    make_skew(&w, 1e6);
    w.look.worker[3].present = false;
    for (unsigned i = 0; i < STEER_BUCKETS; i += 8)
        w.look.fixed.bits[i / 64] |= UINT64_C(1) << (i % 64);
    for (unsigned n = 0; n < 6; n++) {
        step(&w);
        for (unsigned i = 0; i < w.plan.num_moves; i++)
            assert_true(w.plan.move[i].to != 3);
    }
    assert_true(load_of(&w, 1) > 1e5);
}

/* Any shape: a few hot buckets, many cold ones, slow workers, odd homes. */
static void make_random(struct world *w, uint64_t seed)
{
    unsigned workers = 2 + (unsigned)prng_below(&(struct prng){seed}, 15);
    double peak;

    world_init(w, workers, seed);
    peak = 1000 + random_part(w) * 1e5;
    for (unsigned i = 0; i < STEER_BUCKETS; i++) {
        double r = random_part(w);

        w->rate[i] = prng_below(&w->rnd, 4) == 0 ? 0 : peak * r * r * r * r;
        if (prng_below(&w->rnd, 3) == 0)
            w->look.home[i] = (uint8_t)prng_below(&w->rnd, 1 + prng_below(&w->rnd, workers));
    }
    if (prng_below(&w->rnd, 4) == 0)
        w->cost[prng_below(&w->rnd, workers)] = 1.2 * BALANCE_COST_EQUAL + 55 * random_part(w);
}

/* What the balancer sees: loads by its own averages, and costs that count as equal while they are not far
 * apart. */
static double seen_load(const struct world *w, unsigned worker)
{
    double sum = 0;

    for (unsigned i = 0; i < STEER_BUCKETS; i++)
        sum += w->look.home[i] == worker ? w->b.rate[i] * w->b.cost[worker] : 0;
    return sum;
}

static double seen_max(const struct world *w)
{
    double max = 0;

    for (unsigned i = 0; i < w->look.num_workers; i++)
        max = seen_load(w, i) > max ? seen_load(w, i) : max;
    return max;
}

static double seen_mean(const struct world *w)
{
    double sum = 0;

    for (unsigned i = 0; i < w->look.num_workers; i++)
        sum += seen_load(w, i);
    return sum / w->look.num_workers;
}

static void the_maximum_never_rises(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct world w;

        make_random(&w, seed);
        for (unsigned n = 0; n < 30; n++) {
            uint8_t home[STEER_BUCKETS];
            double before, after;

            memcpy(home, w.look.home, sizeof(home));
            if (step(&w) == 0)
                continue;
            after = seen_max(&w);
            memcpy(w.look.home, home, sizeof(home));
            before = seen_max(&w);
            assert_true(after <= before * (1 + 1e-9));
            for (unsigned i = 0; i < w.plan.num_moves; i++)
                w.look.home[w.plan.move[i].bucket] = w.plan.move[i].to;
        }
    }
}

static double max_cost(const struct world *w)
{
    double max = 1;

    for (unsigned i = 0; i < w->look.num_workers; i++)
        max = w->b.cost[i] > max ? w->b.cost[i] : max;
    return max;
}

static void every_load_comes_to_rest(void **state)
{
    unsigned fine = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct world w;
        double hottest = 0;

        make_random(&w, seed);
        for (unsigned n = 0; n < 100; n++) /* the averages of costs take longest */
            step(&w);
        for (unsigned n = 0; n < 40; n++)
            assert_int_equal(step(&w), 0);
        for (unsigned i = 0; i < STEER_BUCKETS; i++)
            hottest = w.rate[i] > hottest ? w.rate[i] : hottest;
        if (hottest * max_cost(&w) < 0.1 * seen_mean(&w)) { /* fine enough to be shared out evenly */
            assert_true(seen_max(&w) <= 1.3 * seen_mean(&w));
            fine++;
        }
    }
    assert_true(fine > 100);
}

static void noise_moves_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct world w;
        unsigned moves = 0;

        make_random(&w, seed);
        for (unsigned n = 0; n < 60; n++)
            step(&w);
        w.noise = 0.1;
        for (unsigned n = 0; n < 200; n++)
            moves += step(&w);
        assert_true(moves <= 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eighty_per_cent_on_one_spreads),
        cmocka_unit_test(one_look_is_not_enough),
        cmocka_unit_test(little_traffic_stays),
        cmocka_unit_test(an_elephant_gets_room_and_stays),
        cmocka_unit_test(two_hot_buckets_part),
        cmocka_unit_test(a_slow_worker_gets_less),
        cmocka_unit_test(a_stalled_worker_counts_as_slow),
        cmocka_unit_test(absent_workers_and_fixed_buckets_are_left_alone),
        cmocka_unit_test(the_maximum_never_rises),
        cmocka_unit_test(every_load_comes_to_rest),
        cmocka_unit_test(noise_moves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
