/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The allocator of descriptors against a plain array: the lowest free number, always. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sock/idmap.h"

static void gives_numbers_in_order_and_reuses_the_lowest(void **state)
{
    struct idmap m;

    (void)state;
    assert_int_equal(idmap_init(&m, 3), ST_OK);
    assert_int_equal(idmap_take(&m), 0);
    assert_int_equal(idmap_take(&m), 1);
    assert_int_equal(idmap_take(&m), 2);
    assert_int_equal(idmap_take(&m), -1);
    idmap_give(&m, 2);
    idmap_give(&m, 0);
    assert_int_equal(idmap_take(&m), 0);
    assert_int_equal(idmap_take(&m), 2);
    idmap_fini(&m);
}

static void refuses_size_zero_and_ignores_strange_numbers(void **state)
{
    struct idmap m;

    (void)state;
    assert_int_equal(idmap_init(&m, 0), ST_INVALID);
    assert_int_equal(idmap_init(&m, 65), ST_OK);
    idmap_give(&m, 64);
    idmap_give(&m, 1000);
    assert_int_equal(m.used, 0);
    assert_false(idmap_taken(&m, 64));
    assert_false(idmap_taken(&m, 65));
    idmap_fini(&m);
}

#define MODEL_SIZE 5000

static void agrees_with_a_model(void **state)
{
    static bool taken[MODEL_SIZE];
    struct idmap m;
    unsigned lowest;

    (void)state;
    srand(7);
    memset(taken, 0, sizeof(taken));
    assert_int_equal(idmap_init(&m, MODEL_SIZE), ST_OK);
    for (int step = 0; step < 20000; step++) {
        unsigned id = (unsigned)rand() % MODEL_SIZE;

        if (rand() % 3 == 0) {
            idmap_give(&m, id);
            taken[id] = false;
            continue;
        }
        for (lowest = 0; lowest < MODEL_SIZE && taken[lowest]; lowest++)
            ;
        assert_int_equal(idmap_take(&m), lowest < MODEL_SIZE ? (int)lowest : -1);
        if (lowest < MODEL_SIZE)
            taken[lowest] = true;
        assert_int_equal(idmap_taken(&m, id), taken[id]);
    }
    idmap_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_numbers_in_order_and_reuses_the_lowest),
        cmocka_unit_test(refuses_size_zero_and_ignores_strange_numbers),
        cmocka_unit_test(agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
