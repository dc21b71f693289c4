/* SPDX-License-Identifier: BSD-3-Clause */
/* The ring of a capture, and what its two file formats look like byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture_format.h"
#include "capture_ring.h"

/* ---- ring ---- */

static void ring_gives_records_back_in_order_and_whole(void **state)
{
    struct capture_ring r;
    unsigned written = 0, read = 0;

    (void)state;
    assert_int_equal(capture_ring_init(&r, 256), 0);
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t len = (written * 37) % 90;
        uint8_t *record = round % 3 < 2 ? capture_ring_reserve(&r, len) : NULL;
        const uint8_t *oldest;

        if (record != NULL) {
            memset(record, (uint8_t)written, len);
            capture_ring_commit(&r);
            written++;
        }
        oldest = round % 2 == 0 ? capture_ring_peek(&r) : NULL;
        if (oldest == NULL)
            continue;
        for (uint32_t i = 0; i < (read * 37) % 90; i++)
            assert_int_equal(oldest[i], (uint8_t)read);
        capture_ring_release(&r);
        read++;
    }
    assert_true(read > 300);
    capture_ring_free(&r);
}

static void ring_refuses_what_does_not_fit_until_there_is_room(void **state)
{
    struct capture_ring r;

    (void)state;
    assert_int_equal(capture_ring_init(&r, 64), 0);
    assert_null(capture_ring_peek(&r));
    assert_null(capture_ring_reserve(&r, 64)); /* with its length it is larger than the ring */
    for (int i = 0; i < 4; i++) {
        assert_non_null(capture_ring_reserve(&r, 8));
        capture_ring_commit(&r);
    }
    assert_null(capture_ring_reserve(&r, 0));
    assert_non_null(capture_ring_peek(&r));
    capture_ring_release(&r);
    assert_null(capture_ring_reserve(&r, 9));
    assert_non_null(capture_ring_reserve(&r, 8));
    capture_ring_free(&r);
}

static void ring_shows_nothing_before_the_commit(void **state)
{
    struct capture_ring r;

    (void)state;
    assert_int_equal(capture_ring_init(&r, 64), 0);
    assert_non_null(capture_ring_reserve(&r, 8));
    assert_null(capture_ring_peek(&r));
    capture_ring_commit(&r);
    assert_non_null(capture_ring_peek(&r));
    capture_ring_free(&r);
}

/* ---- formats ---- */

