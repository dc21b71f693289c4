/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reassembly: what comes together, what must not, and the limits; then random datagrams cut, shuffled and
 * doubled at random, of which every one must come out as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/byteorder.h"
#include "base/checksum.h"
#include "base/prng.h"
#include "inet/inet_reass.h"
#include "testing/inet_world.h"
#include "wire/icmp.h"
#include "wire/udp.h"

#define PEER WORLD_STATIC /* needs no ARP */
#define MAX_PAYLOAD 65515u
#define SECOND UINT64_C(1000000)

struct piece {
    uint32_t at, len;
};

static uint8_t payload[MAX_PAYLOAD + 64];

static int setup(void **state)
{
    struct prng rnd = {9};

    for (uint32_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)prng_next(&rnd);
    *state = inet_world_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    return inet_world_destroy(*state) == 0 ? 0 : -1;
}

static const struct inet_counters *counters(const struct inet_world *w)
{
    return inet_worker_counters(w->port[0].iw);
}

static struct ipv4_hdr header(uint16_t id)
{
    return (struct ipv4_hdr){.src = PEER, .dst = WORLD_ADDR, .proto = IP_PROTO_UDP, .ttl = 64, .id = id};
}

/* Gives bytes [at, at + len) of the payload as a fragment. */
static void give(struct inet_world *w, struct ipv4_hdr ip, uint32_t at, uint32_t len, bool last)
{
    const struct eth_hdr eth = {world_mac(1), world_mac(2), ETH_TYPE_IPV4};
    uint8_t *frame = malloc(ETH_HDR_LEN + IPV4_HDR_LEN + len);

    ip.frag_offset = (uint16_t)at;
    ip.more_frags = !last;
    ip.total_len = (uint16_t)(IPV4_HDR_LEN + len);
    eth_emit(frame, &eth);
    ipv4_emit(frame + ETH_HDR_LEN, &ip);
    memcpy(frame + ETH_HDR_LEN + IPV4_HDR_LEN, payload + at, len);
    world_input(w, 0, frame, ETH_HDR_LEN + IPV4_HDR_LEN + len);
    free(frame);
}

static void expect_datagram(const struct inet_world *w, unsigned n, uint32_t len)
{
    const struct world_frame *f = &w->delivered[n];

    assert_true(w->num_delivered > n);
    assert_int_equal(f->pkt->len, len);
    assert_memory_equal(f->pkt->data, payload, len);
    assert_int_equal(f->ip.total_len, IPV4_HDR_LEN + len);
    assert_false(f->ip.more_frags);
    assert_int_equal(f->ip.frag_offset, 0);
    assert_int_equal(checksum(f->pkt->data - f->ip.hdr_len, f->ip.hdr_len), 0);
    assert_true(f->pkt->buf <= f->pkt->data - f->ip.hdr_len - ETH_HDR_LEN);
    assert_int_equal(get_be16(f->pkt->data - f->ip.hdr_len - 2), ETH_TYPE_IPV4);
    assert_false(f->pkt->flags & PKT_RX_L4_CSUM_OK);
}

static void in_order_and_backwards(void **state)
{
    struct inet_world *w = *state;

    give(w, header(1), 0, 800, false);
    give(w, header(1), 800, 800, false);
    assert_int_equal(w->num_delivered, 0);
    give(w, header(1), 1600, 33, true);
    expect_datagram(w, 0, 1633);
    give(w, header(2), 1600, 33, true);
    give(w, header(2), 800, 800, false);
    give(w, header(2), 0, 800, false);
    expect_datagram(w, 1, 1633);
    assert_int_equal(counters(w)->rx_fragments, 6);
    assert_int_equal(counters(w)->rx_reassembled, 2);
    assert_int_equal(counters(w)->rx_ipv4, 2);
    assert_int_equal(inet_worker_next_deadline(w->port[0].iw), UINT64_MAX);
}

static void the_largest_datagram(void **state)
{
    struct inet_world *w = *state;

    for (uint32_t at = 0; at < MAX_PAYLOAD; at += 1480)
        give(w, header(1), at, at + 1480 < MAX_PAYLOAD ? 1480 : MAX_PAYLOAD - at, at + 1480 >= MAX_PAYLOAD);
    expect_datagram(w, 0, MAX_PAYLOAD);
    assert_true(w->delivered[0].pkt->data + MAX_PAYLOAD <=
                w->delivered[0].pkt->buf + w->delivered[0].pkt->size);
}

/* Same id, but another source, protocol or destination: another datagram. */
static void datagrams_are_kept_apart(void **state)
{
    struct inet_world *w = *state;
    struct ipv4_hdr a = header(7), b = header(7), c = header(7), d = header(8);

    b.src = PEER + 1;
    c.proto = 47;
    give(w, a, 0, 8, false);
    give(w, b, 8, 8, true);
    give(w, c, 8, 8, true);
    give(w, d, 8, 8, true);
    assert_int_equal(w->num_delivered, 0);
    give(w, b, 0, 8, false);
    assert_int_equal(w->delivered[0].ip.src, PEER + 1);
    give(w, c, 0, 8, false);
    assert_int_equal(w->delivered[1].ip.proto, 47);
    give(w, a, 8, 8, true);
    assert_int_equal(w->delivered[2].ip.src, PEER);
    assert_int_equal(w->num_delivered, 3);
}

