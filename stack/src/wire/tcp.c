/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP header (RFC 9293 3.1) and options: MSS (9293 3.2), window scale and timestamps (7323), SACK (2018).
 * Invariant of the option reader: every turn of the loop moves forward by at least one byte and never past
 * the header, whatever the lengths say. */
#include "wire/tcp.h"

#include <stddef.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checksum.h"

enum {
    OFF_SRC = 0,
    OFF_DST = 2,
    OFF_SEQ = 4,
    OFF_ACK = 8,
    OFF_DATA_OFFSET = 12,
    OFF_FLAGS = 13,
    OFF_WINDOW = 14,
    OFF_CSUM = 16,
    OFF_URGENT = 18
};
enum { OPT_END = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_WSCALE = 3, OPT_SACK_OK = 4, OPT_SACK = 5, OPT_TS = 8 };
enum { LEN_MSS = 4, LEN_WSCALE = 3, LEN_SACK_OK = 2, LEN_TS = 10, LEN_SACK_BLOCK = 8 };

static void parse_sack(const uint8_t *opt, unsigned len, struct tcp_opts *out)
{
    unsigned blocks = (len - 2) / LEN_SACK_BLOCK;

    if ((len - 2) % LEN_SACK_BLOCK || blocks == 0 || blocks > 4)
        return;
    out->num_sack = (uint8_t)blocks;
    for (unsigned i = 0; i < blocks; i++) {
        out->sack[i].left = get_be32(opt + 2 + LEN_SACK_BLOCK * i);
        out->sack[i].right = get_be32(opt + 6 + LEN_SACK_BLOCK * i);
    }
}

/* One option of a kind with a length field; an option of the wrong length for its kind is passed over. */
static void parse_option(const uint8_t *opt, unsigned len, struct tcp_opts *out)
{
    switch (opt[0]) {
    case OPT_MSS:
        if (len != LEN_MSS)
            return;
        out->has_mss = true;
        out->mss = get_be16(opt + 2);
        return;
    case OPT_WSCALE:
        if (len != LEN_WSCALE)
            return;
        out->has_wscale = true;
        out->wscale = opt[2];
        return;
    case OPT_SACK_OK:
        out->sack_ok |= len == LEN_SACK_OK;
        return;
    case OPT_SACK:
        parse_sack(opt, len, out);
        return;
    case OPT_TS:
        if (len != LEN_TS)
            return;
        out->has_ts = true;
        out->ts_val = get_be32(opt + 2);
        out->ts_ecr = get_be32(opt + 6);
        return;
    default: /* unknown options are ignored (RFC 9293 3.1, MUST-6) */
        return;
    }
}

static void parse_options(const uint8_t *opts, unsigned len, struct tcp_opts *out)
{
    unsigned at = 0;

    while (at < len && opts[at] != OPT_END) {
        unsigned opt_len;

        if (opts[at] == OPT_NOP) {
            at++;
            continue;
        }
        if (len - at < 2)
            return;
        opt_len = opts[at + 1];
        if (opt_len < 2 || opt_len > len - at) /* RFC 9293 3.1, MUST-7 */
            return;
        parse_option(opts + at, opt_len, out);
        at += opt_len;
    }
}

static void read_options(const uint8_t *opts, unsigned len, struct tcp_opts *out)
{
    memset(out, 0, offsetof(struct tcp_opts, sack)); /* num_sack = 0: nobody looks at sack[] */
    if (len == TCP_TS_LEN && get_be32(opts) == TCP_TS_WORD) {
        out->has_ts = true;
        out->ts_val = get_be32(opts + 4);
        out->ts_ecr = get_be32(opts + 8);
    } else if (len) {
        parse_options(opts, len, out);
    }
}

static uint32_t segment_sum(const uint8_t *seg, uint32_t len, ipv4_addr_t src, ipv4_addr_t dst)
{
    return checksum_add(ipv4_pseudo_sum(src, dst, IP_PROTO_TCP, (uint16_t)len), seg, len);
}

enum status tcp_parse(const uint8_t *seg, uint32_t len, ipv4_addr_t src, ipv4_addr_t dst, bool csum_ok,
                      struct tcp_hdr *out)
{
    if (len < TCP_HDR_LEN)
        return ST_TRUNCATED;
    out->hdr_len = (uint16_t)((seg[OFF_DATA_OFFSET] >> 4) * 4);
    if (out->hdr_len < TCP_HDR_LEN)
        return ST_MALFORMED;
    if (out->hdr_len > len)
        return ST_TRUNCATED;
    if (!csum_ok && checksum_finish(segment_sum(seg, len, src, dst)) != 0)
        return ST_BAD_CHECKSUM;
    out->src_port = get_be16(seg + OFF_SRC);
    out->dst_port = get_be16(seg + OFF_DST);
    out->seq = get_be32(seg + OFF_SEQ);
    out->ack = get_be32(seg + OFF_ACK);
    out->flags = seg[OFF_FLAGS];
    out->window = get_be16(seg + OFF_WINDOW);
    out->urgent = get_be16(seg + OFF_URGENT);
    read_options(seg + TCP_HDR_LEN, out->hdr_len - TCP_HDR_LEN, &out->opts);
    return ST_OK;
}