static uint32_t word(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t words(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint16_t half(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

/* A block says its length at both ends, in whole words. */
static void assert_block(const uint8_t *block, size_t len, uint32_t type)
{
    assert_int_equal(word(block), type);
    assert_int_equal(word(block + 4), len);
    assert_int_equal(word(block + len - 4), len);
    assert_int_equal(len % 4, 0);
}

static const uint8_t payload[5] = {1, 2, 3, 4, 5};
static const struct capture_packet packet = {
    .time_ns = 0x123456789abcdef0,
    .interface = 3,
    .captured = sizeof(payload),
    .original = 1500,
    .dropped = 7,
    .direction = CAPTURE_OUTBOUND,
    .data = payload,
};

static void pcapng_begins_with_a_section_and_its_interfaces(void **state)
{
    uint8_t out[1024];
    char longest[300];
    size_t len = pcapng_format.header(out);

    (void)state;
    assert_block(out, len, 0x0a0d0d0a);
    assert_int_equal(word(out + 8), 0x1a2b3c4d);
    assert_int_equal(word(out + 12), 1); /* version 1.0 */
    assert_true(words(out + 16) == UINT64_MAX);

    len = pcapng_format.interface(out, "vm1");
    assert_block(out, len, 1);
    assert_int_equal(half(out + 8), 1); /* Ethernet */
    assert_int_equal(word(out + 12), CAPTURE_SNAPLEN);
    assert_int_equal(half(out + 16), 2); /* if_name */
    assert_int_equal(half(out + 18), 3);
    assert_memory_equal(out + 20, "vm1\0", 4);
    assert_int_equal(half(out + 24), 9); /* if_tsresol */
    assert_int_equal(out[28], 9);
    assert_int_equal(word(out + 32), 0); /* opt_endofopt */

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_true(pcapng_format.interface(out, longest) < CAPTURE_OVERHEAD);
}

static void pcapng_packets_carry_time_direction_and_drops(void **state)
{
    uint8_t out[CAPTURE_OVERHEAD + sizeof(payload)];
    size_t len = pcapng_format.packet(out, &packet);
    struct capture_packet plain = packet;

    (void)state;
    assert_block(out, len, 6);
    assert_int_equal(word(out + 8), 3);
    assert_int_equal(word(out + 12), 0x12345678);
    assert_int_equal(word(out + 16), 0x9abcdef0);
    assert_int_equal(word(out + 20), sizeof(payload));
    assert_int_equal(word(out + 24), 1500);
    assert_memory_equal(out + 28, "\1\2\3\4\5\0\0\0", 8);
    assert_int_equal(half(out + 36), 2); /* epb_flags */
    assert_int_equal(word(out + 40), 2); /* outbound */
    assert_int_equal(half(out + 44), 4); /* epb_dropcount */
    assert_int_equal(words(out + 48), 7);
    assert_int_equal(word(out + 56), 0);

    plain.dropped = 0;
    plain.direction = CAPTURE_DIRECTION_UNKNOWN;
    len = pcapng_format.packet(out, &plain);
    assert_block(out, len, 6);
    assert_int_equal(word(out + 36), 0);
}

static void pcapng_ends_with_statistics(void **state)
{
    const struct capture_statistics s = {
        .interface = 1, .start_ns = 1, .end_ns = 0x200000003, .received = 10, .dropped = 4};
    uint8_t out[CAPTURE_OVERHEAD];
    size_t len = pcapng_format.statistics(out, &s);

    (void)state;
    assert_block(out, len, 5);
    assert_int_equal(word(out + 8), 1);
    assert_int_equal(word(out + 12), 2);
    assert_int_equal(word(out + 16), 3);
    assert_int_equal(half(out + 44), 4); /* isb_ifrecv */
    assert_int_equal(words(out + 48), 10);
    assert_int_equal(half(out + 56), 5); /* isb_ifdrop */
    assert_int_equal(words(out + 60), 4);
}

static void pcap_has_microseconds_and_nothing_but_packets(void **state)
{
    uint8_t out[CAPTURE_OVERHEAD + sizeof(payload)];

    (void)state;
    assert_int_equal(pcap_format.header(out), 24);
    assert_int_equal(word(out), 0xa1b2c3d4);
    assert_int_equal(word(out + 16), CAPTURE_SNAPLEN);
    assert_int_equal(word(out + 20), 1);
    assert_int_equal(pcap_format.packet(out, &packet), 16 + sizeof(payload));
    assert_int_equal(word(out), packet.time_ns / 1000000000);
    assert_int_equal(word(out + 4), packet.time_ns % 1000000000 / 1000);
    assert_int_equal(word(out + 8), sizeof(payload));
    assert_int_equal(word(out + 12), 1500);
    assert_memory_equal(out + 16, payload, sizeof(payload));
    assert_int_equal(pcap_format.interface(out, "vm1"), 0);
    assert_int_equal(pcap_format.statistics(out, &(struct capture_statistics){0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_gives_records_back_in_order_and_whole),
        cmocka_unit_test(ring_refuses_what_does_not_fit_until_there_is_room),
        cmocka_unit_test(ring_shows_nothing_before_the_commit),
        cmocka_unit_test(pcapng_begins_with_a_section_and_its_interfaces),
        cmocka_unit_test(pcapng_packets_carry_time_direction_and_drops),
        cmocka_unit_test(pcapng_ends_with_statistics),
        cmocka_unit_test(pcap_has_microseconds_and_nothing_but_packets),
    };

    return cmocka_run_group_tests_name("dataplane/capture", tests, NULL, NULL);
}
