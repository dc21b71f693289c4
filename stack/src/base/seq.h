/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sequence-number arithmetic modulo 2^32 (RFC 9293, 3.4). Never compare sequence numbers any other way. */
#ifndef BASE_SEQ_H
#define BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t seq_t;

static inline bool seq_lt(seq_t a, seq_t b)
{
    return (int32_t)(a - b) < 0;
}
static inline bool seq_le(seq_t a, seq_t b)
{
    return (int32_t)(a - b) <= 0;
}
static inline bool seq_gt(seq_t a, seq_t b)
{
    return (int32_t)(a - b) > 0;
}
static inline bool seq_ge(seq_t a, seq_t b)
{
    return (int32_t)(a - b) >= 0;
}
static inline seq_t seq_max(seq_t a, seq_t b)
{
    return seq_ge(a, b) ? a : b;
}
static inline seq_t seq_min(seq_t a, seq_t b)
{
    return seq_le(a, b) ? a : b;
}

/** left <= s < left + size */
static inline bool seq_in_window(seq_t s, seq_t left, uint32_t size)
{
    return s - left < size;
}

#endif
