/* SPDX-License-Identifier: BSD-3-Clause */
/* See impair.h. */
#include "impair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_LIMIT_BYTES 16384
#define NS_PER_S 1000000000ULL

/* ---- chance: xoshiro256**, seeded by splitmix64 (Blackman and Vigna) ---- */

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t rng_next(struct impair_rng *r)
{
    uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static void rng_seed(struct impair_rng *r, uint64_t *state)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(state);
}

/* In [0, n). */
static uint64_t rng_below(struct impair_rng *r, uint64_t n)
{
    return ((unsigned __int128)rng_next(r) * n) >> 64;
}

/* Draws only where there is something to decide. */
static bool happens(struct impair_rng *r, uint32_t probability)
{
    return probability > 0 && rng_below(r, IMPAIR_CERTAIN) < probability;
}

/* The deviation from the delay. */
static int64_t deviation(struct impair *im)
{
    uint64_t jitter = im->cfg.jitter_ns;
    int64_t sum = 0;

    if (im->cfg.jitter_kind == IMPAIR_UNIFORM)
        return (int64_t)rng_below(&im->jitter, 2 * jitter + 1) - (int64_t)jitter;
    /* Twelve uniform numbers have variance 1 together: close to normal, and no floating point. */
    for (int i = 0; i < 3; i++) {
        uint64_t word = rng_next(&im->jitter);

        for (int k = 0; k < 4; k++, word >>= 16)
            sum += (int64_t)(word & 0xffff);
    }
    sum -= 6 * 0xffff;
    return (int64_t)((__int128)sum * (int64_t)jitter / 0xffff);
}

/* ---- the heap ---- */

static bool before(const struct impair_held *a, const struct impair_held *b)
{
    return a->release_ns != b->release_ns ? a->release_ns < b->release_ns : a->seq < b->seq;
}

static void sift_up(struct impair_held *h, uint32_t i)
{
    struct impair_held moving = h[i];

    while (i > 0 && before(&moving, &h[(i - 1) / 2])) {
        h[i] = h[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h[i] = moving;
}

static void sift_down(struct impair_held *h, uint32_t n, uint32_t i)
{
    struct impair_held moving = h[i];

    for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(&h[child + 1], &h[child]))
            child++;
        if (!before(&h[child], &moving))
            break;
        h[i] = h[child];
    }
    h[i] = moving;
}

static int make_room(struct impair *im, uint32_t room)
{
    struct impair_held *held;

    if (room <= im->room)
        return 0;
    held = realloc(im->held, room * sizeof(*held));
    if (held == NULL)
        return -ENOMEM;
    im->held = held;
    im->room = room;
    return 0;
}

/* ---- configuration ---- */

static bool in_range(const struct impair_config *c)
{
    return c->delay_ns <= IMPAIR_MAX_NS && c->jitter_ns <= IMPAIR_MAX_NS && c->loss <= IMPAIR_CERTAIN &&
           c->duplicate <= IMPAIR_CERTAIN && c->corrupt <= IMPAIR_CERTAIN && c->reorder <= IMPAIR_CERTAIN &&
           c->limit_packets <= IMPAIR_MAX_PACKETS && c->rate_bps <= 1000 * NS_PER_S;
}

static int configure(struct impair *im, const struct impair_config *cfg)
{
    uint64_t state = cfg->seed;
    int ret;

    if (!in_range(cfg))
        return -EINVAL;
    ret = make_room(im, cfg->limit_packets > 0 ? cfg->limit_packets : IMPAIR_DEFAULT_PACKETS);
    if (ret != 0)
        return ret;
    im->cfg = *cfg;
    if (cfg->limit_packets == 0)
        im->cfg.limit_packets = IMPAIR_DEFAULT_PACKETS;
    if (cfg->gap == 0)
        im->cfg.gap = 1;
    if (cfg->limit_bytes == 0)
        im->cfg.limit_bytes = cfg->rate_bps / 80 > MIN_LIMIT_BYTES ? cfg->rate_bps / 80 : MIN_LIMIT_BYTES;
    rng_seed(&im->loss, &state);
    rng_seed(&im->duplicate, &state);
    rng_seed(&im->corrupt, &state);
    rng_seed(&im->reorder, &state);
    rng_seed(&im->jitter, &state);
    im->since_reordered = 0;
    return 0;
}

int impair_init(struct impair *im, const struct impair_config *cfg)
{
    int ret;

    memset(im, 0, sizeof(*im));
    ret = configure(im, cfg);
    if (ret != 0)
        impair_free(im);
    return ret;
}

