/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ARP for IPv4 over Ethernet (RFC 826): parse and emit. Pure functions. */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include <stdint.h>

#include "base/status.h"
#include "wire/eth.h"
#include "wire/ipv4.h"

#define ARP_PKT_LEN 28u
#define ARP_REQUEST 1u
#define ARP_REPLY 2u

struct arp_pkt {
    uint16_t op; /**< ARP_REQUEST or ARP_REPLY */
    struct eth_addr sender_mac, target_mac;
    ipv4_addr_t sender_addr, target_addr;
};

/** Reads a packet of len bytes (padding behind it is ignored). ST_TRUNCATED; ST_MALFORMED when it is not
 * Ethernet and IPv4 or neither a request nor a reply. */
enum status arp_parse(const uint8_t *pkt, uint32_t len, struct arp_pkt *out);
/** Writes ARP_PKT_LEN bytes. */
void arp_emit(uint8_t *out, const struct arp_pkt *arp);

#endif
