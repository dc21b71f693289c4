/* SPDX-License-Identifier: BSD-3-Clause */
/* The model of an impaired direction under a clock of the test's own: rates of chance, order, limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "impair.h"

#define MS 1000000ULL
#define PERCENT (IMPAIR_CERTAIN / 100)
#define MANY 200000

static struct impair im;

static int teardown(void **state)
{
    (void)state;
    im.n_held = 0;
    impair_free(&im);
    return 0;
}

static void *nth(uintptr_t n)
{
    return (void *)n;
}

static enum impair_fate admit(uintptr_t n, uint64_t now_ns)
{
    return impair_admit(&im, nth(n), 0, 1000, now_ns);
}

/* The number of the next frame that leaves at `now_ns`, 0: none. */
static uintptr_t leaves(uint64_t now_ns)
{
    struct impair_held held;

    return impair_release(&im, now_ns, &held) ? (uintptr_t)held.frame : 0;
}

static void begin(const struct impair_config *cfg)
{
    assert_int_equal(impair_init(&im, cfg), 0);
}

static void nothing_is_done_by_a_configuration_of_zeros(void **state)
{
    (void)state;
    begin(&(struct impair_config){0});
    assert_true(impair_is_idle(&im));
    assert_false(impair_loses(&im));
    assert_false(impair_duplicates(&im));
    assert_int_equal(impair_corrupts(&im, 0, 1000), -1);
    assert_int_equal(admit(1, 0), IMPAIR_PASS);
    assert_int_equal(impair_due_ns(&im), IMPAIR_NEVER);
}

static void delay_holds_exactly_so_long_and_keeps_the_order(void **state)
{
    (void)state;
    begin(&(struct impair_config){.delay_ns = 10 * MS});
    assert_int_equal(admit(1, 0), IMPAIR_HOLD);
    assert_int_equal(admit(2, 0), IMPAIR_HOLD);
    assert_int_equal(admit(3, MS), IMPAIR_HOLD);
    assert_int_equal(impair_due_ns(&im), 10 * MS);
    assert_int_equal(leaves(10 * MS - 1), 0);
    assert_int_equal(leaves(10 * MS), 1);
    assert_int_equal(leaves(10 * MS), 2);
    assert_int_equal(leaves(10 * MS), 0);
    assert_int_equal(leaves(11 * MS), 3);
    assert_int_equal(im.n.delayed, 3);
    assert_int_equal(im.n.released, 3);
}

static unsigned count_losses(uint32_t loss, uint64_t seed)
{
    unsigned lost = 0;

    begin(&(struct impair_config){.loss = loss, .seed = seed});
    for (unsigned i = 0; i < MANY; i++)
        lost += impair_loses(&im);
    assert_int_equal(im.n.lost, lost);
    impair_free(&im);
    return lost;
}

static void lateness_is_accounted_for(void **state)
{
    (void)state;
    begin(&(struct impair_config){.delay_ns = 10 * MS});
    for (unsigned i = 1; i <= 3; i++)
        admit(i, 0);
    assert_int_equal(leaves(10 * MS), 1);
    assert_int_equal(im.n.late_ns, 0);
    assert_int_equal(leaves(12 * MS), 2);
    assert_int_equal(leaves(11 * MS), 3);
    assert_int_equal(im.n.late_ns, 3 * MS);
    assert_int_equal(im.n.late_max_ns, 2 * MS);
    assert_int_equal(impair_set(&im, &im.cfg, 12 * MS), 0);
    assert_int_equal(im.n.late_ns, 3 * MS);
    assert_int_equal(im.n.late_max_ns, 0);
}

static void loss_is_as_often_as_asked(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) /* five standard deviations: 0.11 points */
        assert_in_range(count_losses(PERCENT, seed), 2000 - 222, 2000 + 222);
    assert_int_equal(count_losses(0, 1), 0);
    assert_int_equal(count_losses(IMPAIR_CERTAIN, 1), MANY);
}

