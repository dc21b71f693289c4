/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Smaller and larger of two numbers. */
#ifndef TCP_TCP_MATH_H
#define TCP_TCP_MATH_H

#include <stdint.h>

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}
static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}
static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
