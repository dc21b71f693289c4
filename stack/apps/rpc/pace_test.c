/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When the requests of an open loop are meant to leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rpc/pace.h"

#define START_NS UINT64_C(5000000000)

static void requests_leave_at_the_rate_and_not_before(void **state)
{
    struct pace p;
    uint64_t meant_ns;

    (void)state;
    pace_begin(&p, 1000, START_NS);
    assert_true(pace_take(&p, START_NS, &meant_ns));
    assert_int_equal(meant_ns, START_NS);
    assert_false(pace_take(&p, START_NS + 999999, &meant_ns));
    assert_true(pace_take(&p, START_NS + 1000000, &meant_ns));
    assert_int_equal(meant_ns, START_NS + 1000000);
}

static void who_comes_late_keeps_the_times_that_were_meant(void **state)
{
    struct pace p;
    uint64_t meant_ns;

    (void)state;
    pace_begin(&p, 1000, START_NS);
    for (uint64_t i = 0; i <= 50;
         i++) { /* a stall of 50 ms: all its requests are due, each since its own time */
        assert_true(pace_take(&p, START_NS + 50000000, &meant_ns));
        assert_int_equal(meant_ns, START_NS + i * 1000000);
    }
    assert_false(pace_take(&p, START_NS + 50000000, &meant_ns));
}

static void an_odd_rate_does_not_drift(void **state)
{
    struct pace p;
    uint64_t meant_ns;

    (void)state;
    pace_begin(&p, 700000, START_NS);
    for (unsigned i = 0; i < 700000; i++)
        assert_true(pace_take(&p, UINT64_MAX, &meant_ns));
    assert_in_range(pace_next_ns(&p), START_NS + 999999999, START_NS + 1000000001);
}

static void what_is_due_is_counted_whoever_has_sent_it(void **state)
{
    struct pace p;
    uint64_t meant_ns;

    (void)state;
    pace_begin(&p, 1000, START_NS);
    assert_int_equal(pace_meant_before(&p, 0), 0);
    assert_int_equal(pace_meant_before(&p, START_NS), 0);
    assert_int_equal(pace_meant_before(&p, START_NS + 1), 1);
    assert_int_equal(pace_meant_before(&p, START_NS + 1000000), 1);
    assert_int_equal(pace_meant_before(&p, START_NS + 1000001), 2);
    assert_true(pace_take(&p, UINT64_MAX, &meant_ns));
    assert_int_equal(pace_meant_before(&p, START_NS + UINT64_C(3000000000)), 3000);
    pace_begin(&p, 700000, START_NS); /* a gap that is no whole number: as pace_take() gives them out */
    for (uint64_t n = 0; pace_take(&p, START_NS + 999999, &meant_ns); n++)
        assert_int_equal(pace_meant_before(&p, meant_ns + 1), n + 1);
    assert_int_equal(pace_meant_before(&p, START_NS + 1000000), p.started);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_leave_at_the_rate_and_not_before),
        cmocka_unit_test(who_comes_late_keeps_the_times_that_were_meant),
        cmocka_unit_test(an_odd_rate_does_not_drift),
        cmocka_unit_test(what_is_due_is_counted_whoever_has_sent_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
