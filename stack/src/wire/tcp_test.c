/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP header and options: a captured layout, every bad length, round trips, random bytes. */
#include "wire/tcp.h"

#include "base/prng.h"
#include "testing/unit.h"

#define SRC 0x0a000001u
#define DST 0x0a000002u

/* Parses a header whose options are the given bytes, checksum ignored. */
static enum status parse_opts(const uint8_t *opts, unsigned len, struct tcp_hdr *out)
{
    uint8_t seg[60] = {0, 80, 0, 90, [12] = (uint8_t)((20 + len) / 4 << 4)};

    memcpy(seg + 20, opts, len);
    return tcp_parse(seg, 20 + len, SRC, DST, true, out);
}

static void reads_a_syn(void **state)
{
    static const uint8_t opts[] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7};
    struct tcp_hdr h;

    (void)state;
    assert_int_equal(parse_opts(opts, sizeof(opts), &h), ST_OK);
    assert_int_equal(h.src_port, 80);
    assert_int_equal(h.dst_port, 90);
    assert_int_equal(h.hdr_len, 40);
    assert_true(h.opts.has_mss && h.opts.sack_ok && h.opts.has_ts && h.opts.has_wscale);
    assert_int_equal(h.opts.mss, 1460);
    assert_int_equal(h.opts.ts_val, 1);
    assert_int_equal(h.opts.ts_ecr, 2);
    assert_int_equal(h.opts.wscale, 7);
}

/* One packet must never loop: length 0 and 1 used to send option parsers backwards. */
static void bad_option_lengths_end_the_list(void **state)
{
    static const uint8_t kinds[] = {2, 3, 4, 5, 8, 30, 254};
    struct tcp_hdr h;

    (void)state;
    for (unsigned k = 0; k < sizeof(kinds); k++) {
        for (unsigned len = 0; len < 256; len++) {
            uint8_t opts[12] = {kinds[k], (uint8_t)len, 1, 1, 2, 4, 1, 1, 3, 3, 9, 0};

            assert_int_equal(parse_opts(opts, sizeof(opts), &h), ST_OK);
            if (len < 2 || len > sizeof(opts))
                assert_false(h.opts.has_mss || h.opts.has_wscale || h.opts.has_ts || h.opts.num_sack);
        }
    }
}

static void an_option_cut_by_the_header_is_not_read(void **state)
{
    static const uint8_t cases[][4] = {
        {1, 1, 2, 4}, {1, 1, 1, 2}, {1, 8, 10, 0}, {3, 4, 1, 0}, {5, 10, 0, 0}};
    struct tcp_hdr h;

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse_opts(cases[i], 4, &h), ST_OK);
        assert_false(h.opts.has_mss || h.opts.has_wscale || h.opts.has_ts || h.opts.num_sack);
    }
}

static void bad_headers_are_refused(void **state)
{
    uint8_t seg[20] = {[12] = 0x50};
    struct tcp_hdr h;

    (void)state;
    assert_int_equal(tcp_parse(seg, 20, SRC, DST, true, &h), ST_OK);
    assert_int_equal(tcp_parse(seg, 19, SRC, DST, true, &h), ST_TRUNCATED);
    assert_int_equal(tcp_parse(seg, 20, SRC, DST, false, &h), ST_BAD_CHECKSUM);
    seg[12] = 0x60;
    assert_int_equal(tcp_parse(seg, 20, SRC, DST, true, &h), ST_TRUNCATED);
    seg[12] = 0x40;
    assert_int_equal(tcp_parse(seg, 20, SRC, DST, true, &h), ST_MALFORMED);
}

static void random_opts(struct prng *g, struct tcp_opts *o)
{
    o->has_mss = prng_below(g, 2);
    o->has_wscale = prng_below(g, 2);
    o->has_ts = prng_below(g, 2);
    o->sack_ok = prng_below(g, 2);
    o->mss = o->has_mss ? (uint16_t)prng_next(g) : 0;
    o->wscale = o->has_wscale ? (uint8_t)prng_next(g) : 0;
    o->ts_val = o->has_ts ? (uint32_t)prng_next(g) : 0;
    o->ts_ecr = o->has_ts ? (uint32_t)prng_next(g) : 0;
    o->num_sack = (uint8_t)prng_below(g, 5);
    for (unsigned i = 0; i < o->num_sack; i++) {
        o->sack[i].left = (uint32_t)prng_next(g);
        o->sack[i].right = (uint32_t)prng_next(g);
    }
}

