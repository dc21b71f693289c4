/* SPDX-License-Identifier: BSD-3-Clause */
/* L2Switch with real frames, hostile ones included. */
#include "testkit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define A 0x02000000000aULL
#define B 0x02000000000bULL
#define C 0x02000000000cULL
#define ALL 0xffffffffffffULL

enum {
    RECEIVED,
    FORWARDED,
    FLOODED,
    FILTERED,
    RUNTS,
    BAD_SOURCE,
    NO_BUFFER,
    LEARNED,
    MOVED,
    PINNED,
    NOT_LEARNED,
    ENTRIES,
    N_COUNTERS
};

static struct module *sw;

/* Ports, lanes, age, addresses a port, seed. */
static void make(int64_t ports, int64_t lanes, int64_t age_ms, int64_t limit)
{
    sw = create_probed("L2Switch", (int64_t[]){ports, lanes, age_ms, limit, 1}, 5, N_PROBES);
}

static int64_t counter(unsigned which)
{
    int64_t words[N_COUNTERS];

    assert_int_equal(sw->class->query(sw, "counters", NULL, 0, words, N_COUNTERS), N_COUNTERS);
    return words[which];
}

static void feed(uint16_t port, uint64_t dst, uint64_t src)
{
    push_one(sw, port, frame_from(dst, src, 1));
}

/* How many frames each probe got since the last time. */
static void arrived(unsigned p0, unsigned p1, unsigned p2, unsigned p3)
{
    assert_int_equal(probes[0].n, p0);
    assert_int_equal(probes[1].n, p1);
    assert_int_equal(probes[2].n, p2);
    assert_int_equal(probes[3].n, p3);
    probes_clear();
}

static void floods_until_it_has_learned(void **state)
{
    (void)state;
    make(4, 1, 300000, 16);
    feed(0, B, A);
    arrived(0, 1, 1, 1);
    feed(1, A, B);
    arrived(1, 0, 0, 0);
    feed(0, B, A);
    arrived(0, 1, 0, 0);
    feed(2, ALL, C);
    arrived(1, 1, 0, 1);
    feed(3, 0x01005e000001, C + 1);
    arrived(1, 1, 1, 0);
    assert_int_equal(counter(LEARNED), 4);
    assert_int_equal(counter(FLOODED), 3);
    assert_int_equal(counter(FORWARDED), 2);
    assert_int_equal(counter(ENTRIES), 4);
    module_destroy(&dp, sw);
}

static void nothing_goes_back_to_where_it_came_from(void **state)
{
    (void)state;
    make(4, 1, 300000, 16);
    feed(0, ALL, A);
    feed(0, ALL, B);
    probes_clear();
    feed(0, B, A); /* both behind the same port */
    feed(0, A, A);
    arrived(0, 0, 0, 0);
    assert_int_equal(counter(FILTERED), 2);
    module_destroy(&dp, sw);
}

static void copies_of_a_flood_are_whole_and_own(void **state)
{
    (void)state;
    make(3, 1, 300000, 16);
    push_one(sw, 0, frame_from(ALL, A, 77));
    assert_int_equal(mark_of(probes[1].pkt[0]), 77);
    assert_int_equal(mark_of(probes[2].pkt[0]), 77);
    assert_int_equal(probes[1].pkt[0]->pkt_len, 60);
    assert_ptr_not_equal(probes[1].pkt[0]->buf_addr, probes[2].pkt[0]->buf_addr);
    arrived(0, 1, 1, 0); /* gate 3 is no port of a switch with three */
    module_destroy(&dp, sw);
}

static void an_address_that_moves_is_followed(void **state)
{
    (void)state;
    make(4, 1, 300000, 16);
    feed(0, ALL, A);
    feed(2, ALL, A);
    probes_clear();
    feed(1, A, B);
    arrived(0, 0, 1, 0);
    assert_int_equal(counter(MOVED), 1);
    module_destroy(&dp, sw);
}

static void addresses_age(void **state)
{
    (void)state;
    make(4, 1, 20, 16);
    feed(0, ALL, A);
    probes_clear();
    usleep(40000);
    feed(1, A, B);
    arrived(1, 0, 1, 1);
    assert_int_equal(counter(ENTRIES), 1);
    module_destroy(&dp, sw);
}

