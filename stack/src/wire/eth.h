/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ethernet II header (IEEE 802.3 clause 3, RFC 894): parse and emit. Pure functions. */
#ifndef WIRE_ETH_H
#define WIRE_ETH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

#define ETH_HDR_LEN 14u
#define ETH_TYPE_IPV4 0x0800u
#define ETH_TYPE_ARP 0x0806u

struct eth_addr {
    uint8_t b[6];
};

#define ETH_BROADCAST ((struct eth_addr){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}})

struct eth_hdr {
    struct eth_addr dst, src;
    uint16_t type; /**< EtherType, host order */
};

/** An address as one word, to compare; p has at least 8 bytes behind it, as in a header. */
static inline uint64_t eth_addr_load(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v)); /* the library runs on little-endian machines only, as byteorder.h */
    return v & 0xffffffffffffu;
}
static inline uint64_t eth_addr_word(struct eth_addr a)
{
    uint8_t b[8] = {a.b[0], a.b[1], a.b[2], a.b[3], a.b[4], a.b[5]};

    return eth_addr_load(b);
}
static inline bool eth_addr_is_multicast_word(uint64_t word)
{
    return word & 1;
}

/** Reads the header of a frame of len bytes. ST_TRUNCATED when it is shorter than ETH_HDR_LEN. */
enum status eth_parse(const uint8_t *frame, uint32_t len, struct eth_hdr *out);
/** Writes ETH_HDR_LEN bytes. */
void eth_emit(uint8_t *out, const struct eth_hdr *hdr);
bool eth_addr_equal(struct eth_addr a, struct eth_addr b);
bool eth_addr_is_broadcast(struct eth_addr a);
bool eth_addr_is_multicast(struct eth_addr a);

#endif