static void what_is_emitted_reads_back(void **state)
{
    struct prng g = {.state = 7};
    uint8_t seg[60 + 100];

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        uint32_t payload = (uint32_t)prng_below(&g, 100), len;
        struct tcp_hdr in = {.src_port = (uint16_t)prng_next(&g),
                             .dst_port = (uint16_t)prng_next(&g),
                             .seq = (uint32_t)prng_next(&g),
                             .ack = (uint32_t)prng_next(&g),
                             .flags = (uint8_t)prng_next(&g),
                             .window = (uint16_t)prng_next(&g),
                             .urgent = (uint16_t)prng_next(&g)},
                       out;

        random_opts(&g, &in.opts);
        len = tcp_emit_len(&in);
        assert_true(len % 4 == 0 && len <= TCP_HDR_LEN + TCP_MAX_OPT_LEN);
        memset(seg, (int)round, sizeof(seg));
        tcp_emit(seg, &in, SRC, DST, payload);
        assert_int_equal(tcp_parse(seg, len + payload, SRC, DST, false, &out), ST_OK);
        assert_int_equal(out.hdr_len, len);
        assert_true(out.opts.num_sack <= in.opts.num_sack);
        in.opts.num_sack = out.opts.num_sack; /* the others did not fit */
        assert_memory_equal(&in.opts, &out.opts, offsetof(struct tcp_opts, sack));
        assert_memory_equal(in.opts.sack, out.opts.sack, 8u * in.opts.num_sack);
        assert_true(in.seq == out.seq && in.ack == out.ack && in.window == out.window);
        assert_true(in.src_port == out.src_port && in.dst_port == out.dst_port && in.flags == out.flags);
        seg[prng_below(&g, len)] ^= 0x40;
        assert_int_not_equal(tcp_parse(seg, len + payload, SRC, DST, false, &out), ST_OK);
    }
}

static void three_sack_blocks_fit_beside_timestamps(void **state)
{
    struct tcp_hdr h = {.opts = {.has_ts = true, .num_sack = 4}};

    (void)state;
    assert_int_equal(tcp_emit_len(&h), 60);
    h.opts.has_ts = false;
    assert_int_equal(tcp_emit_len(&h), 56);
}

static void a_plain_header_is_what_emit_writes(void **state)
{
    struct prng g = {.state = 3};

    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        struct tcp_hdr h = {
            .src_port = (uint16_t)prng_next(&g),
            .dst_port = (uint16_t)prng_next(&g),
            .seq = (seq_t)prng_next(&g),
            .ack = (seq_t)prng_next(&g),
            .flags = (uint8_t)prng_next(&g),
            .window = (uint16_t)prng_next(&g),
            .opts = {.has_ts = round & 1,
                     .ts_val = (uint32_t)prng_next(&g),
                     .ts_ecr = (uint32_t)prng_next(&g)},
        };
        uint8_t usual[TCP_HDR_LEN + TCP_TS_LEN], plain[sizeof(usual)];

        memset(plain, 0xff, sizeof(plain));
        assert_int_equal(tcp_plain_len(h.opts.has_ts), tcp_emit_len(&h));
        tcp_emit(usual, &h, SRC, DST, 0);
        tcp_emit_plain(plain, &h);
        tcp_set_checksum(plain, tcp_emit_len(&h), SRC, DST, false);
        assert_memory_equal(usual, plain, tcp_emit_len(&h));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_header_is_what_emit_writes),
        cmocka_unit_test(reads_a_syn),
        cmocka_unit_test(bad_option_lengths_end_the_list),
        cmocka_unit_test(an_option_cut_by_the_header_is_not_read),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(what_is_emitted_reads_back),
        cmocka_unit_test(three_sack_blocks_fit_beside_timestamps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
