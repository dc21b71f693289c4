/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ethernet II header. */
#include "wire/eth.h"

#include <string.h>

#include "base/byteorder.h"

enum { OFF_DST = 0, OFF_SRC = 6, OFF_TYPE = 12 };

enum status eth_parse(const uint8_t *frame, uint32_t len, struct eth_hdr *out)
{
    if (len < ETH_HDR_LEN)
        return ST_TRUNCATED;
    memcpy(out->dst.b, frame + OFF_DST, 6);
    memcpy(out->src.b, frame + OFF_SRC, 6);
    out->type = get_be16(frame + OFF_TYPE);
    return ST_OK;
}

void eth_emit(uint8_t *out, const struct eth_hdr *hdr)
{
    memcpy(out + OFF_DST, hdr->dst.b, 6);
    memcpy(out + OFF_SRC, hdr->src.b, 6);
    put_be16(out + OFF_TYPE, hdr->type);
}

bool eth_addr_equal(struct eth_addr a, struct eth_addr b)
{
    return memcmp(a.b, b.b, 6) == 0;
}

bool eth_addr_is_broadcast(struct eth_addr a)
{
    return eth_addr_equal(a, ETH_BROADCAST);
}

bool eth_addr_is_multicast(struct eth_addr a)
{
    return a.b[0] & 1;
}