static void the_same_seed_decides_the_same_whatever_else_is_asked(void **state)
{
    static bool lost[1000];
    unsigned differ = 0;

    (void)state;
    begin(&(struct impair_config){.loss = 10 * PERCENT, .seed = 5});
    for (unsigned i = 0; i < 1000; i++)
        lost[i] = impair_loses(&im);
    impair_free(&im);
    begin(&(struct impair_config){
        .loss = 10 * PERCENT, .seed = 5, .delay_ns = MS, .jitter_ns = MS, .duplicate = 1});
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(impair_loses(&im), lost[i]);
        impair_duplicates(&im);
        admit(1, i);
    }
    im.n_held = 0;
    impair_set(&im, &(struct impair_config){.loss = 10 * PERCENT, .seed = 6}, 0);
    for (unsigned i = 0; i < 1000; i++)
        differ += impair_loses(&im) != lost[i];
    assert_in_range(differ, 100, 300);
}

struct spread {
    double mean_ns;
    uint64_t least_ns, most_ns;
    bool ordered;
};

/* Frames 1 ... n, one a microsecond: how long they stay. */
static struct spread spread_of(const struct impair_config *cfg, unsigned n)
{
    struct spread s = {.least_ns = UINT64_MAX, .ordered = true};
    uintptr_t last = 0;
    unsigned left = 0;

    begin(cfg);
    for (uint64_t now = 0; left < n; now += 1000) {
        struct impair_held held;

        if (now / 1000 < n)
            assert_int_equal(admit(now / 1000 + 1, now), IMPAIR_HOLD);
        while (impair_release(&im, now, &held)) {
            uint64_t stayed = held.release_ns - ((uintptr_t)held.frame - 1) * 1000;

            s.mean_ns += (double)stayed / n;
            s.least_ns = stayed < s.least_ns ? stayed : s.least_ns;
            s.most_ns = stayed > s.most_ns ? stayed : s.most_ns;
            s.ordered = s.ordered && (uintptr_t)held.frame > last;
            last = (uintptr_t)held.frame;
            left++;
        }
    }
    impair_free(&im);
    return s;
}

static void jitter_spreads_around_the_delay(void **state)
{
    struct impair_config cfg = {.delay_ns = 10 * MS, .jitter_ns = MS, .limit_packets = 100000, .seed = 3};
    struct spread s = spread_of(&cfg, 50000);

    (void)state;
    assert_true(s.mean_ns > 9.98 * MS && s.mean_ns < 10.02 * MS);
    assert_in_range(s.least_ns, 9 * MS, 9 * MS + MS / 100);
    assert_in_range(s.most_ns, 11 * MS - MS / 100, 11 * MS);
    assert_false(s.ordered);
    cfg.jitter_kind = IMPAIR_NORMAL;
    s = spread_of(&cfg, 50000);
    assert_true(s.mean_ns > 9.97 * MS && s.mean_ns < 10.03 * MS);
    assert_in_range(s.least_ns, 4 * MS, 7 * MS);
    assert_in_range(s.most_ns, 13 * MS, 16 * MS);
}

static void keep_order_makes_frames_wait_for_each_other(void **state)
{
    struct impair_config cfg = {
        .delay_ns = 2 * MS, .jitter_ns = MS, .limit_packets = 100000, .seed = 3, .keep_order = true};
    struct spread s = spread_of(&cfg, 20000);

    (void)state;
    assert_true(s.ordered);
    assert_true(s.mean_ns > 2.5 * MS && s.mean_ns < 3 * MS);
}

static void more_jitter_than_delay_never_releases_before_arrival(void **state)
{
    struct impair_config cfg = {.delay_ns = MS, .jitter_ns = 5 * MS, .seed = 3};

    (void)state;
    begin(&cfg);
    for (unsigned i = 1; i <= 1000; i++)
        admit(i, 100 * MS);
    assert_true(impair_due_ns(&im) >= 100 * MS);
}

