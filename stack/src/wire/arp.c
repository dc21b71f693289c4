/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ARP packet (RFC 826, "Packet format"). */
#include "wire/arp.h"

#include <string.h>

#include "base/byteorder.h"

enum {
    OFF_HTYPE = 0,
    OFF_PTYPE = 2,
    OFF_HLEN = 4,
    OFF_PLEN = 5,
    OFF_OP = 6,
    OFF_SHA = 8,
    OFF_SPA = 14,
    OFF_THA = 18,
    OFF_TPA = 24
};
enum { HTYPE_ETHERNET = 1 };

enum status arp_parse(const uint8_t *pkt, uint32_t len, struct arp_pkt *out)
{
    if (len < ARP_PKT_LEN)
        return ST_TRUNCATED;
    if (get_be16(pkt + OFF_HTYPE) != HTYPE_ETHERNET || get_be16(pkt + OFF_PTYPE) != ETH_TYPE_IPV4 ||
        pkt[OFF_HLEN] != 6 || pkt[OFF_PLEN] != 4)
        return ST_MALFORMED;
    out->op = get_be16(pkt + OFF_OP);
    if (out->op != ARP_REQUEST && out->op != ARP_REPLY)
        return ST_MALFORMED;
    memcpy(out->sender_mac.b, pkt + OFF_SHA, 6);
    out->sender_addr = get_be32(pkt + OFF_SPA);
    memcpy(out->target_mac.b, pkt + OFF_THA, 6);
    out->target_addr = get_be32(pkt + OFF_TPA);
    return ST_OK;
}

void arp_emit(uint8_t *out, const struct arp_pkt *arp)
{
    put_be16(out + OFF_HTYPE, HTYPE_ETHERNET);
    put_be16(out + OFF_PTYPE, ETH_TYPE_IPV4);
    out[OFF_HLEN] = 6;
    out[OFF_PLEN] = 4;
    put_be16(out + OFF_OP, arp->op);
    memcpy(out + OFF_SHA, arp->sender_mac.b, 6);
    put_be32(out + OFF_SPA, arp->sender_addr);
    memcpy(out + OFF_THA, arp->target_mac.b, 6);
    put_be32(out + OFF_TPA, arp->target_addr);
}
