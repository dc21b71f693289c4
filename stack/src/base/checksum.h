/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Internet checksum (RFC 1071), in parts.
 * A partial sum is opaque: begin with 0, add pieces, finish. Every piece but the last has an even length. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/** Adds len bytes at data (any alignment) to a partial sum. An odd last byte counts as padded with zero. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len);
/** The value of the checksum field in host order, to be written by put_be16(). Over data that contain a right
 * checksum it is 0. */
uint16_t checksum_finish(uint32_t sum);

/** Checksum of one piece. */
static inline uint16_t checksum(const void *data, size_t len)
{
    return checksum_finish(checksum_add(0, data, len));
}

#endif