/* Sizes of the options as they are emitted, each padded to a multiple of four. */
static uint32_t fixed_opts_len(const struct tcp_opts *o)
{
    uint32_t len = 0;

    if (o->has_mss)
        len += 4;
    if (o->has_ts)
        len += 12;
    else if (o->sack_ok)
        len += 4;
    if (o->has_wscale)
        len += 4;
    return len;
}

/* How many SACK blocks fit beside the other options. */
static uint32_t sack_blocks(const struct tcp_opts *o)
{
    uint32_t room = (TCP_MAX_OPT_LEN - fixed_opts_len(o) - 4) / LEN_SACK_BLOCK;

    return o->num_sack < room ? o->num_sack : room;
}

uint32_t tcp_emit_len(const struct tcp_hdr *hdr)
{
    uint32_t blocks = sack_blocks(&hdr->opts);

    return TCP_HDR_LEN + fixed_opts_len(&hdr->opts) + (blocks ? 4 + LEN_SACK_BLOCK * blocks : 0);
}

/* Kind and length, preceded by two bytes of padding. */
static uint8_t *emit_padded_kind(uint8_t *p, uint8_t kind, uint8_t len)
{
    p[0] = p[1] = OPT_NOP;
    p[2] = kind;
    p[3] = len;
    return p + 4;
}

static void emit_options(uint8_t *p, const struct tcp_opts *o)
{
    uint32_t blocks = sack_blocks(o);

    if (o->has_mss) {
        p[0] = OPT_MSS;
        p[1] = LEN_MSS;
        put_be16(p + 2, o->mss);
        p += 4;
    }
    if (o->has_ts) {
        emit_padded_kind(p, OPT_TS, LEN_TS);
        if (o->sack_ok) { /* takes the place of the padding */
            p[0] = OPT_SACK_OK;
            p[1] = LEN_SACK_OK;
        }
        put_be32(p + 4, o->ts_val);
        put_be32(p + 8, o->ts_ecr);
        p += 12;
    } else if (o->sack_ok) {
        p = emit_padded_kind(p, OPT_SACK_OK, LEN_SACK_OK);
    }
    if (o->has_wscale) {
        p[0] = OPT_NOP;
        p[1] = OPT_WSCALE;
        p[2] = LEN_WSCALE;
        p[3] = o->wscale;
        p += 4;
    }
    if (blocks)
        p = emit_padded_kind(p, OPT_SACK, (uint8_t)(2 + LEN_SACK_BLOCK * blocks));
    for (uint32_t i = 0; i < blocks; i++, p += LEN_SACK_BLOCK) {
        put_be32(p, o->sack[i].left);
        put_be32(p + 4, o->sack[i].right);
    }
}

void tcp_emit_header(uint8_t *out, const struct tcp_hdr *hdr)
{
    put_be16(out + OFF_SRC, hdr->src_port);
    put_be16(out + OFF_DST, hdr->dst_port);
    put_be32(out + OFF_SEQ, hdr->seq);
    put_be32(out + OFF_ACK, hdr->ack);
    out[OFF_DATA_OFFSET] = (uint8_t)(tcp_emit_len(hdr) / 4 << 4);
    out[OFF_FLAGS] = hdr->flags;
    put_be16(out + OFF_WINDOW, hdr->window);
    put_be16(out + OFF_CSUM, 0);
    put_be16(out + OFF_URGENT, hdr->urgent);
    emit_options(out + TCP_HDR_LEN, &hdr->opts);
}

void tcp_set_checksum(uint8_t *seg, uint32_t len, ipv4_addr_t src, ipv4_addr_t dst, bool partial)
{
    if (partial)
        put_be16(seg + OFF_CSUM, ipv4_partial_csum(src, dst, IP_PROTO_TCP, (uint16_t)len));
    else
        put_be16(seg + OFF_CSUM, checksum_finish(segment_sum(seg, len, src, dst)));
}

void tcp_emit(uint8_t *out, const struct tcp_hdr *hdr, ipv4_addr_t src, ipv4_addr_t dst, uint32_t payload_len)
{
    tcp_emit_header(out, hdr);
    tcp_set_checksum(out, tcp_emit_len(hdr) + payload_len, src, dst, false);
}
