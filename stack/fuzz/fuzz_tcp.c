/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP headers and options: the header is within the segment; what was read, written and read again gives the
 * same options, except SACK blocks for which there is no room. */
#include "fuzz.h"

#include "wire/tcp.h"

static void check_same(const struct tcp_hdr *a, const struct tcp_hdr *b)
{
    FUZZ_CHECK(a->seq == b->seq && a->ack == b->ack && a->flags == b->flags && a->window == b->window);
    FUZZ_CHECK(a->opts.has_mss == b->opts.has_mss && a->opts.mss == b->opts.mss);
    FUZZ_CHECK(a->opts.has_wscale == b->opts.has_wscale && a->opts.wscale == b->opts.wscale);
    FUZZ_CHECK(a->opts.has_ts == b->opts.has_ts && a->opts.sack_ok == b->opts.sack_ok);
    FUZZ_CHECK(a->opts.ts_val == b->opts.ts_val && a->opts.ts_ecr == b->opts.ts_ecr);
    FUZZ_CHECK(b->opts.num_sack <= a->opts.num_sack && a->opts.num_sack <= 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[TCP_HDR_LEN + TCP_MAX_OPT_LEN];
    struct tcp_hdr h, again;
    uint32_t len;

    if (size > 65535 || tcp_parse(data, (uint32_t)size, 1, 2, true, &h) != ST_OK)
        return 0;
    FUZZ_CHECK(h.hdr_len >= TCP_HDR_LEN && h.hdr_len <= size);
    len = tcp_emit_len(&h);
    FUZZ_CHECK(len <= sizeof(out) && len % 4 == 0);
    tcp_emit(out, &h, 1, 2, 0);
    FUZZ_CHECK(tcp_parse(out, len, 1, 2, false, &again) == ST_OK);
    FUZZ_CHECK(again.hdr_len == len);
    check_same(&h, &again);
    return 0;
}
