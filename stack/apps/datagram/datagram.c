/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See datagram.h. Header, little-endian: magic (2), kind (1), zero (1), number (4), time (8). */
#include "datagram/datagram.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/stream.h"

const struct option datagram_words[] = {
    {"echo", no_argument, NULL, DATAGRAM_OPT_ECHO},
    {"fast", no_argument, NULL, DATAGRAM_OPT_FAST},
    {0},
};

#define MAGIC 0x4c56u /* "VL" */
#define WORD_BITS 64u

struct header {
    uint16_t magic;
    uint8_t kind, zero;
    uint32_t number;
    uint64_t sent_us;
};
_Static_assert(sizeof(struct header) == DATAGRAM_HEADER, "no padding");

void datagram_mark(const struct datagram *d, void *buf)
{
    struct header h = {htole16(MAGIC), (uint8_t)d->kind, 0, htole32(d->number), htole64(d->sent_us)};

    memcpy(buf, &h, sizeof(h));
}

void datagram_make(const struct datagram *d, void *buf, size_t len)
{
    datagram_mark(d, buf);
    stream_fill(d->number, 0, (uint8_t *)buf + DATAGRAM_HEADER, len - DATAGRAM_HEADER);
}

bool datagram_glance(const void *buf, size_t len, struct datagram *out)
{
    struct header h;

    if (len < sizeof(h))
        return false;
    memcpy(&h, buf, sizeof(h));
    *out = (struct datagram){(enum datagram_kind)h.kind, le32toh(h.number), le64toh(h.sent_us)};
    return le16toh(h.magic) == MAGIC && h.zero == 0 && h.kind >= DATAGRAM_DATA && h.kind <= DATAGRAM_END;
}

bool datagram_check(const void *buf, size_t len, struct datagram *out)
{
    return datagram_glance(buf, len, out) &&
           stream_check(out->number, 0, (const uint8_t *)buf + DATAGRAM_HEADER, len - DATAGRAM_HEADER);
}

bool flow_init(struct flow *f)
{
    *f = (struct flow){.window = calloc(FLOW_WINDOW / WORD_BITS, sizeof(uint64_t))};
    return f->window != NULL;
}

void flow_fini(struct flow *f)
{
    free(f->window);
}

static bool test_and_set(struct flow *f, uint32_t number)
{
    uint64_t *word = &f->window[number % FLOW_WINDOW / WORD_BITS], bit = UINT64_C(1) << number % WORD_BITS;
    bool was = *word & bit;

    *word |= bit;
    return was;
}

static void clear(struct flow *f, uint32_t number)
{
    f->window[number % FLOW_WINDOW / WORD_BITS] &= ~(UINT64_C(1) << number % WORD_BITS);
}

/* Forgets the numbers that leave the window when it moves up to number. */
static void advance(struct flow *f, uint32_t number)
{
    uint32_t step = number + 1 - f->highest;

    if (step >= FLOW_WINDOW)
        memset(f->window, 0, FLOW_WINDOW / 8);
    else
        for (uint32_t n = f->highest; n <= number; n++)
            clear(f, n);
    f->highest = number + 1;
}

bool flow_data(struct flow *f, uint32_t number)
{
    bool late = number < f->highest;

    if (number == UINT32_MAX) /* cannot be: the end marker could not count it */
        return false;
    if (!late)
        advance(f, number);
    if ((late && f->highest - number > FLOW_WINDOW) || test_and_set(f, number)) {
        f->duplicates++;
        return false;
    }
    f->unique++;
    f->reordered += late;
    if (!f->ended && f->highest > f->expected)
        f->expected = f->highest;
    return true;
}

void flow_end(struct flow *f, uint32_t total)
{
    f->ended = true;
    f->expected = total > f->highest ? total : f->highest;
}

uint32_t flow_lost(const struct flow *f)
{
    return f->expected > f->unique ? f->expected - f->unique : 0;
}
