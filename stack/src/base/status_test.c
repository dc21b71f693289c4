/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The status table: every code has a name, a sentence and an errno. */
#include "base/status.h"

#include <errno.h>

#include "testing/unit.h"

static void every_code_is_described(void **state)
{
    (void)state;
    for (int st = 0; st < ST_COUNT; st++) {
        assert_true(strlen(status_name(st)) > 1);
        assert_true(strlen(status_text(st)) > 5);
        assert_int_equal(status_errno(st) == 0, st == ST_OK);
    }
    assert_string_equal(status_name(ST_NO_MEMORY), "NO_MEMORY");
    assert_int_equal(status_errno(ST_AGAIN), EAGAIN);
}

static void outside_values_are_harmless(void **state)
{
    (void)state;
    assert_string_equal(status_name(ST_COUNT), "?");
    assert_string_equal(status_name((enum status) - 1), "?");
    assert_int_equal(status_errno((enum status)12345), EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_described),
        cmocka_unit_test(outside_values_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