static void static_entries_pin_and_commands_are_checked(void **state)
{
    int64_t result;

    (void)state;
    make(4, 1, 300000, 16);
    assert_int_equal(sw->class->command(sw, "add", (int64_t[]){A, 3}, 2, &result), 0);
    assert_int_equal(sw->class->command(sw, "add", (int64_t[]){A, 3}, 2, &result), -EEXIST);
    assert_int_equal(sw->class->command(sw, "add", (int64_t[]){B, 4}, 2, &result), -EINVAL);
    assert_int_equal(sw->class->command(sw, "add", (int64_t[]){B, -1}, 2, &result), -EINVAL);
    assert_int_equal(sw->class->command(sw, "flush", (int64_t[]){4}, 1, &result), -EINVAL);
    assert_int_equal(sw->class->command(sw, "set_age", (int64_t[]){-1}, 1, &result), -EINVAL);
    assert_int_equal(sw->class->command(sw, "lookup", (int64_t[]){B}, 1, &result), -ENOENT);
    assert_int_equal(sw->class->command(sw, "nope", NULL, 0, &result), -EOPNOTSUPP);
    assert_int_equal(sw->class->query(sw, "nope", NULL, 0, &result, 1), -EOPNOTSUPP);
    feed(0, ALL, A); /* somebody else's address */
    probes_clear();
    assert_int_equal(counter(PINNED), 1);
    feed(1, A, B);
    arrived(0, 0, 0, 1);
    assert_int_equal(sw->class->command(sw, "flush", NULL, 0, &result), 0);
    assert_int_equal(result, 1);
    assert_int_equal(sw->class->command(sw, "delete", (int64_t[]){A}, 1, &result), 0);
    assert_int_equal(counter(ENTRIES), 0);
    module_destroy(&dp, sw);
}

static void lanes_are_apart_but_know_the_same(void **state)
{
    (void)state;
    make(2, 2, 300000, 16); /* gates 0 and 1: lane 0; gates 2 and 3: lane 1 */
    feed(2, ALL, A);
    arrived(0, 0, 0, 1);
    feed(1, A, B);
    arrived(1, 0, 0, 0);
    feed(3, A, B);
    arrived(0, 0, 1, 0);
    assert_int_equal(counter(FLOODED), 1);
    push_one(sw, 4, frame(A, 0)); /* beyond the last lane */
    assert_int_equal(module_deadends(sw), 1);
    module_destroy(&dp, sw);
}

static void a_batch_splits_in_order(void **state)
{
    struct batch b = {.n = 0};

    (void)state;
    make(4, 1, 300000, 16);
    feed(1, ALL, A);
    feed(2, ALL, B);
    probes_clear();
    for (uint8_t i = 0; i < DP_BURST_MAX; i++)
        batch_add(&b, frame_from(i % 2 ? A : B, C, i));
    push(sw, &b);
    for (unsigned i = 0; i < DP_BURST_MAX / 2; i++) {
        assert_int_equal(mark_of(probes[2].pkt[i]), 2 * i);
        assert_int_equal(mark_of(probes[1].pkt[i]), 2 * i + 1);
    }
    arrived(0, DP_BURST_MAX / 2, DP_BURST_MAX / 2, 0);
    module_destroy(&dp, sw);
}

static void hostile_frames_are_dropped_and_counted(void **state)
{
    (void)state;
    make(4, 1, 300000, 16);
    for (uint16_t len = 0; len < 14; len++) {
        struct rte_mbuf *runt = frame_from(ALL, A, 0);

        rte_pktmbuf_trim(runt, 60 - len);
        push_one(sw, 0, runt);
    }
    feed(0, ALL, ALL);
    feed(0, ALL, 0x010000000001);
    feed(0, ALL, 0);
    arrived(0, 0, 0, 0);
    assert_int_equal(counter(RUNTS), 14);
    assert_int_equal(counter(BAD_SOURCE), 3);
    assert_int_equal(counter(ENTRIES), 0);
    assert_int_equal(counter(RECEIVED), 17);
    module_destroy(&dp, sw);
}

