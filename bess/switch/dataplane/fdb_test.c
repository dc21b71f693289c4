/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding database: ageing, moving, limits, and what a flood of made-up addresses can and cannot do.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fdb.h"

#define PORTS 4
#define LIMIT 100
#define AGE_MS 1600
#define MAC 0x020000000001ULL

static struct fdb t;

static int setup(void **state)
{
    (void)state;
    return fdb_init(&t, PORTS, LIMIT, AGE_MS, 42);
}

static int teardown(void **state)
{
    (void)state;
    fdb_free(&t);
    return 0;
}

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 16 & FDB_MAC_MASK;
}

static void learns_and_forgets(void **state)
{
    (void)state;
    assert_int_equal(fdb_find(&t, MAC, 0), FDB_NO_PORT);
    assert_int_equal(fdb_learn(&t, MAC, 2, 1000), FDB_LEARNED);
    assert_int_equal(fdb_learn(&t, MAC, 2, 1000), FDB_KNOWN);
    assert_int_equal(fdb_find(&t, MAC, 1000 + AGE_MS), 2);
    assert_int_equal(fdb_find(&t, MAC, 1001 + AGE_MS), FDB_NO_PORT);
    assert_int_equal(fdb_learn(&t, MAC, 1, 1001 + AGE_MS), FDB_LEARNED); /* old news is no move */
    assert_int_equal(fdb_count(&t, 1001 + AGE_MS), 1);
}

static void what_is_heard_stays_young(void **state)
{
    (void)state;
    for (uint64_t now = 0; now <= 10 * AGE_MS; now += AGE_MS / 32) {
        fdb_learn(&t, MAC, 3, now);
        assert_int_equal(fdb_find(&t, MAC, now + AGE_MS / 2), 3);
    }
    assert_int_equal(fdb_count(&t, 10 * AGE_MS), 1);
}

static void without_age_nothing_is_forgotten(void **state)
{
    (void)state;
    fdb_set_age(&t, 0);
    assert_int_equal(fdb_learn(&t, MAC, 2, 0), FDB_LEARNED);
    assert_int_equal(fdb_find(&t, MAC, UINT64_MAX), 2);
}

static void an_address_moves(void **state)
{
    (void)state;
    fdb_learn(&t, MAC, 0, 10);
    assert_int_equal(fdb_learn(&t, MAC, 1, 20), FDB_MOVED);
    assert_int_equal(fdb_find(&t, MAC, 20), 1);
    assert_int_equal(t.learned[0], 0);
    assert_int_equal(t.learned[1], 1);
}

static void static_entries_neither_age_nor_move(void **state)
{
    (void)state;
    fdb_learn(&t, MAC, 1, 0);
    assert_int_equal(fdb_add_static(&t, MAC, 0), 0);
    assert_int_equal(fdb_add_static(&t, MAC, 0), -EEXIST);
    assert_int_equal(fdb_learn(&t, MAC, 1, 5), FDB_PINNED);
    assert_int_equal(fdb_learn(&t, MAC, 0, 5), FDB_KNOWN);
    assert_int_equal(fdb_find(&t, MAC, 1000 * AGE_MS), 0);
    assert_int_equal(fdb_flush(&t, FDB_NO_PORT), 0);
    assert_int_equal(fdb_count(&t, 1000 * AGE_MS), 1);
    assert_int_equal(fdb_delete(&t, MAC), 0);
    assert_int_equal(fdb_delete(&t, MAC), -ENOENT);
    assert_int_equal(fdb_learn(&t, MAC, 1, 5), FDB_LEARNED);
}

static void flush_takes_what_one_port_learned(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        fdb_learn(&t, MAC + i, i % 2, 0);
    assert_int_equal(fdb_flush(&t, 1), 5);
    assert_int_equal(fdb_find(&t, MAC, 0), 0);
    assert_int_equal(fdb_find(&t, MAC + 1, 0), FDB_NO_PORT);
    assert_int_equal(fdb_flush(&t, FDB_NO_PORT), 5);
    assert_int_equal(fdb_count(&t, 0), 0);
}

