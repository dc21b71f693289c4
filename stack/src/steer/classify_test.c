/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which flow a frame belongs to: each shape of frame, each of them cut at every length in memory that ends
 * there, and what must have the same hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "steer/classify.h"
#include "steer/flow_hash.h"
#include "steer/steer_testkit.h"

#define LOCAL 0x0a000001u
#define PEER 0xc0a80203u
#define ICMP_LEN 8u

static const struct steer_flow tcp_flow = {IP_PROTO_TCP, LOCAL, PEER, 80, 40000};
static const struct steer_flow udp_flow = {IP_PROTO_UDP, LOCAL, PEER, 53, 40001};

struct frame {
    uint32_t len;
    uint8_t b[512];
};

static struct frame frame_of(const struct steer_flow *f, uint8_t flags)
{
    struct frame out = {0};

    out.len = kit_frame(out.b, f, flags);
    return out;
}

static struct flow_class classify(const struct frame *f)
{
    struct flow_class c;

    memset(&c, 0xaa, sizeof(c));
    flow_classify(f->b, f->len, 0, &c);
    return c;
}

static uint32_t hash_of(const struct steer_flow *f)
{
    return flow_hash_ipv4(f->local, f->peer, f->local_port, f->peer_port);
}

static void insert(struct frame *f, unsigned at, const void *bytes, unsigned n)
{
    memmove(f->b + at + n, f->b + at, f->len - at);
    memcpy(f->b + at, bytes, n);
    f->len += n;
}

static void set_total_len(struct frame *f, unsigned ip_at)
{
    put_be16(f->b + ip_at + 2, (uint16_t)(f->len - ip_at));
}

static void expect_flow(const struct frame *f, const struct steer_flow *flow, unsigned kind)
{
    struct flow_class c = classify(f);

    assert_int_equal(c.kind, kind);
    assert_int_equal(c.hash, hash_of(flow));
    assert_int_equal(c.proto, flow->proto);
    assert_int_equal(be32_host(c.local), flow->local);
    assert_int_equal(be32_host(c.peer), flow->peer);
    assert_int_equal(be16_host(c.local_port), flow->local_port);
    assert_int_equal(be16_host(c.peer_port), flow->peer_port);
}

static void expect_addresses(const struct frame *f)
{
    struct flow_class c = classify(f);

    assert_int_equal(c.kind, FLOW_ADDRESSES);
    assert_int_equal(c.hash, flow_hash_ipv4(LOCAL, PEER, 0, 0));
    assert_int_equal(c.proto, 0);
}

static void expect_none(const struct frame *f)
{
    struct flow_class c = classify(f);

    assert_int_equal(c.kind, FLOW_NONE);
    assert_int_equal(c.hash, FLOW_HASH_NONE);
    assert_int_equal(c.proto, 0);
}

/* Everything shorter stays within the frame (each copy ends where the memory does) and gives the flow, the
 * addresses, or nothing. */
static void cut_everywhere(const struct frame *f)
{
    struct flow_class whole = classify(f);

    for (uint32_t len = 0; len < f->len; len++) {
        uint8_t *copy = malloc(len ? len : 1);
        struct flow_class c;

        memcpy(copy, f->b, len);
        flow_classify(copy, len, 0, &c);
        if (c.kind == FLOW_NONE)
            assert_int_equal(c.hash, FLOW_HASH_NONE);
        else if (c.kind != FLOW_ADDRESSES)
            assert_int_equal(c.hash, whole.hash);
        assert_true(c.kind != FLOW_TCP_OPENING || whole.kind == FLOW_TCP_OPENING);
        free(copy);
    }
}

static void plain_tcp_and_udp(void **state)
{
    struct frame f = frame_of(&tcp_flow, TCP_ACK);

    (void)state;
    expect_flow(&f, &tcp_flow, FLOW_TCP);
    cut_everywhere(&f);
    f = frame_of(&udp_flow, 0);
    expect_flow(&f, &udp_flow, FLOW_UDP);
    cut_everywhere(&f);
}