static void reorder_sends_some_at_once_but_only_after_a_gap(void **state)
{
    unsigned since = 0;

    (void)state;
    begin(&(struct impair_config){
        .delay_ns = 10 * MS, .reorder = 25 * PERCENT, .gap = 5, .limit_packets = 100000});
    for (unsigned i = 0; i < 50000; i++) {
        if (admit(i + 1, i) == IMPAIR_HOLD) {
            since++;
            continue;
        }
        assert_true(since >= 4);
        since = 0;
    }
    /* Four go the long way, then each goes at once by a quarter: one of eight, on average. */
    assert_in_range(im.n.reordered, 6250 - 350, 7143 + 350);
    im.n_held = 0;
    impair_free(&im);
    begin(&(struct impair_config){.delay_ns = 10 * MS, .reorder = IMPAIR_CERTAIN});
    assert_int_equal(admit(1, 0), IMPAIR_PASS);
}

static void the_limiter_paces_and_its_queue_is_bounded(void **state)
{
    (void)state;
    /* 1000 bytes at 8 Mbit/s take 1 ms; the queue has room for five. */
    begin(&(struct impair_config){.rate_bps = 8000000, .limit_bytes = 5000});
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(admit(i, 0), IMPAIR_HOLD);
    assert_int_equal(admit(6, 0), IMPAIR_DROP);
    assert_int_equal(im.n.limited, 1);
    for (unsigned i = 1; i <= 5; i++) {
        assert_int_equal(leaves(i * MS - 1), 0);
        assert_int_equal(leaves(i * MS), i);
    }
    assert_int_equal(admit(7, 5 * MS), IMPAIR_HOLD);
    assert_int_equal(impair_due_ns(&im), 6 * MS);
}

static void a_limiter_behind_a_delay_keeps_its_rate(void **state)
{
    uint64_t last = 0;
    unsigned n = 0;

    (void)state;
    begin(&(struct impair_config){.rate_bps = 8000000, .delay_ns = 50 * MS, .limit_bytes = 1000000});
    for (uint64_t now = 0; now < 1000 * MS; now += MS / 4) {
        admit(1, now); /* four times what it carries */
        while (leaves(now)) {
            last = now;
            n++;
        }
    }
    assert_true(last >= 999 * MS);
    assert_in_range(n, 948, 951);
}

static void no_more_are_held_than_the_limit(void **state)
{
    (void)state;
    begin(&(struct impair_config){.delay_ns = MS, .limit_packets = 3});
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(admit(i, 0), IMPAIR_HOLD);
    assert_int_equal(admit(4, 0), IMPAIR_DROP);
    assert_int_equal(leaves(MS), 1);
    assert_int_equal(admit(5, MS), IMPAIR_HOLD);
}

static void set_keeps_what_is_held_in_order_and_lets_it_go_sooner(void **state)
{
    (void)state;
    begin(&(struct impair_config){.delay_ns = 1000 * MS});
    for (unsigned i = 1; i <= 50; i++)
        admit(i, i);
    assert_int_equal(impair_set(&im, &(struct impair_config){.delay_ns = 2 * MS}, 100), 0);
    assert_int_equal(admit(51, 200), IMPAIR_HOLD);
    assert_int_equal(leaves(2 * MS), 0);
    for (unsigned i = 1; i <= 51; i++)
        assert_int_equal(leaves(3 * MS), i);
    /* Cleared: held ones go at once, new ones after them. */
    admit(60, 4 * MS);
    admit(61, 4 * MS);
    assert_int_equal(impair_set(&im, &(struct impair_config){0}, 5 * MS), 0);
    assert_int_equal(admit(62, 5 * MS), IMPAIR_HOLD);
    assert_false(impair_is_idle(&im));
    for (unsigned i = 60; i <= 62; i++)
        assert_int_equal(leaves(5 * MS), i);
    assert_true(impair_is_idle(&im));
}

