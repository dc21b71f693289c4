/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ethernet, ARP, IPv4, ICMP, UDP headers: captured packets, each check of the parsers, round trips. */
#include "base/byteorder.h"
#include "base/checksum.h"
#include "base/prng.h"
#include "testing/unit.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/udp.h"

/* 192.168.0.1 -> 192.168.0.199, UDP, 115 bytes: a widely printed example of the header checksum. */
static const uint8_t ip_example[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                       0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

static void eth_reads_and_writes(void **state)
{
    static const uint8_t frame[14] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x06};
    struct eth_hdr h;
    uint8_t out[14];

    (void)state;
    assert_int_equal(eth_parse(frame, 13, &h), ST_TRUNCATED);
    assert_int_equal(eth_parse(frame, 14, &h), ST_OK);
    assert_int_equal(h.type, ETH_TYPE_ARP);
    assert_true(eth_addr_is_multicast(h.dst));
    assert_false(eth_addr_is_multicast((struct eth_addr){{2, 0xff, 0xff, 0xff, 0xff, 0xff}}));
    assert_true(eth_addr_is_broadcast((struct eth_addr){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}));
    assert_false(eth_addr_equal(h.dst, h.src));
    eth_emit(out, &h);
    assert_memory_equal(out, frame, 14);
}

static void arp_reads_and_writes(void **state)
{
    static const uint8_t pkt[28] = {0, 1, 8, 0,  6, 4, 0, 1,         2, 0, 0,
                                    0, 0, 1, 10, 0, 0, 1, [24] = 10, 0, 0, 2};
    uint8_t out[28], bad[28];
    struct arp_pkt a;

    (void)state;
    for (uint32_t len = 0; len < 28; len++)
        assert_int_equal(arp_parse(pkt, len, &a), ST_TRUNCATED);
    assert_int_equal(arp_parse(pkt, 28, &a), ST_OK);
    assert_int_equal(a.op, ARP_REQUEST);
    assert_int_equal(a.sender_addr, 0x0a000001);
    assert_int_equal(a.target_addr, 0x0a000002);
    arp_emit(out, &a);
    assert_memory_equal(out, pkt, 28);
    for (unsigned i = 0; i < 8; i++) { /* every byte of the fixed part matters */
        memcpy(bad, pkt, 28);
        bad[i] ^= 0x10;
        assert_int_equal(arp_parse(bad, 28, &a), ST_MALFORMED);
    }
}

static void ipv4_reads_the_example(void **state)
{
    uint8_t pkt[120] = {0}, out[20];
    struct ipv4_hdr h;
    char str[IPV4_STR_LEN];

    (void)state;
    memcpy(pkt, ip_example, 20);
    assert_int_equal(ipv4_parse(pkt, 114, false, &h), ST_TRUNCATED);
    assert_int_equal(ipv4_parse(pkt, 115, false, &h), ST_OK);
    assert_int_equal(ipv4_parse(pkt, 120, false, &h), ST_OK);
    assert_int_equal(h.total_len, 115);
    assert_int_equal(h.proto, IP_PROTO_UDP);
    assert_true(h.dont_frag && !h.more_frags && h.frag_offset == 0);
    assert_string_equal(ipv4_to_str(h.dst, str), "192.168.0.199");
    ipv4_emit(out, &h);
    assert_memory_equal(out, ip_example, 20);
}

static void ipv4_refuses_bad_headers(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
        enum status want;
    } cases[] = {
        {0, 0x65, ST_MALFORMED},    /* version 6 */
        {0, 0x44, ST_MALFORMED},    /* header of 16 bytes */
        {3, 19, ST_MALFORMED},      /* total length below the header's */
        {2, 1, ST_TRUNCATED},       /* total length beyond the packet */
        {8, 1, ST_BAD_CHECKSUM},    /* a changed byte */
        {0, 0x4f, ST_BAD_CHECKSUM}, /* options that the checksum does not cover */
    };
    struct ipv4_hdr h;

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t pkt[115] = {[20] = 7};

        memcpy(pkt, ip_example, 20);
        pkt[cases[i].at] = cases[i].value;
        assert_int_equal(ipv4_parse(pkt, sizeof(pkt), false, &h), cases[i].want);
    }
    assert_int_equal(ipv4_parse(ip_example, 19, false, &h), ST_TRUNCATED);
    assert_true(ipv4_is_multicast(0xe0000001) && !ipv4_is_multicast(0xf0000000));
    assert_true(ipv4_is_loopback(0x7f123456) && ipv4_is_broadcast(0xffffffff));
}

