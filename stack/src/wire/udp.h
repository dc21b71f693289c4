/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP header (RFC 768): parse and emit. Pure functions. */
#ifndef WIRE_UDP_H
#define WIRE_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "wire/ipv4.h"

#define UDP_HDR_LEN 8u

struct udp_hdr {
    uint16_t src_port, dst_port;
    uint16_t len; /**< bytes, header included */
};

/** Reads a datagram of len bytes; checksum 0 means none was sent. hdr.len <= len holds on ST_OK. */
enum status udp_parse(const uint8_t *dgram, uint32_t len, ipv4_addr_t src, ipv4_addr_t dst, bool csum_ok,
                      struct udp_hdr *out);
/** Writes the header in front of hdr->len - 8 payload bytes that already stand behind it, checksum included.
 */
void udp_emit(uint8_t *out, const struct udp_hdr *hdr, ipv4_addr_t src, ipv4_addr_t dst);

/** The same with ipv4_partial_csum() in the checksum field, for a device that finishes it. */
void udp_emit_partial(uint8_t *out, const struct udp_hdr *hdr, ipv4_addr_t src, ipv4_addr_t dst);

#endif
