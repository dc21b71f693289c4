/* SPDX-License-Identifier: BSD-3-Clause */
/* The MAC table against a plain array: every operation of a random run must agree. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "l2_table.h"

#define N_MACS 512
#define STEPS 200000
#define NONE UINT16_MAX

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static void agrees_with_an_array(void **unused)
{
    uint16_t model[N_MACS];
    struct l2_table t;
    uint64_t seed = 1;

    (void)unused;
    for (int i = 0; i < N_MACS; i++)
        model[i] = NONE;
    assert_int_equal(l2_table_init(&t, N_MACS), 0);
    for (int step = 0; step < STEPS; step++) {
        unsigned i = next(&seed) % N_MACS;
        /* Neighbours, and addresses that differ in the upper half only. */
        uint64_t mac = i % 2 ? 0x020000000000ULL + i : (uint64_t)i << 32;

        switch (next(&seed) % 3) {
        case 0:
            assert_int_equal(l2_table_add(&t, mac, i), model[i] == NONE ? 0 : -EEXIST);
            model[i] = i;
            break;
        case 1:
            assert_int_equal(l2_table_delete(&t, mac), model[i] == NONE ? -ENOENT : 0);
            model[i] = NONE;
            break;
        default:
            assert_int_equal(l2_table_find(&t, mac, NONE), model[i]);
        }
    }
    for (int i = 0; i < N_MACS; i++)
        assert_int_equal(l2_table_find(&t, i % 2 ? 0x020000000000ULL + i : (uint64_t)i << 32, NONE),
                         model[i]);
    l2_table_free(&t);
}

static void is_full_at_its_limit(void **unused)
{
    struct l2_table t;

    (void)unused;
    assert_int_equal(l2_table_init(&t, 100), 0);
    for (uint64_t mac = 0; mac < 100; mac++)
        assert_int_equal(l2_table_add(&t, mac, 1), 0);
    assert_int_equal(l2_table_add(&t, 100, 1), -ENOMEM);
    assert_int_equal(l2_table_add(&t, 5, 1), -EEXIST);
    assert_int_equal(l2_table_delete(&t, 5), 0);
    assert_int_equal(l2_table_add(&t, 100, 8192), 0);
    assert_int_equal(l2_table_find(&t, 100, NONE), 8192);
    l2_table_free(&t);
}

static void grows_with_its_content(void **unused)
{
    struct l2_table t;
    size_t small;

    (void)unused;
    assert_int_equal(l2_table_init(&t, (size_t)1 << 28), 0);
    small = t.n_slots;
    assert_true(small < 1024);
    for (uint64_t mac = 0; mac < 10000; mac++)
        assert_int_equal(l2_table_add(&t, mac * 0x10001, mac % 8192), 0);
    assert_true(t.n_slots >= 20000 && t.n_slots < 80000);
    for (uint64_t mac = 0; mac < 10000; mac++)
        assert_int_equal(l2_table_find(&t, mac * 0x10001, NONE), mac % 8192);
    l2_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_an_array),
        cmocka_unit_test(is_full_at_its_limit),
        cmocka_unit_test(grows_with_its_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