static void only_a_lone_syn_opens(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        struct frame f = frame_of(&tcp_flow, (uint8_t)flags);
        bool opens = (flags & TCP_SYN) && !(flags & (TCP_ACK | TCP_RST | TCP_FIN));

        expect_flow(&f, &tcp_flow, opens ? FLOW_TCP_OPENING : FLOW_TCP);
    }
}

static void vlan_tags_are_passed(void **state)
{
    struct frame f = frame_of(&tcp_flow, TCP_SYN);

    (void)state;
    insert(&f, 12, "\x81\x00\x00\x05", 4);
    expect_flow(&f, &tcp_flow, FLOW_TCP_OPENING);
    cut_everywhere(&f);
    insert(&f, 12, "\x88\xa8\x00\x06", 4);
    expect_flow(&f, &tcp_flow, FLOW_TCP_OPENING);
    cut_everywhere(&f);
    insert(&f, 12, "\x81\x00\x00\x07", 4);
    expect_none(&f);
}

static void ipv4_options_are_passed(void **state)
{
    struct frame f = frame_of(&tcp_flow, TCP_SYN);

    (void)state;
    f.b[14] = 0x4f;
    insert(&f, 34,
           "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
           "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00",
           40);
    set_total_len(&f, 14);
    expect_flow(&f, &tcp_flow, FLOW_TCP_OPENING);
    cut_everywhere(&f);
}

/* The first one, which has ports, like the others, which have none. */
static void all_fragments_meet(void **state)
{
    static const uint16_t words[] = {0x2000, 0x2001, 0x0001, 0x1fff, 0x6000};
    struct frame f = frame_of(&udp_flow, 0);

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        put_be16(f.b + 20, words[i]);
        expect_addresses(&f);
    }
    cut_everywhere(&f);
    put_be16(f.b + 20, 0x4000); /* "don't fragment" alone */
    expect_flow(&f, &udp_flow, FLOW_UDP);
}

static void other_protocols_go_by_addresses(void **state)
{
    struct frame f = frame_of(&tcp_flow, 0);

    (void)state;
    f.b[23] = IP_PROTO_ICMP;
    f.b[34] = 8; /* echo request */
    expect_addresses(&f);
    f.b[23] = 47;
    expect_addresses(&f);
}

/* An ICMP error about a packet that we have sent: from a router on the way, to us. */
static struct frame icmp_error(uint8_t type, const struct steer_flow *flow, uint32_t inner_l4)
{
    struct ipv4_hdr outer = {.src = 0xac100001, .dst = LOCAL, .ttl = 60, .proto = IP_PROTO_ICMP};
    struct ipv4_hdr inner = {.src = flow->local, .dst = flow->peer, .ttl = 60, .proto = flow->proto};
    uint32_t at = ETH_HDR_LEN + IPV4_HDR_LEN + ICMP_LEN;
    struct frame f = {0};

    eth_emit(f.b, &kit_eth);
    f.b[ETH_HDR_LEN + IPV4_HDR_LEN] = type;
    inner.total_len = 1500; /* the whole of it is not there */
    ipv4_emit(f.b + at, &inner);
    put_be16(f.b + at + IPV4_HDR_LEN, flow->local_port);
    put_be16(f.b + at + IPV4_HDR_LEN + 2, flow->peer_port);
    f.len = at + IPV4_HDR_LEN + inner_l4;
    outer.total_len = (uint16_t)(f.len - ETH_HDR_LEN);
    ipv4_emit(f.b + ETH_HDR_LEN, &outer);
    return f;
}

static void icmp_errors_follow_their_flow(void **state)
{
    static const uint8_t errors[] = {3, 4, 5, 11, 12};
    struct flow_class c;
    struct frame f;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        f = icmp_error(errors[i], &tcp_flow, 8);
        expect_flow(&f, &tcp_flow, FLOW_TCP);
        cut_everywhere(&f);
        f = icmp_error(errors[i], &udp_flow, 8);
        expect_flow(&f, &udp_flow, FLOW_UDP);
    }
    f = icmp_error(0, &tcp_flow, 8); /* an answer, no error */
    c = classify(&f);
    assert_int_equal(c.kind, FLOW_ADDRESSES);
    f = icmp_error(3, &tcp_flow, 3); /* ports cut off */
    expect_addresses(&f);
    f = icmp_error(3, &tcp_flow, 8);
    put_be16(f.b + ETH_HDR_LEN + IPV4_HDR_LEN + ICMP_LEN + 6, 5); /* about a later fragment */
    expect_addresses(&f);
}