static void duplicates_do_no_harm(void **state)
{
    struct inet_world *w = *state;

    give(w, header(1), 8, 8, true);
    give(w, header(1), 8, 8, true);
    assert_int_equal(counters(w)->drop_frag_duplicate, 1);
    give(w, header(1), 0, 8, false);
    expect_datagram(w, 0, 16);
}

/* Each of these must lose the datagram, with what comes later. */
static void contradictions_lose_the_datagram(void **state)
{
    static const struct {
        struct piece first, second;
        bool first_last, second_last;
    } cases[] = {
        {{0, 16}, {8, 16}, false, false},  /* overlap at the front */
        {{16, 16}, {8, 16}, false, false}, /* at the back */
        {{0, 32}, {8, 8}, false, false},   /* within */
        {{8, 8}, {0, 32}, false, false},   /* around */
        {{16, 8}, {8, 8}, true, true},     /* two ends */
        {{16, 8}, {24, 8}, true, false},   /* beyond the end */
        {{24, 8}, {16, 8}, false, true},   /* an end before what is there */
        {{16, 8}, {16, 8}, false, true},   /* the same, but the last */
        {{16, 8}, {16, 8}, true, false},   /* the same, but not the last */
    };
    struct inet_world *w = *state;

    for (uint16_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t before = counters(w)->drop_frag_overlap;

        give(w, header(i), cases[i].first.at, cases[i].first.len, cases[i].first_last);
        give(w, header(i), cases[i].second.at, cases[i].second.len, cases[i].second_last);
        assert_int_equal(counters(w)->drop_frag_overlap, before + 2);
        give(w, header(i), 0, 32, false); /* as if it began anew */
        give(w, header(i), 32, 8, true);
        assert_int_equal(counters(w)->drop_frag_overlap, before + 4);
    }
    assert_int_equal(w->num_delivered, 0);
    inet_world_run(w, 31 * SECOND);
    give(w, header(0), 0, 32, false); /* the id is free again */
    give(w, header(0), 32, 8, true);
    expect_datagram(w, 0, 40);
}

static void same_range_with_other_bytes_is_an_overlap(void **state)
{
    struct inet_world *w = *state;

    give(w, header(1), 0, 8, false);
    payload[3] ^= 1;
    give(w, header(1), 0, 8, false);
    assert_int_equal(counters(w)->drop_frag_overlap, 2);
}

static void impossible_fragments(void **state)
{
    struct inet_world *w = *state;
    struct ipv4_hdr tcp = header(1);

    give(w, header(1), 0, 0, false);
    give(w, header(1), 0, 12, false);
    give(w, header(1), 65528, 8, true);
    assert_int_equal(counters(w)->drop_frag_bad, 3);
    tcp.proto = IP_PROTO_TCP;
    give(w, tcp, 0, 8, false);
    give(w, tcp, 8, 16, false);
    give(w, tcp, 16, 1000, false);
    assert_int_equal(counters(w)->drop_frag_tiny, 3);
    give(w, tcp, 0, 24, false);
    assert_int_equal(counters(w)->drop_frag_tiny, 3);
    assert_int_equal(w->num_delivered, 0);
}

static void too_many_pieces(void **state)
{
    struct inet_world *w = *state;

    for (uint32_t i = 0; i <= REASS_MAX_FRAGMENTS; i++)
        give(w, header(1), i * 8, 8, false);
    assert_int_equal(counters(w)->drop_frag_too_many, REASS_MAX_FRAGMENTS + 1);
}

static void time_runs_out_and_the_source_is_told(void **state)
{
    struct inet_world *w = *state;
    struct icmp_hdr icmp;

    give(w, header(1), 0, 800, false);
    inet_world_run(w, 10 * SECOND);
    give(w, header(2), 800, 800, true); /* its first fragment never comes: nobody is told */
    inet_world_run(w, 19 * SECOND);
    assert_int_equal(counters(w)->drop_frag_timeout, 0);
    inet_world_run(w, 2 * SECOND);
    assert_int_equal(counters(w)->drop_frag_timeout, 1);
    assert_int_equal(counters(w)->tx_icmp_time_exceeded, 1);
    assert_int_equal(w->num_sent, 1);
    assert_int_equal(w->sent[0].ip.dst, PEER);
    assert_int_equal(icmp_parse(w->sent[0].pkt->data + 34, w->sent[0].ip.total_len - 20, &icmp), ST_OK);
    assert_int_equal(icmp.type, ICMP_TIME_EXCEEDED);
    assert_int_equal(icmp.code, 1);
    assert_memory_equal(w->sent[0].pkt->data + 34 + 8 + 20, payload, 8);
    inet_world_run(w, 10 * SECOND);
    assert_int_equal(counters(w)->drop_frag_timeout, 2);
    assert_int_equal(counters(w)->tx_icmp_time_exceeded, 1);
    give(w, header(1), 800, 8, true); /* too late */
    assert_int_equal(w->num_delivered, 0);
}

