/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of decisions: what is asked for, cores, queues -> design, workers, dedicated threads, queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "worker/design.h"

#define AUTO CONFIG_DISTRIBUTION_AUTO
#define DIRECT CONFIG_DISTRIBUTION_DIRECT
#define SHARED CONFIG_DISTRIBUTION_SHARED
#define ONE CONFIG_DISTRIBUTION_1KB
#define TWO CONFIG_DISTRIBUTION_2KB

struct row {
    enum config_distribution asked;
    unsigned cores, queues_key, given;
    unsigned open; /**< queues to ask the interface for */
    enum steer_design design;
    unsigned workers, dedicated, queues;
    bool steering, degraded;
    const char *because; /**< part of the reason */
};

static const struct row table[] = {
    {AUTO, 1, 0, 1, 1, STEER_DIRECT, 1, 0, 1, false, false, "one core"},
    {AUTO, 1, 0, 4, 1, STEER_DIRECT, 1, 0, 4, false, false, "one core"},
    {AUTO, 4, 0, 4, 4, STEER_DIRECT, 4, 0, 4, true, false, "each has one of its own"},
    {AUTO, 4, 0, 8, 4, STEER_DIRECT, 4, 0, 8, true, false, "each has one of its own"},
    {AUTO, 4, 0, 1, 4, STEER_SHARED, 4, 0, 1, true, false, "4 core(s) and 1 queue(s), so they are shared"},
    {AUTO, 4, 2, 2, 2, STEER_SHARED, 4, 0, 2, true, false, "they are shared"},
    {AUTO, 0, 0, 1, 1, STEER_DIRECT, 1, 0, 1, false, false, "one core"},
    {DIRECT, 2, 0, 2, 2, STEER_DIRECT, 2, 0, 2, true, false, "2 core(s), 2 queue(s)"},
    {DIRECT, 4, 0, 1, 4, STEER_DIRECT, 1, 0, 1, false, true, "of 4 core(s) only 1"},
    {DIRECT, 4, 0, 3, 4, STEER_DIRECT, 3, 0, 3, true, true, "of 4 core(s) only 3"},
    {DIRECT, 1, 0, 1, 1, STEER_DIRECT, 1, 0, 1, false, false, "as configured"},
    {SHARED, 4, 0, 1, 1, STEER_SHARED, 4, 0, 1, true, false, "as configured"},
    {SHARED, 4, 2, 2, 2, STEER_SHARED, 4, 0, 2, true, false, "4 core(s), 2 queue(s)"},
    {SHARED, 1, 0, 1, 1, STEER_SHARED, 1, 0, 1, false, false, "as configured"},
    {ONE, 4, 0, 1, 1, STEER_1KB, 3, 1, 1, true, false, "1 of 4 core(s)"},
    {ONE, 2, 0, 1, 1, STEER_1KB, 1, 1, 1, true, false, "1 of 2 core(s)"},
    {ONE, 1, 0, 1, 1, STEER_1KB, 1, 1, 1, true, false, "shares one with them"},
    {ONE, 4, 2, 2, 2, STEER_1KB, 3, 1, 2, true, false, "as configured"},
    {TWO, 4, 0, 1, 1, STEER_2KB, 2, 2, 1, true, false, "2 of 4 core(s)"},
    {TWO, 2, 0, 1, 1, STEER_2KB, 1, 2, 1, true, false, "shares one with them"},
    {ONE, 65, 0, 1, 1, STEER_1KB, 64, 1, 1, true, false, "1 of 65"},
    {TWO, 100, 0, 1, 1, STEER_2KB, 64, 2, 1, true, false, "2 of 66"},
    {SHARED, 100, 0, 100, 1, STEER_SHARED, 64, 0, 64, true, false, "64 core(s), 64 queue(s)"},
};

static void each_row_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct row *r = &table[i];
        const struct design_wish wish = {r->asked, r->cores, r->queues_key};
        struct design d;

        print_message("# row %zu\n", i);
        assert_int_equal(design_queues(&wish), r->open);
        design_choose(&wish, r->given, &d);
        assert_int_equal(d.design, r->design);
        assert_int_equal(d.workers, r->workers);
        assert_int_equal(d.dedicated, r->dedicated);
        assert_int_equal(d.queues, r->queues);
        assert_int_equal(d.steering, r->steering);
        assert_int_equal(d.degraded, r->degraded);
        if (!strstr(d.reason, r->because))
            fail_msg("'%s' is not in '%s'", r->because, d.reason);
    }
}

static unsigned buffers(enum config_distribution asked, unsigned cores, unsigned per_worker, unsigned ring)
{
    const struct design_wish wish = {asked, cores, 0};
    struct design d;

    design_choose(&wish, design_queues(&wish), &d);
    return design_buffers(&d, per_worker, ring);
}

static void buffers_follow_the_key_and_never_starve(void **state)
{
    (void)state;
    assert_int_equal(buffers(AUTO, 1, 10000, 1024), 10000 + 512);
    assert_int_equal(buffers(AUTO, 1, 1, 1024), 1344 + 512);
    assert_int_equal(buffers(SHARED, 4, 10000, 1024), 4 * (10000 + 512));
    assert_int_equal(buffers(SHARED, 4, 1, 1024), 4 * (1344 + 512 + 2048 + 512));
    assert_int_equal(buffers(DIRECT, 4, 1, 1024), 4 * (1344 + 2048 + 512));
    assert_int_equal(buffers(ONE, 4, 1, 16), 3 * (1344 + 512 + 32) + 4 * 512);
    assert_int_equal(buffers(SHARED, 64, 10000000, 65536), 64u * (10000000u + 512));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_of_the_table),
        cmocka_unit_test(buffers_follow_the_key_and_never_starve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