static void a_flood_fills_the_limit_of_its_own_port_alone(void **state)
{
    uint64_t seed = 7;
    unsigned known = 0, refused = 0;

    (void)state;
    for (uint64_t i = 0; i < LIMIT; i++)
        assert_int_equal(fdb_learn(&t, MAC + i, 1, 0), FDB_LEARNED);
    assert_int_equal(fdb_learn(&t, MAC + LIMIT, 0, 0), FDB_LEARNED);
    for (unsigned i = 0; i < 200000; i++)
        refused += fdb_learn(&t, next(&seed), 0, i / 1000) == FDB_FULL;
    assert_true(refused >= 200000 - LIMIT);
    assert_int_equal(t.learned[0], LIMIT);
    for (uint64_t i = 0; i < LIMIT; i++)
        known += fdb_find(&t, MAC + i, 200) == 1;
    assert_int_equal(known, LIMIT);
    assert_int_equal(fdb_find(&t, MAC + LIMIT, 200), 0); /* what the port had learned before stays, too */
    /* Once the made-up ones are old there is room again. */
    assert_int_equal(fdb_learn(&t, 0x02aa00000001, 0, 10 * AGE_MS), FDB_LEARNED);
}

static void a_port_at_its_limit_still_unsettles_what_is_wrong(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < LIMIT; i++)
        fdb_learn(&t, MAC + 1000 + i, 0, 0);
    fdb_learn(&t, MAC, 1, 0);
    assert_int_equal(fdb_learn(&t, MAC, 0, 1), FDB_FULL);
    assert_int_equal(fdb_find(&t, MAC, 1),
                     FDB_NO_PORT); /* flooded from now on, which reaches it wherever it is */
}

static void lists_page_by_page(void **state)
{
    struct fdb_entry e[3];
    uint64_t sum = 0;
    uint32_t first = 0, n;

    (void)state;
    for (uint64_t i = 1; i <= 10; i++)
        fdb_learn(&t, i, 0, 0);
    while ((n = fdb_list(&t, 100, first, e, 3)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            sum += e[i].mac;
            assert_int_equal(e[i].age_ms, 100);
            assert_false(e[i].is_static);
        }
        first += n;
    }
    assert_int_equal(first, 10);
    assert_int_equal(sum, 55);
}

static void refuses_sizes_out_of_range(void **state)
{
    struct fdb other;

    (void)state;
    assert_int_equal(fdb_init(&other, 0, 1, 0, 0), -EINVAL);
    assert_int_equal(fdb_init(&other, FDB_MAX_PORTS + 1, 1, 0, 0), -EINVAL);
    assert_int_equal(fdb_init(&other, 1, 0, 0, 0), -EINVAL);
    assert_int_equal(fdb_init(&other, FDB_MAX_PORTS, UINT32_MAX, 0, 0), -EINVAL);
}

/* ---- several workers at once ---- */

#define THREADS 4
#define STEPS 100000

static void *learn_and_find(void *arg)
{
    uint64_t port = (uintptr_t)arg, seed = port, wrong = 0;

    for (unsigned i = 0; i < STEPS; i++) {
        uint64_t mac = next(&seed) % 64;

        fdb_learn(&t, mac, port, i / 100);
        uint16_t found = fdb_find(&t, mac, i / 100);

        wrong += found != FDB_NO_PORT && found >= THREADS;
    }
    return (void *)(uintptr_t)wrong;
}

static void workers_may_run_it_together(void **state)
{
    pthread_t threads[THREADS];
    uint32_t sum = 0;

    (void)state;
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, learn_and_find, (void *)i), 0);
    for (unsigned i = 0; i < 50; i++) {
        fdb_flush(&t, FDB_NO_PORT);
        fdb_count(&t, i);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    for (unsigned i = 0; i < PORTS; i++)
        sum += t.learned[i];
    assert_true(sum <= 64);
    assert_int_equal(fdb_flush(&t, FDB_NO_PORT), sum);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(learns_and_forgets),
        CASE(what_is_heard_stays_young),
        CASE(without_age_nothing_is_forgotten),
        CASE(an_address_moves),
        CASE(static_entries_neither_age_nor_move),
        CASE(flush_takes_what_one_port_learned),
        CASE(a_flood_fills_the_limit_of_its_own_port_alone),
        CASE(a_port_at_its_limit_still_unsettles_what_is_wrong),
        CASE(lists_page_by_page),
        CASE(refuses_sizes_out_of_range),
        CASE(workers_may_run_it_together),
    };

    return cmocka_run_group_tests_name("dataplane/fdb", tests, NULL, NULL);
}
