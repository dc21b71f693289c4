/* SPDX-License-Identifier: BSD-3-Clause
 *
 * RFC 1071: the ones' complement sum may be taken in words of any width and in the machine's own byte order;
 * folding and one swap at the end give the same result. Here the 32-bit halves of vectors are added into
 * 64-bit lanes, which cannot overflow below 16 GiB. */
#include "base/checksum.h"

#include <string.h>

#define BLOCK_BYTES 32u

typedef uint64_t lanes __attribute__((vector_size(16)));

static uint64_t sum_blocks(const uint8_t *p, size_t blocks)
{
    const lanes low = {0xffffffffu, 0xffffffffu};
    lanes a = {0, 0}, b = a, c = a, d = a;

    for (; blocks; blocks--, p += BLOCK_BYTES) {
        lanes x, y;

        memcpy(&x, p, sizeof(x));
        memcpy(&y, p + sizeof(x), sizeof(y));
        a += x & low;
        b += x >> 32;
        c += y & low;
        d += y >> 32;
    }
    a += b + c + d;
    return a[0] + a[1];
}

static uint64_t sum_tail(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;
    uint32_t w32;
    uint16_t w16;

    for (; len >= 4; len -= 4, p += 4) {
        memcpy(&w32, p, 4);
        sum += w32;
    }
    if (len >= 2) {
        memcpy(&w16, p, 2);
        sum += w16;
        p += 2;
    }
    if (len & 1) {
        uint8_t last[2] = {*p, 0};

        memcpy(&w16, last, 2);
        sum += w16;
    }
    return sum;
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t blocks = len / BLOCK_BYTES;
    uint64_t acc = sum;

    if (len == 0)
        return sum;
    acc += sum_blocks(p, blocks);
    acc += sum_tail(p + blocks * BLOCK_BYTES, len % BLOCK_BYTES);
    acc = (acc & 0xffffffffu) + (acc >> 32);
    return (uint32_t)((acc & 0xffffffffu) + (acc >> 32));
}

uint16_t checksum_finish(uint32_t sum)
{
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    return __builtin_bswap16((uint16_t)~sum);
}
