/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv4 header (RFC 791 3.1). */
#include "wire/ipv4.h"

#include <stdio.h>

#include "base/byteorder.h"
#include "base/checksum.h"

enum {
    OFF_VER_IHL = 0,
    OFF_TOS = 1,
    OFF_TOTAL_LEN = 2,
    OFF_ID = 4,
    OFF_FRAG = 6,
    OFF_TTL = 8,
    OFF_PROTO = 9,
    OFF_CSUM = 10,
    OFF_SRC = 12,
    OFF_DST = 16
};
enum { FRAG_DF = 0x4000, FRAG_MF = 0x2000, FRAG_OFFSET = 0x1fff };

static uint16_t header_sum(const uint8_t *hdr, uint32_t hdr_len)
{
    if (hdr_len == IPV4_HDR_LEN)
        return checksum_finish(checksum_add_20(0, hdr));
    return checksum(hdr, hdr_len);
}

enum status ipv4_parse(const uint8_t *pkt, uint32_t len, bool csum_ok, struct ipv4_hdr *out)
{
    uint16_t frag;

    if (len < IPV4_HDR_LEN)
        return ST_TRUNCATED;
    out->hdr_len = (uint16_t)((pkt[OFF_VER_IHL] & 0x0f) * 4);
    out->total_len = get_be16(pkt + OFF_TOTAL_LEN);
    if (pkt[OFF_VER_IHL] >> 4 != 4 || out->hdr_len < IPV4_HDR_LEN || out->total_len < out->hdr_len)
        return ST_MALFORMED;
    if (out->total_len > len)
        return ST_TRUNCATED;
    if (!csum_ok && header_sum(pkt, out->hdr_len) != 0)
        return ST_BAD_CHECKSUM;
    frag = get_be16(pkt + OFF_FRAG);
    out->tos = pkt[OFF_TOS];
    out->id = get_be16(pkt + OFF_ID);
    out->frag_offset = (uint16_t)((frag & FRAG_OFFSET) * 8);
    out->more_frags = frag & FRAG_MF;
    out->dont_frag = frag & FRAG_DF;
    out->ttl = pkt[OFF_TTL];
    out->proto = pkt[OFF_PROTO];
    out->src = get_be32(pkt + OFF_SRC);
    out->dst = get_be32(pkt + OFF_DST);
    return ST_OK;
}

void ipv4_emit(uint8_t *out, const struct ipv4_hdr *hdr)
{
    unsigned frag = hdr->frag_offset / 8u;

    if (hdr->more_frags)
        frag |= FRAG_MF;
    if (hdr->dont_frag)
        frag |= FRAG_DF;
    out[OFF_VER_IHL] = 4 << 4 | IPV4_HDR_LEN / 4;
    out[OFF_TOS] = hdr->tos;
    put_be16(out + OFF_TOTAL_LEN, hdr->total_len);
    put_be16(out + OFF_ID, hdr->id);
    put_be16(out + OFF_FRAG, (uint16_t)frag);
    out[OFF_TTL] = hdr->ttl;
    out[OFF_PROTO] = hdr->proto;
    put_be16(out + OFF_CSUM, 0);
    put_be32(out + OFF_SRC, hdr->src);
    put_be32(out + OFF_DST, hdr->dst);
    put_be16(out + OFF_CSUM, header_sum(out, IPV4_HDR_LEN));
}

bool ipv4_is_multicast(ipv4_addr_t a)
{
    return a >> 28 == 0xe;
}

bool ipv4_is_broadcast(ipv4_addr_t a)
{
    return a == 0xffffffffu;
}

bool ipv4_is_loopback(ipv4_addr_t a)
{
    return a >> 24 == 127;
}

char *ipv4_to_str(ipv4_addr_t a, char *buf)
{
    snprintf(buf, IPV4_STR_LEN, "%u.%u.%u.%u", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff, a & 0xff);
    return buf;
}
