/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Flow hash: Toeplitz (as receive-side scaling defines it) with the 16-bit key 0x6d5a repeated.
 * A key of period 16 makes the hash a function of the XOR of all 16-bit words of the input: bit i of every
 * word selects the same window of the key. So the order of addresses and of ports does not matter (both
 * directions of a flow have one hash), the two halves of the result are equal, and one table of 256 entries
 * does it: the low byte's windows are the high byte's turned by eight. No vector instruction is quicker. */
#ifndef STEER_FLOW_HASH_H
#define STEER_FLOW_HASH_H

#include <stdint.h>

#define FLOW_HASH_KEY 0x6d5au
/** What has no flow: no input has this hash, for its halves differ. */
#define FLOW_HASH_NONE 0x00010000u

/** [b]: hash of a word whose high byte is b and whose low byte is 0. */
extern const uint16_t flow_hash_table[256];

/** Hash of an input whose 16-bit words have this XOR, in host order. */
static inline uint32_t flow_hash_word(uint16_t word)
{
    uint16_t low = flow_hash_table[word & 0xff];

    return (uint32_t)(flow_hash_table[word >> 8] ^ (uint16_t)(low << 8 | low >> 8)) * 0x10001u;
}

/** Both 16-bit halves of 32 bits. */
static inline uint16_t flow_hash_fold(uint32_t words)
{
    return (uint16_t)(words ^ words >> 16);
}

/** Hash of an IPv4 flow, in host order; ports 0: of the pair of addresses. */
static inline uint32_t flow_hash_ipv4(uint32_t a, uint32_t b, uint16_t a_port, uint16_t b_port)
{
    return flow_hash_word((uint16_t)(flow_hash_fold(a ^ b) ^ a_port ^ b_port));
}

#endif
