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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_leave_at_the_rate_and_not_before),
        cmocka_unit_test(who_comes_late_keeps_the_times_that_were_meant),
        cmocka_unit_test(an_odd_rate_does_not_drift),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