void impair_free(struct impair *im)
{
    free(im->held);
    im->held = NULL;
    im->n_held = im->room = 0;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

int impair_set(struct impair *im, const struct impair_config *cfg, uint64_t now_ns)
{
    uint64_t old_rate_bps = im->cfg.rate_bps, sent_ns = now_ns, latest;
    int ret = configure(im, cfg);

    if (ret != 0)
        return ret;
    if (cfg->rate_bps == old_rate_bps && im->busy_until_ns > now_ns)
        sent_ns = im->busy_until_ns; /* what waits for the limiter goes on waiting */
    latest = sent_ns + cfg->delay_ns + cfg->jitter_ns;
    for (uint32_t i = 0; i < im->n_held; i++)
        im->held[i].release_ns = at_most(im->held[i].release_ns, latest);
    for (uint32_t i = im->n_held / 2; i-- > 0;)
        sift_down(im->held, im->n_held, i);
    im->n.late_max_ns = 0;
    im->last_ns = at_most(im->last_ns, latest);
    im->busy_until_ns = at_most(im->busy_until_ns, sent_ns);
    return 0;
}

bool impair_is_idle(const struct impair *im)
{
    const struct impair_config *c = &im->cfg;

    return im->n_held == 0 && c->delay_ns == 0 && c->jitter_ns == 0 && c->rate_bps == 0 && c->loss == 0 &&
           c->duplicate == 0 && c->corrupt == 0;
}

/* ---- frames ---- */

bool impair_loses(struct impair *im)
{
    if (!happens(&im->loss, im->cfg.loss))
        return false;
    im->n.lost++;
    return true;
}

bool impair_duplicates(struct impair *im)
{
    return happens(&im->duplicate, im->cfg.duplicate);
}

int64_t impair_corrupts(struct impair *im, uint32_t from, uint32_t len_bytes)
{
    uint64_t bits = (uint64_t)len_bytes * 8;

    if (!happens(&im->corrupt, im->cfg.corrupt) || bits <= from)
        return -1;
    im->n.corrupted++;
    return from + rng_below(&im->corrupt, bits - from);
}

static bool goes_at_once(struct impair *im)
{
    if (im->cfg.reorder == 0)
        return false;
    if (im->since_reordered + 1 >= im->cfg.gap && happens(&im->reorder, im->cfg.reorder)) {
        im->since_reordered = 0;
        return true;
    }
    im->since_reordered++;
    return false;
}

/* When the frame is through the limiter; IMPAIR_NEVER if its queue is full. */
static uint64_t through_limiter(struct impair *im, uint32_t len_bytes, uint64_t now_ns)
{
    uint64_t rate = im->cfg.rate_bps, start = im->busy_until_ns > now_ns ? im->busy_until_ns : now_ns;
    uint64_t queued_bytes;

    if (rate == 0)
        return now_ns;
    queued_bytes = (unsigned __int128)(start - now_ns) * rate / (8 * NS_PER_S);
    if (queued_bytes + len_bytes > im->cfg.limit_bytes)
        return IMPAIR_NEVER;
    im->busy_until_ns = start + (unsigned __int128)len_bytes * 8 * NS_PER_S / rate;
    return im->busy_until_ns;
}

static uint64_t release_time(struct impair *im, uint64_t sent_ns)
{
    int64_t late = im->cfg.jitter_ns == 0 ? 0 : deviation(im);
    uint64_t delay = im->cfg.delay_ns, release;

    release = late < 0 && (uint64_t)-late > delay ? sent_ns : sent_ns + delay + late;
    if (im->cfg.jitter_ns == 0 || im->cfg.keep_order)
        release = release > im->last_ns ? release : im->last_ns;
    if (release > im->last_ns)
        im->last_ns = release;
    return release;
}

void impair_refuse(struct impair *im)
{
    im->n.limited++;
}

enum impair_fate impair_admit(struct impair *im, void *frame, uint16_t gate, uint32_t len_bytes,
                              uint64_t now_ns)
{
    uint64_t sent_ns, release_ns;

    if (goes_at_once(im)) {
        im->n.reordered++;
        return IMPAIR_PASS;
    }
    sent_ns = im->n_held < im->cfg.limit_packets ? through_limiter(im, len_bytes, now_ns) : IMPAIR_NEVER;
    if (sent_ns == IMPAIR_NEVER) {
        im->n.limited++;
        return IMPAIR_DROP;
    }
    release_ns = release_time(im, sent_ns);
    if (release_ns <= now_ns && im->n_held == 0)
        return IMPAIR_PASS;
    im->held[im->n_held] =
        (struct impair_held){.release_ns = release_ns, .seq = im->seq++, .frame = frame, .gate = gate};
    sift_up(im->held, im->n_held++);
    im->n.delayed++;
    return IMPAIR_HOLD;
}

uint64_t impair_due_ns(const struct impair *im)
{
    return im->n_held == 0 ? IMPAIR_NEVER : im->held[0].release_ns;
}

bool impair_release(struct impair *im, uint64_t now_ns, struct impair_held *out)
{
    uint64_t late_ns;

    if (im->n_held == 0 || im->held[0].release_ns > now_ns)
        return false;
    *out = im->held[0];
    late_ns = now_ns - out->release_ns;
    im->n.late_ns += late_ns;
    if (late_ns > im->n.late_max_ns)
        im->n.late_max_ns = late_ns;
    im->held[0] = im->held[--im->n_held];
    if (im->n_held > 0)
        sift_down(im->held, im->n_held, 0);
    im->n.released++;
    return true;
}