static void ipv4_round_trip(void **state)
{
    struct prng g = {.state = 8};
    uint8_t pkt[20];

    (void)state;
    for (unsigned round = 0; round < 10000; round++) {
        struct ipv4_hdr out, in = {.src = (uint32_t)prng_next(&g),
                                   .dst = (uint32_t)prng_next(&g),
                                   .total_len = 20,
                                   .id = (uint16_t)prng_next(&g),
                                   .frag_offset = (uint16_t)(prng_next(&g) & 0xfff8),
                                   .more_frags = prng_below(&g, 2),
                                   .dont_frag = prng_below(&g, 2),
                                   .tos = (uint8_t)prng_next(&g),
                                   .ttl = (uint8_t)prng_next(&g),
                                   .proto = (uint8_t)prng_next(&g)};

        ipv4_emit(pkt, &in);
        assert_int_equal(ipv4_parse(pkt, 20, false, &out), ST_OK);
        assert_int_equal(out.hdr_len, 20);
        assert_true(in.src == out.src && in.dst == out.dst && in.id == out.id && in.ttl == out.ttl);
        assert_true(in.frag_offset == out.frag_offset && in.more_frags == out.more_frags);
        assert_true(in.dont_frag == out.dont_frag && in.tos == out.tos && in.proto == out.proto);
    }
}

static void icmp_round_trip(void **state)
{
    uint8_t msg[8 + 5] = {[8] = 'h', 'e', 'l', 'l', 'o'};
    struct icmp_hdr h = {.type = ICMP_ECHO_REQUEST, .rest = 0x12340001}, back;

    (void)state;
    icmp_emit(msg, &h, 5);
    assert_int_equal(icmp_parse(msg, 13, &back), ST_OK);
    assert_true(back.type == h.type && back.code == 0 && back.rest == h.rest);
    assert_int_equal(icmp_parse(msg, 7, &back), ST_TRUNCATED);
    msg[12] ^= 1;
    assert_int_equal(icmp_parse(msg, 13, &back), ST_BAD_CHECKSUM);
}

static void udp_round_trip(void **state)
{
    uint8_t d[8 + 6] = {[8] = 'd', 'a', 't', 'a', 0, 0};
    struct udp_hdr h = {.src_port = 1000, .dst_port = 53, .len = 12}, back;

    (void)state;
    udp_emit(d, &h, 1, 2);
    assert_int_equal(udp_parse(d, 14, 1, 2, false, &back), ST_OK);
    assert_true(back.src_port == 1000 && back.dst_port == 53 && back.len == 12);
    assert_int_equal(udp_parse(d, 12, 1, 3, false, &back), ST_BAD_CHECKSUM);
    assert_int_equal(udp_parse(d, 12, 1, 3, true, &back), ST_OK);
    assert_int_equal(udp_parse(d, 11, 1, 2, false, &back), ST_TRUNCATED);
    assert_int_equal(udp_parse(d, 7, 1, 2, false, &back), ST_TRUNCATED);
    put_be16(d + 6, 0); /* the sender computed none */
    assert_int_equal(udp_parse(d, 12, 1, 3, false, &back), ST_OK);
    put_be16(d + 4, 7);
    assert_int_equal(udp_parse(d, 12, 1, 2, false, &back), ST_MALFORMED);
}

/* A sum that comes out as zero must be sent as all ones (RFC 768). */
static void udp_never_sends_checksum_zero(void **state)
{
    uint8_t d[10] = {0};
    struct udp_hdr h = {.src_port = 1, .dst_port = 2, .len = 10}, back;
    bool seen = false;

    (void)state;
    for (unsigned v = 0; v < 65536; v++) {
        put_be16(d + 8, (uint16_t)v);
        udp_emit(d, &h, 1, 2);
        assert_int_not_equal(get_be16(d + 6), 0);
        seen |= get_be16(d + 6) == 0xffff;
        assert_int_equal(udp_parse(d, 10, 1, 2, false, &back), ST_OK);
    }
    assert_true(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eth_reads_and_writes),   cmocka_unit_test(arp_reads_and_writes),
        cmocka_unit_test(ipv4_reads_the_example), cmocka_unit_test(ipv4_refuses_bad_headers),
        cmocka_unit_test(ipv4_round_trip),        cmocka_unit_test(icmp_round_trip),
        cmocka_unit_test(udp_round_trip),         cmocka_unit_test(udp_never_sends_checksum_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
