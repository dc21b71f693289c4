/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See stream.h. Whole words in the middle, single bytes at the two ends. */
#include "common/stream.h"

#include <endian.h>
#include <string.h>

#define WORD sizeof(uint64_t)

static uint64_t word_at(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return htole64(z ^ z >> 31);
}

/* The part of a word that lies in the piece: from pos to the end of the word, at most len bytes. */
static size_t part(uint64_t pos, size_t len)
{
    size_t rest = WORD - pos % WORD;

    return rest < len ? rest : len;
}

void stream_fill(uint64_t seed, uint64_t pos, void *buf, size_t len)
{
    uint8_t *to = buf;

    while (len) {
        uint64_t word = word_at(seed, pos / WORD);
        size_t n = part(pos, len);

        memcpy(to, (uint8_t *)&word + pos % WORD, n);
        to += n;
        pos += n;
        len -= n;
    }
}

bool stream_check(uint64_t seed, uint64_t pos, const void *buf, size_t len)
{
    const uint8_t *from = buf;

    while (len) {
        uint64_t word = word_at(seed, pos / WORD);
        size_t n = part(pos, len);

        if (memcmp(from, (uint8_t *)&word + pos % WORD, n))
            return false;
        from += n;
        pos += n;
        len -= n;
    }
    return true;
}
