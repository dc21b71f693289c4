/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMP header (RFC 792): parse and emit. Pure functions. */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include <stdint.h>

#include "base/status.h"

#define ICMP_HDR_LEN 8u

enum icmp_type { ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_ECHO_REQUEST = 8, ICMP_TIME_EXCEEDED = 11 };
enum icmp_unreachable_code { ICMP_PORT_UNREACHABLE = 3 };
enum icmp_time_code { ICMP_REASSEMBLY_TIME = 1 };

struct icmp_hdr {
    uint8_t type, code;
    uint32_t rest; /**< second word; echo: identifier << 16 | sequence number */
};

/** Reads a message of len bytes and verifies its checksum. ST_TRUNCATED, ST_BAD_CHECKSUM. */
enum status icmp_parse(const uint8_t *msg, uint32_t len, struct icmp_hdr *out);
/** Writes the header in front of body_len bytes that already stand behind it, checksum included. */
void icmp_emit(uint8_t *out, const struct icmp_hdr *hdr, uint32_t body_len);

#endif
