/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Byte streams whose every byte follows from seed and position, so that any piece can be checked alone. */
#ifndef TESTING_STREAM_H
#define TESTING_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint8_t stream_byte(uint64_t seed, uint64_t pos)
{
    uint64_t x = (pos >> 3) * 0x9e3779b97f4a7c15ull + seed;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x ^= x >> 27;
    return (uint8_t)(x >> (8 * (pos & 7)));
}

static inline void stream_fill(uint64_t seed, uint64_t pos, uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = stream_byte(seed, pos + i);
}

static inline bool stream_check(uint64_t seed, uint64_t pos, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (buf[i] != stream_byte(seed, pos + i))
            return false;
    }
    return true;
}

#endif