static void an_error_in_an_error_is_not_followed(void **state)
{
    static const struct steer_flow icmp = {IP_PROTO_ICMP, LOCAL, PEER, 0x0300, 0};
    struct frame f = icmp_error(3, &icmp, 40);

    (void)state;
    expect_addresses(&f);
    cut_everywhere(&f);
}

static void lengths_that_lie_leave_the_addresses(void **state)
{
    struct frame f = frame_of(&tcp_flow, TCP_SYN);

    (void)state;
    put_be16(f.b + 16, 51); /* one more than there is */
    expect_addresses(&f);
    put_be16(f.b + 16, 20); /* no ports */
    expect_addresses(&f);
    put_be16(f.b + 16, 24); /* ports, no flags */
    expect_flow(&f, &tcp_flow, FLOW_TCP);
    put_be16(f.b + 16, 0);
    expect_addresses(&f);
    f = frame_of(&tcp_flow, TCP_SYN);
    f.b[14] = 0x44; /* header of 16 bytes */
    expect_addresses(&f);
    f.b[14] = 0x65; /* IPv6 in an IPv4 frame */
    expect_none(&f);
    f.b[14] = 0x45;
    put_be16(f.b + 12, 0x0806);
    expect_none(&f);
}

/* Merged segments: the headers stand in the first piece, the length is that of all pieces. */
static void frames_in_pieces(void **state)
{
    struct frame f = frame_of(&tcp_flow, TCP_ACK);
    struct flow_class c;

    (void)state;
    put_be16(f.b + 16, 9050);
    expect_addresses(&f);
    for (uint32_t more = 0; more < 20000; more += 10) {
        flow_classify(f.b, f.len, more, &c);
        assert_int_equal(c.kind, f.len + more >= 14 + 9050 ? FLOW_TCP : FLOW_ADDRESSES);
    }
    flow_classify(f.b, 50, 10000, &c); /* not even the header in the first one */
    assert_int_equal(c.kind, FLOW_TCP);
    flow_classify(f.b, 36, 10000, &c);
    assert_int_equal(c.kind, FLOW_ADDRESSES);
}

/* ---- IPv6 ---- */

static void ipv6_addresses(uint8_t *ip, bool swapped)
{
    for (unsigned i = 0; i < 16; i++) {
        ip[swapped ? 24 + i : 8 + i] = (uint8_t)(i * 7);
        ip[swapped ? 8 + i : 24 + i] = (uint8_t)(i * i + 1);
    }
}

/* A frame with these bytes behind the IPv6 header. */
static struct frame ipv6_frame(uint8_t next, const void *payload, unsigned len, bool swapped)
{
    struct frame f = {.len = ETH_HDR_LEN + 40 + len};

    eth_emit(f.b, &kit_eth);
    put_be16(f.b + 12, 0x86dd);
    f.b[14] = 0x60;
    put_be16(f.b + 18, (uint16_t)len);
    f.b[20] = next;
    ipv6_addresses(f.b + 14, swapped);
    memcpy(f.b + 54, payload, len);
    return f;
}

static const uint8_t tcp_syn[20] = {0x9c, 0x40, 0x00, 0x50, [12] = 0x50, [13] = TCP_SYN};
static const uint8_t tcp_back[20] = {0x00, 0x50, 0x9c, 0x40, [12] = 0x50, [13] = TCP_ACK};

static uint32_t ipv6_hash(bool ports)
{
    uint8_t ip[40];
    uint16_t sum = ports ? 0x9c40 ^ 0x0050 : 0;

    ipv6_addresses(ip, false);
    for (unsigned i = 8; i < 40; i += 2)
        sum ^= get_be16(ip + i);
    return flow_hash_word(sum);
}