static void set_leaves_the_limiter_running(void **state)
{
    struct impair_config cfg = {.rate_bps = 8000000, .limit_bytes = 5000};

    (void)state;
    begin(&cfg);
    for (unsigned i = 1; i <= 5; i++)
        admit(i, 0);
    cfg.loss = 1;
    assert_int_equal(impair_set(&im, &cfg, 0), 0);
    assert_int_equal(leaves(MS), 1);
    assert_int_equal(leaves(MS), 0);
}

static void a_smaller_limit_drops_nothing_that_is_held(void **state)
{
    (void)state;
    begin(&(struct impair_config){.delay_ns = MS});
    for (unsigned i = 1; i <= 10; i++)
        admit(i, 0);
    assert_int_equal(impair_set(&im, &(struct impair_config){.delay_ns = MS, .limit_packets = 2}, 0), 0);
    assert_int_equal(admit(11, 0), IMPAIR_DROP);
    for (unsigned i = 1; i <= 10; i++)
        assert_int_equal(leaves(MS), i);
}

static void corruption_flips_a_bit_of_the_payload(void **state)
{
    unsigned n = 0;

    (void)state;
    begin(&(struct impair_config){.corrupt = 10 * PERCENT});
    for (unsigned i = 0; i < 10000; i++) {
        int64_t bit = impair_corrupts(&im, 112, 60);

        if (bit < 0)
            continue;
        assert_in_range(bit, 112, 479);
        n++;
    }
    assert_in_range(n, 850, 1150);
    assert_int_equal(impair_corrupts(&im, 112, 14), -1); /* nothing to corrupt */
    assert_int_equal(impair_corrupts(&im, 112, 0), -1);
}

static void refuses_values_out_of_range(void **state)
{
    (void)state;
    assert_int_equal(impair_init(&im, &(struct impair_config){.delay_ns = IMPAIR_MAX_NS + 1}), -EINVAL);
    assert_int_equal(impair_init(&im, &(struct impair_config){.jitter_ns = UINT64_MAX}), -EINVAL);
    assert_int_equal(impair_init(&im, &(struct impair_config){.loss = IMPAIR_CERTAIN + 1}), -EINVAL);
    assert_int_equal(impair_init(&im, &(struct impair_config){.rate_bps = UINT64_MAX}), -EINVAL);
    assert_int_equal(impair_init(&im, &(struct impair_config){.limit_packets = UINT32_MAX}), -EINVAL);
    begin(&(struct impair_config){.loss = 7});
    assert_int_equal(impair_set(&im, &(struct impair_config){.reorder = UINT32_MAX}, 0), -EINVAL);
    assert_int_equal(im.cfg.loss, 7);
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_done_by_a_configuration_of_zeros),
        CASE(delay_holds_exactly_so_long_and_keeps_the_order),
        CASE(lateness_is_accounted_for),
        CASE(loss_is_as_often_as_asked),
        CASE(the_same_seed_decides_the_same_whatever_else_is_asked),
        CASE(jitter_spreads_around_the_delay),
        CASE(keep_order_makes_frames_wait_for_each_other),
        CASE(more_jitter_than_delay_never_releases_before_arrival),
        CASE(reorder_sends_some_at_once_but_only_after_a_gap),
        CASE(the_limiter_paces_and_its_queue_is_bounded),
        CASE(a_limiter_behind_a_delay_keeps_its_rate),
        CASE(no_more_are_held_than_the_limit),
        CASE(set_keeps_what_is_held_in_order_and_lets_it_go_sooner),
        CASE(set_leaves_the_limiter_running),
        CASE(a_smaller_limit_drops_nothing_that_is_held),
        CASE(corruption_flips_a_bit_of_the_payload),
        CASE(refuses_values_out_of_range),
    };

    return cmocka_run_group_tests_name("dataplane/impair", tests, NULL, NULL);
}
