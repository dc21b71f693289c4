/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP header (RFC 768). */
#include "wire/udp.h"

#include "base/byteorder.h"
#include "base/checksum.h"

enum { OFF_SRC = 0, OFF_DST = 2, OFF_LEN = 4, OFF_CSUM = 6 };

enum status udp_parse(const uint8_t *dgram, uint32_t len, ipv4_addr_t src, ipv4_addr_t dst, bool csum_ok,
                      struct udp_hdr *out)
{
    if (len < UDP_HDR_LEN)
        return ST_TRUNCATED;
    out->src_port = get_be16(dgram + OFF_SRC);
    out->dst_port = get_be16(dgram + OFF_DST);
    out->len = get_be16(dgram + OFF_LEN);
    if (out->len < UDP_HDR_LEN)
        return ST_MALFORMED;
    if (out->len > len)
        return ST_TRUNCATED;
    if (csum_ok || get_be16(dgram + OFF_CSUM) == 0)
        return ST_OK;
    if (checksum_finish(checksum_add(ipv4_pseudo_sum(src, dst, IP_PROTO_UDP, out->len), dgram, out->len)))
        return ST_BAD_CHECKSUM;
    return ST_OK;
}

/* All but the checksum, whose field is 0. Returns the partial sum of what it has written: reading it back at
 * once in other words than it was written would have to wait for the memory. */
static uint32_t emit_header(uint8_t *out, const struct udp_hdr *hdr)
{
    uint32_t ports = (uint32_t)hdr->src_port << 16 | hdr->dst_port, len = (uint32_t)hdr->len << 16;

    put_be32(out + OFF_SRC, ports);
    put_be32(out + OFF_LEN, len);
    return checksum_fold((uint64_t)be32(ports).raw + be32(len).raw);
}

void udp_emit_partial(uint8_t *out, const struct udp_hdr *hdr, ipv4_addr_t src, ipv4_addr_t dst)
{
    emit_header(out, hdr);
    put_be16(out + OFF_CSUM, ipv4_partial_csum(src, dst, IP_PROTO_UDP, hdr->len));
}

void udp_emit(uint8_t *out, const struct udp_hdr *hdr, ipv4_addr_t src, ipv4_addr_t dst)
{
    uint64_t sum = (uint64_t)emit_header(out, hdr) + ipv4_pseudo_sum(src, dst, IP_PROTO_UDP, hdr->len);
    uint16_t csum =
        checksum_finish(checksum_add(checksum_fold(sum), out + UDP_HDR_LEN, (size_t)hdr->len - UDP_HDR_LEN));

    put_be16(out + OFF_CSUM, csum ? csum : 0xffff); /* 0 would mean "no checksum" */
}
