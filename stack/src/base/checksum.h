/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Internet checksum (RFC 1071), in parts.
 * A partial sum is opaque: begin with 0, add pieces, finish. Every piece but the last has an even length. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Adds len bytes at data (any alignment) to a partial sum. An odd last byte counts as padded with zero. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len);
/** A sum of 32-bit words in 64 bits as a partial sum. */
static inline uint32_t checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffffu) + (sum >> 32);
    return (uint32_t)((sum & 0xffffffffu) + (sum >> 32));
}

/** The value of the checksum field in host order, to be written by put_be16(). Over data that contain a right
 * checksum it is 0. */
static inline uint16_t checksum_finish(uint32_t sum)
{
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    return __builtin_bswap16((uint16_t)~sum);
}

/** Adds the 20 bytes of a header without options. */
static inline uint32_t checksum_add_20(uint32_t sum, const void *data)
{
    uint32_t w[5];

    memcpy(w, data, sizeof(w));
    return checksum_fold((uint64_t)sum + w[0] + w[1] + w[2] + w[3] + w[4]);
}

/** Checksum of one piece. */
static inline uint16_t checksum(const void *data, size_t len)
{
    return checksum_finish(checksum_add(0, data, len));
}

#endif
