/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which flow a frame belongs to. Reads up to two VLAN tags, IPv4 with options, IPv6 with extension headers,
 * TCP and UDP ports, and inside ICMP and ICMPv6 errors the packet that caused them: that one is ours, and the
 * hash is the same in both directions. Fragments, the first like the later ones, count by addresses alone:
 * only so they meet. Input is hostile: nothing beyond the frame is read, and nothing is checked that the
 * layers above check, except lengths. Pure functions. */
#ifndef STEER_CLASSIFY_H
#define STEER_CLASSIFY_H

#include <stdint.h>

#include "base/byteorder.h"

enum flow_kind {
    FLOW_NONE,        /**< no flow: ARP, what is too short, other EtherTypes */
    FLOW_ADDRESSES,   /**< by addresses alone: fragments, ICMP, other protocols */
    FLOW_TCP,         /**< a segment, or an error about one */
    FLOW_TCP_OPENING, /**< SYN without ACK */
    FLOW_UDP,         /**< a datagram, or an error about one */
};

struct flow_class {
    uint32_t hash;                /**< FLOW_HASH_NONE without a flow */
    uint8_t kind;                 /**< enum flow_kind */
    uint8_t proto;                /**< of IPv4 flows with ports, otherwise 0: local and peer mean nothing */
    be16_t local_port, peer_port; /**< of TCP and UDP */
    be32_t local, peer;           /**< of IPv4 */
};

/** Any bytes. more_len: bytes of the frame that are elsewhere, behind these (a frame in several pieces). */
void flow_classify(const uint8_t *frame, uint32_t len, uint32_t more_len, struct flow_class *out);

#endif
