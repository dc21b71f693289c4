/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv4 header (RFC 791, RFC 1122 3.2.1): parse and emit. Pure functions. */
#ifndef WIRE_IPV4_H
#define WIRE_IPV4_H

#include <stdbool.h>
#include <stdint.h>

#include "base/checksum.h"
#include "base/status.h"

#define IPV4_HDR_LEN 20u
#define IP_PROTO_ICMP 1u
#define IP_PROTO_TCP 6u
#define IP_PROTO_UDP 17u

typedef uint32_t ipv4_addr_t; /**< host order: 10.0.0.1 is 0x0a000001 */

struct ipv4_hdr {
    ipv4_addr_t src, dst;
    uint16_t hdr_len;   /**< bytes, options included */
    uint16_t total_len; /**< bytes, header included */
    uint16_t id;
    uint16_t frag_offset; /**< bytes */
    bool more_frags, dont_frag;
    uint8_t tos, ttl, proto;
};

/** Reads and checks a header of a packet of len bytes: version, lengths, checksum (unless csum_ok).
 *  ST_TRUNCATED, ST_MALFORMED, ST_BAD_CHECKSUM. total_len <= len holds on ST_OK; bytes beyond are padding. */
enum status ipv4_parse(const uint8_t *pkt, uint32_t len, bool csum_ok, struct ipv4_hdr *out);
/** Writes IPV4_HDR_LEN bytes without options, checksum included; hdr_len is ignored. */
void ipv4_emit(uint8_t *out, const struct ipv4_hdr *hdr);
/** Pseudo-header sum (RFC 9293 3.1, RFC 768) to feed checksum_finish(). */
static inline uint32_t ipv4_pseudo_sum(ipv4_addr_t src, ipv4_addr_t dst, uint8_t proto, uint16_t l4_len)
{
    return checksum_fold((uint64_t)__builtin_bswap32(src) + __builtin_bswap32(dst) +
                         __builtin_bswap32((uint32_t)proto << 16 | l4_len));
}

/** What stands in the checksum field of TCP or UDP when somebody else finishes it: the sum of the pseudo
 * header, not inverted, in host order. */
static inline uint16_t ipv4_partial_csum(ipv4_addr_t src, ipv4_addr_t dst, uint8_t proto, uint16_t l4_len)
{
    return (uint16_t)~checksum_finish(ipv4_pseudo_sum(src, dst, proto, l4_len));
}

bool ipv4_is_multicast(ipv4_addr_t a);
bool ipv4_is_broadcast(ipv4_addr_t a);
bool ipv4_is_loopback(ipv4_addr_t a);

#define IPV4_STR_LEN 16
/** Dotted quad into buf (IPV4_STR_LEN bytes); returns buf. */
char *ipv4_to_str(ipv4_addr_t a, char *buf);

#endif
