/* SPDX-License-Identifier: BSD-3-Clause
 *
 * RFC 1071: the ones' complement sum may be taken in words of any width and in the machine's own byte order;
 * folding and one swap at the end give the same result. Headers and small payloads are added in 64-bit words,
 * the carries counted apart; long ones in vectors, whose 32-bit halves go into 64-bit lanes, which cannot
 * overflow below 16 GiB. */
#include "base/checksum.h"

#include <string.h>

#define BLOCK_BYTES 64u
#define VECTOR_BYTES 256u /* from here on vectors are worth their begin and end */

/** A sum of 64-bit words: the carries that left it are counted. */
struct wide {
    uint64_t sum, carries;
};

static inline void wide_add(struct wide *w, uint64_t word)
{
    w->sum += word;
    w->carries += w->sum < word;
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

#if defined(__x86_64__)
#define VECTOR_TARGET __attribute__((target("avx2")))
static inline int have_vectors(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
#define VECTOR_TARGET
static inline int have_vectors(void)
{
    return 1; /* the compiler takes what every machine of the kind has */
}
#endif

typedef uint64_t lanes __attribute__((vector_size(32)));

VECTOR_TARGET static uint64_t sum_blocks(const uint8_t *p, size_t blocks)
{
    const lanes low = {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu};
    lanes a = {0, 0, 0, 0}, b = a, c = a, d = a;

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
    return a[0] + a[1] + a[2] + a[3];
}

/** The last 0 to 7 bytes as one word, padded with zeros. */
static inline uint64_t load_tail(const uint8_t *p, size_t len)
{
    uint64_t v = 0;
    uint32_t w32;
    uint16_t w16;

    if (len & 1)
        v = p[len - 1];
    if (len & 2) {
        memcpy(&w16, p + (len & 4), 2);
        v = v << 16 | w16;
    }
    if (len & 4) {
        memcpy(&w32, p, 4);
        v = v << 32 | w32;
    }
    return v;
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    struct wide w = {sum, 0};

    if (len >= VECTOR_BYTES && have_vectors()) {
        w.sum += sum_blocks(p, len / BLOCK_BYTES);
        p += len / BLOCK_BYTES * BLOCK_BYTES;
        len %= BLOCK_BYTES;
    }
    for (; len >= 32; len -= 32, p += 32) {
        wide_add(&w, load64(p));
        wide_add(&w, load64(p + 8));
        wide_add(&w, load64(p + 16));
        wide_add(&w, load64(p + 24));
    }
    for (; len >= 8; len -= 8, p += 8)
        wide_add(&w, load64(p));
    if (len)
        wide_add(&w, load_tail(p, len));
    w.sum += w.carries;
    return checksum_fold(w.sum + (w.sum < w.carries));
}
