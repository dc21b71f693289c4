/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMP header (RFC 792). */
#include "wire/icmp.h"

#include "base/byteorder.h"
#include "base/checksum.h"

enum { OFF_TYPE = 0, OFF_CODE = 1, OFF_CSUM = 2, OFF_REST = 4 };

enum status icmp_parse(const uint8_t *msg, uint32_t len, struct icmp_hdr *out)
{
    if (len < ICMP_HDR_LEN)
        return ST_TRUNCATED;
    if (checksum(msg, len) != 0)
        return ST_BAD_CHECKSUM;
    out->type = msg[OFF_TYPE];
    out->code = msg[OFF_CODE];
    out->rest = get_be32(msg + OFF_REST);
    return ST_OK;
}

void icmp_emit(uint8_t *out, const struct icmp_hdr *hdr, uint32_t body_len)
{
    out[OFF_TYPE] = hdr->type;
    out[OFF_CODE] = hdr->code;
    put_be16(out + OFF_CSUM, 0);
    put_be32(out + OFF_REST, hdr->rest);
    put_be16(out + OFF_CSUM, checksum(out, ICMP_HDR_LEN + body_len));
}
