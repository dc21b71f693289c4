/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Readings of a clock made by hand, and lists of CPUs. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "noise/cpus.h"
#include "noise/noise.h"

#define US UINT64_C(1000)
#define SECOND UINT64_C(1000000000)
#define START (5 * SECOND)

/** Reads the clock each 100 ns until then. */
static void undisturbed(struct noise *n, uint64_t until_ns)
{
    while (n->last_ns + 100 <= until_ns)
        noise_look(n, n->last_ns + 100);
}

static void a_cpu_that_nobody_takes_loses_nothing(void **state)
{
    struct noise *n = malloc(sizeof(*n));

    (void)state;
    noise_begin(n, 20 * US, START);
    undisturbed(n, START + 1000 * US);
    noise_end(n);
    assert_int_equal(n->gaps, 0);
    assert_int_equal(n->longest_ns, 0);
    assert_true(noise_lost_percent(n) == 0);
    assert_true(noise_gap_us(n, 0.9999) == 0);
    free(n);
}

static void only_gaps_longer_than_the_limit_are_lost(void **state)
{
    struct noise *n = malloc(sizeof(*n));

    (void)state;
    noise_begin(n, 20 * US, START);
    undisturbed(n, START + 9000 * US);
    noise_look(n, n->last_ns + 20 * US); /* as long as the limit: not longer */
    noise_look(n, n->last_ns + 30 * US);
    noise_look(n, n->last_ns + 470 * US);
    undisturbed(n, START + 10000 * US);
    noise_end(n);
    assert_int_equal(n->gaps, 2);
    assert_int_equal(n->lost_ns, 500 * US);
    assert_int_equal(n->longest_ns, 470 * US);
    assert_true(noise_lost_percent(n) > 4.999 && noise_lost_percent(n) < 5.001);
    free(n);
}

static void a_quantile_is_of_moments_and_not_of_gaps(void **state)
{
    struct noise *n = malloc(sizeof(*n));

    (void)state;
    noise_begin(n, 20 * US, START);
    for (unsigned i = 0; i < 40; i++) /* 40 gaps of 10 us, 4 % of 10 ms; one of 100 us, 1 % */
        noise_look(n, n->last_ns + 10 * US);
    noise_look(n, n->last_ns + 100 * US);
    undisturbed(n, START + 10000 * US);
    noise_end(n);
    assert_true(noise_gap_us(n, 0.94) == 0);
    assert_true(noise_gap_us(n, 0.96) >= 10 && noise_gap_us(n, 0.96) < 10.1);
    assert_true(noise_gap_us(n, 0.98) >= 10 && noise_gap_us(n, 0.98) < 10.1);
    assert_true(noise_gap_us(n, 0.995) == 100);
    free(n);
}

static void cpus_are_summed_up(void **state)
{
    struct noise *n = malloc(3 * sizeof(*n));

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        noise_begin(&n[i], 20 * US, START);
    noise_look(&n[1], START + 1000 * US);
    undisturbed(&n[2], START + 3000 * US);
    for (unsigned i = 0; i < 3; i++)
        noise_end(&n[i]);
    noise_merge(&n[0], &n[1]);
    noise_merge(&n[0], &n[2]);
    assert_int_equal(n[0].gaps, 1);
    assert_int_equal(n[0].longest_ns, 1000 * US);
    assert_true(noise_lost_percent(&n[0]) == 25);
    free(n);
}

static void lists_of_cpus_are_read_whole(void **state)
{
    static const char *const wrong[] = {"",      ",",  "1,", "-1", "1-", "3-1", "1x", "99999999999999999999",
                                        "0-1-2", "1 2"};
    cpu_set_t set;

    (void)state;
    assert_true(cpus_parse("0-2,8", &set));
    assert_int_equal(CPU_COUNT(&set), 4);
    assert_true(CPU_ISSET(2, &set) && CPU_ISSET(8, &set) && !CPU_ISSET(3, &set));
    assert_true(cpus_parse("5", &set));
    assert_int_equal(CPU_COUNT(&set), 1);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (cpus_parse(wrong[i], &set))
            fail_msg("\"%s\" was taken", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cpu_that_nobody_takes_loses_nothing),
        cmocka_unit_test(only_gaps_longer_than_the_limit_are_lost),
        cmocka_unit_test(a_quantile_is_of_moments_and_not_of_gaps),
        cmocka_unit_test(cpus_are_summed_up),
        cmocka_unit_test(lists_of_cpus_are_read_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
