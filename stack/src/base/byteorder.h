/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Big-endian values as types of their own, so that a missing conversion does not compile,
 * and unaligned reads and writes of big-endian fields. */
#ifndef BASE_BYTEORDER_H
#define BASE_BYTEORDER_H

#include <stdint.h>
#include <string.h>

typedef struct {
    uint16_t raw;
} be16_t; /**< 16 bits in network order */
typedef struct {
    uint32_t raw;
} be32_t; /**< 32 bits in network order */

static inline be16_t be16(uint16_t host)
{
    return (be16_t){__builtin_bswap16(host)};
}
static inline be32_t be32(uint32_t host)
{
    return (be32_t){__builtin_bswap32(host)};
}
static inline uint16_t be16_host(be16_t v)
{
    return __builtin_bswap16(v.raw);
}
static inline uint32_t be32_host(be32_t v)
{
    return __builtin_bswap32(v.raw);
}

static inline uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

static inline void put_be16(uint8_t *p, uint16_t host)
{
    p[0] = (uint8_t)(host >> 8);
    p[1] = (uint8_t)host;
}

static inline void put_be32(uint8_t *p, uint32_t host)
{
    uint32_t v = __builtin_bswap32(host);

    memcpy(p, &v, sizeof(v));
}

#endif
