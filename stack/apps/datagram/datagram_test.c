/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The verifiable stream (against known words), datagrams, and the account of a flow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/stream.h"
#include "datagram/datagram.h"

static void stream_is_splitmix64(void **state)
{
    /* Outputs of splitmix64 with seed 1, as its reference gives them. */
    static const uint64_t want[] = {UINT64_C(0x910a2dec89025cc1), UINT64_C(0xbeeb8da1658eec67)};
    uint8_t buf[16];

    (void)state;
    stream_fill(1, 0, buf, sizeof(buf));
    assert_memory_equal(buf, want, sizeof(buf));
}

static void any_piece_is_the_same(void **state)
{
    uint8_t whole[256], piece[256];

    (void)state;
    stream_fill(7, 1000, whole, sizeof(whole));
    for (size_t from = 0; from < 40; from++) {
        for (size_t len = 0; len < 40; len++) {
            stream_fill(7, 1000 + from, piece, len);
            assert_memory_equal(piece, whole + from, len);
            assert_true(stream_check(7, 1000 + from, whole + from, len));
        }
    }
    whole[100] ^= 1;
    assert_false(stream_check(7, 1000, whole, sizeof(whole)));
    assert_true(stream_check(7, 1000, whole, 100));
    assert_false(stream_check(8, 1101, whole + 101, 100));
}

static void datagrams_are_checked(void **state)
{
    struct datagram d = {DATAGRAM_DATA, 77, 123456789}, got;
    uint8_t buf[100];

    (void)state;
    datagram_make(&d, buf, sizeof(buf));
    assert_true(datagram_check(buf, sizeof(buf), &got));
    assert_int_equal(got.kind, DATAGRAM_DATA);
    assert_int_equal(got.number, 77);
    assert_int_equal(got.sent_us, 123456789);
    assert_true(datagram_check(buf, 16, &got));
    assert_false(datagram_check(buf, 15, &got));
    for (unsigned i = 0; i < sizeof(buf); i++) {
        if (i >= 8 && i < 16) /* the time may be any */
            continue;
        buf[i] ^= 0x80;
        assert_false(datagram_check(buf, sizeof(buf), &got));
        buf[i] ^= 0x80;
    }
}

static struct flow flow;

static int begin(void **state)
{
    (void)state;
    return !flow_init(&flow);
}

static int end(void **state)
{
    (void)state;
    flow_fini(&flow);
    return 0;
}

static void counts(uint32_t unique, uint32_t duplicates, uint32_t reordered, uint32_t lost)
{
    assert_int_equal(flow.unique, unique);
    assert_int_equal(flow.duplicates, duplicates);
    assert_int_equal(flow.reordered, reordered);
    assert_int_equal(flow_lost(&flow), lost);
}

static void tells_loss_order_and_copies(void **state)
{
    static const uint32_t came[] = {0, 1, 3, 2, 3, 3, 6, 6, 5, 0};

    (void)state;
    for (unsigned i = 0; i < sizeof(came) / sizeof(*came); i++)
        flow_data(&flow, came[i]);
    counts(6, 4, 2, 1); /* 4 is missing */
    flow_end(&flow, 10);
    counts(6, 4, 2, 4);
    flow_data(&flow, 4);
    counts(7, 4, 3, 3);
}

static void far_jumps(void **state)
{
    (void)state;
    flow_data(&flow, 5);
    flow_data(&flow, 5 + 3 * FLOW_WINDOW);
    flow_data(&flow, 5 + 3 * FLOW_WINDOW); /* a copy */
    flow_data(&flow, 5);                   /* too long ago to tell */
    flow_data(&flow, 6 + 2 * FLOW_WINDOW); /* the oldest that can be told */
    counts(3, 2, 1, 3 * FLOW_WINDOW + 3);
    flow_data(&flow, UINT32_MAX - 1);
    flow_data(&flow, UINT32_MAX);
    assert_int_equal(flow.unique, 4);
    assert_int_equal(flow.expected, UINT32_MAX);
}

static void a_window_later_the_slot_is_free(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * FLOW_WINDOW + 100; i++)
        flow_data(&flow, i);
    counts(2 * FLOW_WINDOW + 100, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_is_splitmix64),
        cmocka_unit_test(any_piece_is_the_same),
        cmocka_unit_test(datagrams_are_checked),
        cmocka_unit_test_setup_teardown(tells_loss_order_and_copies, begin, end),
        cmocka_unit_test_setup_teardown(far_jumps, begin, end),
        cmocka_unit_test_setup_teardown(a_window_later_the_slot_is_free, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