static void expect_ipv6(const struct frame *f, unsigned kind, bool ports)
{
    struct flow_class c = classify(f);

    assert_int_equal(c.kind, kind);
    assert_int_equal(c.hash, ipv6_hash(ports));
    assert_int_equal(c.proto, 0);
}

static void ipv6_flows_are_symmetric(void **state)
{
    struct frame f = ipv6_frame(IP_PROTO_TCP, tcp_syn, 20, false);

    (void)state;
    expect_ipv6(&f, FLOW_TCP_OPENING, true);
    cut_everywhere(&f);
    f = ipv6_frame(IP_PROTO_TCP, tcp_back, 20, true);
    expect_ipv6(&f, FLOW_TCP, true);
    f = ipv6_frame(IP_PROTO_UDP, tcp_syn, 20, false);
    expect_ipv6(&f, FLOW_UDP, true);
    f = ipv6_frame(59, tcp_syn, 20, false); /* no next header */
    expect_ipv6(&f, FLOW_ADDRESSES, false);
}

static void ipv6_extension_headers(void **state)
{
    struct frame f = ipv6_frame(0, tcp_syn, 20, false); /* hop-by-hop, authentication, options, TCP */

    (void)state;
    insert(&f, 54, "\x33\x00\x01\x04\x00\x00\x00\x00", 8);
    insert(&f, 62, "\x3c\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12);
    insert(&f, 74, "\x06\x01\x01\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16);
    put_be16(f.b + 18, 56);
    expect_ipv6(&f, FLOW_TCP_OPENING, true);
    cut_everywhere(&f);
    f = ipv6_frame(44, tcp_syn, 20, false); /* a fragment, the first one */
    insert(&f, 54, "\x06\x00\x00\x01\x00\x00\x00\x01", 8);
    put_be16(f.b + 18, 28);
    expect_ipv6(&f, FLOW_ADDRESSES, false);
    f = ipv6_frame(0, tcp_syn, 20, false); /* an option header longer than the packet */
    insert(&f, 54, "\x06\xff\x01\x04\x00\x00\x00\x00", 8);
    put_be16(f.b + 18, 28);
    expect_ipv6(&f, FLOW_ADDRESSES, false);
}

static void endless_extension_headers_end(void **state)
{
    struct frame f = ipv6_frame(0, tcp_syn, 20, false);

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        insert(&f, 54, "\x00\x00\x01\x04\x00\x00\x00\x00", 8);
    put_be16(f.b + 18, 180);
    expect_ipv6(&f, FLOW_ADDRESSES, false);
}

static void icmpv6_errors_follow_their_flow(void **state)
{
    struct frame inner = ipv6_frame(IP_PROTO_TCP, tcp_back, 8, true);
    uint8_t msg[8 + 40 + 8] = {2}; /* packet too big */
    struct frame f;

    (void)state;
    put_be16(inner.b + 18, 1400); /* the rest is cut off */
    memcpy(msg + 8, inner.b + 14, 48);
    f = ipv6_frame(58, msg, sizeof(msg), false);
    f.b[14 + 8] = 0xfe; /* from a router */
    expect_ipv6(&f, FLOW_TCP, true);
    cut_everywhere(&f);
    f.b[54] = 128; /* echo request */
    assert_int_equal(classify(&f).kind, FLOW_ADDRESSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_tcp_and_udp),
        cmocka_unit_test(only_a_lone_syn_opens),
        cmocka_unit_test(vlan_tags_are_passed),
        cmocka_unit_test(ipv4_options_are_passed),
        cmocka_unit_test(all_fragments_meet),
        cmocka_unit_test(other_protocols_go_by_addresses),
        cmocka_unit_test(icmp_errors_follow_their_flow),
        cmocka_unit_test(an_error_in_an_error_is_not_followed),
        cmocka_unit_test(lengths_that_lie_leave_the_addresses),
        cmocka_unit_test(frames_in_pieces),
        cmocka_unit_test(ipv6_flows_are_symmetric),
        cmocka_unit_test(ipv6_extension_headers),
        cmocka_unit_test(endless_extension_headers_end),
        cmocka_unit_test(icmpv6_errors_follow_their_flow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
