/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The neighbour table: life of an entry, static entries, what strangers can and cannot displace, readers that
 * race with a writer. */
#include "inet/neigh.h"

#include <pthread.h>
#include <stdatomic.h>

#include "testing/unit.h"

#define S 1000000u /* a second */

static struct eth_addr mac_of(unsigned n)
{
    return (struct eth_addr){{2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static int setup(void **state)
{
    return neigh_table_create((struct neigh_table **)state) == ST_OK ? 0 : -1;
}

static int teardown(void **state)
{
    neigh_table_destroy(*state);
    return 0;
}

static void asks_sixteen_times_then_gives_up(void **state)
{
    struct neigh_table *t = *state;
    uint32_t before = neigh_generation(t);
    struct neigh_ask ask;
    struct eth_addr mac;
    unsigned asked = 1;

    assert_int_equal(neigh_resolve(t, 7, 5, &mac), NEIGH_ASK);
    assert_int_equal(neigh_resolve(t, 7, 6, &mac), NEIGH_WAIT);
    assert_false(neigh_lookup(t, 7, &mac));
    for (uint64_t now_us = 5; neigh_query(t, 7, &mac) == NEIGH_WAIT; now_us += S / 4) {
        unsigned n = neigh_timers(t, now_us, &ask, 1);

        assert_true(n == 0 || (ask.addr == 7 && eth_addr_is_broadcast(ask.to)));
        asked += n;
        assert_true(now_us < 20 * S);
    }
    assert_int_equal(asked, NEIGH_TRIES);
    assert_int_not_equal(neigh_generation(t), before);
    assert_true(neigh_next_deadline(t) == UINT64_MAX);
}

static void a_reply_resolves(void **state)
{
    struct neigh_table *t = *state;
    uint32_t before = neigh_generation(t);
    struct eth_addr mac;

    neigh_resolve(t, 7, 0, &mac);
    assert_int_equal(neigh_learn(t, 7, mac_of(7), false, 10), NEIGH_CONFIRMED);
    assert_int_not_equal(neigh_generation(t), before);
    assert_true(neigh_lookup(t, 7, &mac));
    assert_true(eth_addr_equal(mac, mac_of(7)));
    assert_int_equal(neigh_learn(t, 7, mac_of(8), false, 20), NEIGH_CHANGED);
    assert_true(neigh_lookup(t, 7, &mac));
    assert_true(eth_addr_equal(mac, mac_of(8)));
}

static void a_used_entry_is_asked_again_by_unicast_first(void **state)
{
    struct neigh_table *t = *state;
    unsigned unicast = 0, asked = 0;
    struct neigh_ask ask;
    struct eth_addr mac;

    neigh_learn(t, 7, mac_of(7), true, 0);
    assert_true(neigh_lookup(t, 7, &mac));
    assert_int_equal(neigh_timers(t, NEIGH_REACHABLE_US - 1, &ask, 1), 0);
    for (uint64_t now_us = NEIGH_REACHABLE_US; neigh_query(t, 7, &mac) == NEIGH_RESOLVED; now_us += S) {
        assert_true(neigh_lookup(t, 7, &mac)); /* packets go on meanwhile */
        if (!neigh_timers(t, now_us, &ask, 1))
            continue;
        asked++;
        unicast += eth_addr_equal(ask.to, mac_of(7));
        assert_true(unicast == asked || asked > NEIGH_UNICAST_PROBES);
    }
    assert_int_equal(unicast, NEIGH_UNICAST_PROBES);
    assert_int_equal(asked, NEIGH_PROBES);
}

static void a_confirmed_probe_starts_anew(void **state)
{
    struct neigh_table *t = *state;
    struct neigh_ask ask;
    struct eth_addr mac;

    neigh_learn(t, 7, mac_of(7), true, 0);
    neigh_lookup(t, 7, &mac);
    assert_int_equal(neigh_timers(t, NEIGH_REACHABLE_US, &ask, 1), 1);
    neigh_learn(t, 7, mac_of(7), false, NEIGH_REACHABLE_US + 10);
    assert_int_equal(neigh_timers(t, NEIGH_REACHABLE_US + 30 * S, &ask, 1), 0);
    assert_true(neigh_next_deadline(t) == 2 * NEIGH_REACHABLE_US + 10);
}

static void an_unused_entry_is_forgotten(void **state)
{
    struct neigh_table *t = *state;
    struct neigh_ask ask;
    struct eth_addr mac;

    neigh_learn(t, 7, mac_of(7), true, 0);
    assert_int_equal(neigh_timers(t, NEIGH_REACHABLE_US, &ask, 1), 0);
    assert_int_equal(neigh_query(t, 7, &mac), NEIGH_NONE);
}

static void a_static_entry_never_changes(void **state)
{
    struct neigh_table *t = *state;
    struct neigh_ask ask;
    struct eth_addr mac;

    assert_int_equal(neigh_add_static(t, 7, mac_of(7)), ST_OK);
    assert_int_equal(neigh_add_static(t, 7, mac_of(8)), ST_EXISTS);
    assert_int_equal(neigh_learn(t, 7, mac_of(8), true, 10), NEIGH_STATIC);
    assert_int_equal(neigh_learn(t, 7, mac_of(7), true, 10), NEIGH_CONFIRMED);
    for (unsigned a = 1000; a < 20000; a++)
        neigh_resolve(t, a, 20, &mac);
    for (uint64_t now_us = 0; now_us < 400 * (uint64_t)S; now_us += S)
        neigh_timers(t, now_us, &ask, 1);
    assert_true(neigh_lookup(t, 7, &mac));
    assert_true(eth_addr_equal(mac, mac_of(7)));
}

static void unknown_senders_are_ignored_unless_they_ask_us(void **state)
{
    struct neigh_table *t = *state;
    struct eth_addr mac;

    assert_int_equal(neigh_learn(t, 7, mac_of(7), false, 0), NEIGH_IGNORED);
    assert_int_equal(neigh_query(t, 7, &mac), NEIGH_NONE);
}

static void a_flood_does_not_displace_what_is_in_use(void **state)
{
    struct neigh_table *t = *state;
    unsigned lost = 0;
    struct eth_addr mac;

    for (unsigned a = 1; a <= 254; a++) {
        neigh_resolve(t, a, 0, &mac);
        neigh_learn(t, a, mac_of(a), false, 1);
    }
    for (unsigned a = 1000; a < 200000; a++) /* overheard */
        neigh_learn(t, a, mac_of(a), true, 2 + a);
    for (unsigned a = 200000; a < 300000; a++) /* made to look for strangers */
        neigh_resolve(t, a, 2 + a, &mac);
    for (unsigned a = 1; a <= 254; a++)
        lost += neigh_query(t, a, &mac) != NEIGH_RESOLVED;
    assert_int_equal(lost, 0);
}

struct race {
    struct neigh_table *table;
    atomic_bool stop;
    atomic_uint wrong, seen;
};

/* The MAC of address a is always mac_of(k * 65536 + a), whichever k is current. */
static void *race_reader(void *arg)
{
    struct race *r = arg;
    struct eth_addr mac;

    for (unsigned a = 1; !atomic_load(&r->stop); a = a % 200 + 1) {
        if (!neigh_lookup(r->table, a, &mac))
            continue;
        atomic_fetch_add(&r->seen, 1);
        if (mac.b[5] != a || mac.b[2] != mac.b[3])
            atomic_fetch_add(&r->wrong, 1);
    }
    return NULL;
}

static void readers_never_see_a_mixture(void **state)
{
    struct race r = {.table = *state};
    pthread_t reader;

    pthread_create(&reader, NULL, race_reader, &r);
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned a = 1; a <= 200; a++) {
            unsigned k = round % 251;

            neigh_learn(r.table, a, mac_of(k << 24 | k << 16 | a), true, round);
        }
    }
    while (!atomic_load(&r.seen))
        ;
    atomic_store(&r.stop, true);
    pthread_join(reader, NULL);
    assert_int_equal(atomic_load(&r.wrong), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(asks_sixteen_times_then_gives_up),
        TEST(a_reply_resolves),
        TEST(a_used_entry_is_asked_again_by_unicast_first),
        TEST(a_confirmed_probe_starts_anew),
        TEST(an_unused_entry_is_forgotten),
        TEST(a_static_entry_never_changes),
        TEST(unknown_senders_are_ignored_unless_they_ask_us),
        TEST(a_flood_does_not_displace_what_is_in_use),
        TEST(readers_never_see_a_mixture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