static void odd_frames_pass_whole(void **state)
{
    struct rte_mbuf *tagged = frame_from(ALL, A, 0), *head = frame_from(ALL, A, 0),
                    *shortest = frame_from(ALL, A, 0);

    (void)state;
    make(2, 1, 300000, 16);
    memcpy(rte_pktmbuf_mtod_offset(tagged, uint8_t *, 12), "\x81\x00\x00\x05\x81\x00", 6);
    push_one(sw, 0, tagged);
    for (int i = 0; i < 8; i++) { /* a jumbo of nine buffers */
        struct rte_mbuf *more = frame(0, 0);

        rte_pktmbuf_append(more, 1500);
        rte_pktmbuf_chain(head, more);
    }
    push_one(sw, 0, head);
    rte_pktmbuf_trim(shortest, 46);
    push_one(sw, 0, shortest);
    assert_int_equal(probes[1].n, 3);
    assert_memory_equal(rte_pktmbuf_mtod_offset(probes[1].pkt[0], uint8_t *, 12), "\x81\x00\x00\x05\x81\x00",
                        6);
    assert_int_equal(probes[1].pkt[1]->pkt_len, 60 + 8 * 1560);
    assert_int_equal(probes[1].pkt[2]->pkt_len, 14);
    probes_clear();
    module_destroy(&dp, sw);
}

static void a_flood_of_addresses_costs_its_own_port_alone(void **state)
{
    uint64_t seed = 1;

    (void)state;
    make(4, 1, 300000, 16);
    feed(1, ALL, B);
    for (unsigned i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        feed(0, ALL, (seed >> 16) & 0xfeffffffffffULL);
        probes_clear();
    }
    assert_int_equal(counter(ENTRIES), 17);
    assert_true(counter(NOT_LEARNED) > 19900);
    feed(2, B, C);
    arrived(0, 1, 0, 0);
    module_destroy(&dp, sw);
}

static void without_buffers_a_flood_reaches_one_port_and_counts_the_rest(void **state)
{
    static struct rte_mbuf *hog[N_BUFFERS];
    struct rte_mbuf *original = frame_from(ALL, A, 0);
    unsigned n = 0;

    (void)state;
    make(4, 1, 300000, 16);
    while ((hog[n] = rte_pktmbuf_alloc(dp.pool)) != NULL)
        n++;
    push_one(sw, 0, original);
    rte_pktmbuf_free_bulk(hog, n);
    arrived(0, 0, 0, 1);
    assert_int_equal(counter(NO_BUFFER), 2);
    module_destroy(&dp, sw);
}

static void random_bytes_do_no_harm(void **state)
{
    uint64_t x = 99;

    (void)state;
    make(4, 1, 5, 16);
    for (unsigned i = 0; i < 20000; i++) {
        struct rte_mbuf *pkt = frame(0, 0);
        uint64_t *word = rte_pktmbuf_mtod(pkt, uint64_t *);

        for (int k = 0; k < 3; k++)
            word[k] = x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        rte_pktmbuf_trim(pkt, (x >> 40) % 61);
        push_one(sw, (x >> 30) % 4, pkt);
        probes_clear();
    }
    assert_int_equal(counter(RECEIVED), 20000);
    assert_int_equal(counter(FORWARDED) + counter(FLOODED) + counter(FILTERED) + counter(RUNTS) +
                         counter(BAD_SOURCE),
                     20000);
    module_destroy(&dp, sw);
}

static void refuses_bad_arguments(void **state)
{
    struct module *m;

    (void)state;
    assert_int_equal(module_create(&dp, "L2Switch", (int64_t[]){0, 1, 0, 1, 0}, 5, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "L2Switch", (int64_t[]){4096, 3, 0, 1, 0}, 5, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "L2Switch", (int64_t[]){1, 129, 0, 1, 0}, 5, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "L2Switch", (int64_t[]){1, 1, -1, 1, 0}, 5, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "L2Switch", (int64_t[]){1, 1, 0, INT64_MAX, 0}, 5, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "L2Switch", NULL, 0, &m), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(floods_until_it_has_learned),
        CASE(nothing_goes_back_to_where_it_came_from),
        CASE(copies_of_a_flood_are_whole_and_own),
        CASE(an_address_that_moves_is_followed),
        CASE(addresses_age),
        CASE(static_entries_pin_and_commands_are_checked),
        CASE(lanes_are_apart_but_know_the_same),
        CASE(a_batch_splits_in_order),
        CASE(hostile_frames_are_dropped_and_counted),
        CASE(odd_frames_pass_whole),
        CASE(a_flood_of_addresses_costs_its_own_port_alone),
        CASE(without_buffers_a_flood_reaches_one_port_and_counts_the_rest),
        CASE(random_bytes_do_no_harm),
        CASE(refuses_bad_arguments),
    };

    return kit_start() ? kit_stop(cmocka_run_group_tests_name("dataplane/l2_switch", tests, NULL, NULL)) : 1;
}