static void one_peer_has_its_part(void **state)
{
    struct inet_world *w = *state;
    struct ipv4_hdr other = header(1);

    other.src = PEER + 1;
    give(w, other, 0, 1480, false);
    for (uint16_t id = 0; id < 1000; id++) /* some large, most small: either limit is met */
        for (uint32_t at = 0; at < (id % 100 ? 1480 : 40 * 1480); at += 1480)
            give(w, header(id), at, 1480, false);
    assert_true(counters(w)->drop_frag_peer_limit > 900);
    assert_int_equal(counters(w)->drop_frag_limit, 0);
    give(w, other, 1480, 8, true); /* the other one is not touched */
    assert_int_equal(w->num_delivered, 1);
    give(w, header(999), 1480, 8, true); /* the youngest one is kept */
    assert_int_equal(w->num_delivered, 2);
}

static void all_peers_together_have_a_limit(void **state)
{
    struct inet_world *w = *state;

    for (uint32_t i = 0; i < 5000; i++) {
        struct ipv4_hdr ip = header(1);

        ip.src = 0x0a010000 + i;
        give(w, ip, 0, 1480, false);
    }
    assert_true(counters(w)->drop_frag_limit >= 5000 - REASS_MAX_DATAGRAMS);
    assert_int_equal(counters(w)->drop_frag_peer_limit, 0);
}

static void a_long_echo_request_is_answered_if_the_answer_fits(void **state)
{
    struct inet_world *w = *state;
    struct icmp_hdr echo = {.type = ICMP_ECHO_REQUEST, .rest = 5};
    struct ipv4_hdr ip = header(1);

    ip.proto = IP_PROTO_ICMP;
    icmp_emit(payload, &echo, 400 - ICMP_HDR_LEN);
    give(w, ip, 0, 200, false);
    give(w, ip, 200, 200, true);
    assert_int_equal(w->num_sent, 1);
    assert_int_equal(w->sent[0].ip.total_len, 420);
    assert_memory_equal(w->sent[0].pkt->data + 34 + 8, payload + 8, 392);
    ip.id = 2;
    icmp_emit(payload, &echo, 4000 - ICMP_HDR_LEN);
    give(w, ip, 0, 2000, false);
    give(w, ip, 2000, 2000, true);
    assert_int_equal(w->num_sent, 1);
    assert_int_equal(counters(w)->drop_too_big, 1);
}

/* ---- at random ---- */

static unsigned cut(struct prng *rnd, uint32_t len, struct piece *pieces)
{
    unsigned n = 0;

    for (uint32_t at = 0; at < len; n++) {
        uint32_t units = 1 + (uint32_t)prng_below(rnd, prng_below(rnd, 4) ? 180 : 1000);
        uint32_t left = len - at, want = units * 8;

        if (n == 60 || want >= left)
            want = left;
        pieces[n] = (struct piece){at, want};
        at += want;
    }
    return n;
}

static void shuffle(struct prng *rnd, struct piece *pieces, unsigned n)
{
    for (unsigned i = n; i > 1; i--) {
        unsigned j = (unsigned)prng_below(rnd, i);
        struct piece p = pieces[j];

        pieces[j] = pieces[i - 1];
        pieces[i - 1] = p;
    }
}

static void whatever_is_cut_comes_together(void **state)
{
    struct inet_world *w = *state;
    struct prng rnd = {11};

    for (uint16_t id = 0; id < 3000; id++) {
        uint32_t len = 9 + (uint32_t)prng_below(&rnd, prng_below(&rnd, 8) ? 4000 : 60000);
        struct piece pieces[70];
        unsigned n = cut(&rnd, len, pieces);

        if (n < 2)
            continue;
        shuffle(&rnd, pieces, n);
        for (unsigned i = 0; i < n; i++) {
            give(w, header(id), pieces[i].at, pieces[i].len, pieces[i].at + pieces[i].len == len);
            if (i + 1 < n && prng_below(&rnd, 3) == 0) { /* one of those that came, once more */
                struct piece *p = &pieces[prng_below(&rnd, i + 1)];

                give(w, header(id), p->at, p->len, p->at + p->len == len);
            }
        }
        expect_datagram(w, 0, len);
        inet_world_forget(w);
    }
    assert_int_equal(counters(w)->drop_frag_overlap + counters(w)->drop_frag_bad, 0);
    assert_int_equal(inet_worker_next_deadline(w->port[0].iw), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_order_and_backwards, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_datagram, setup, teardown),
        cmocka_unit_test_setup_teardown(datagrams_are_kept_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(duplicates_do_no_harm, setup, teardown),
        cmocka_unit_test_setup_teardown(contradictions_lose_the_datagram, setup, teardown),
        cmocka_unit_test_setup_teardown(same_range_with_other_bytes_is_an_overlap, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_fragments, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(time_runs_out_and_the_source_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(one_peer_has_its_part, setup, teardown),
        cmocka_unit_test_setup_teardown(all_peers_together_have_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_echo_request_is_answered_if_the_answer_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(whatever_is_cut_comes_together, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
