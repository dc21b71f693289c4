/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See histogram.h. Values below 128 have buckets of their own; above, each power of two is cut into 128. */
#include "common/histogram.h"

#include "common/json.h"

#define SUB (UINT64_C(1) << HISTOGRAM_SUB_BITS)

static unsigned bucket_of(uint64_t v)
{
    unsigned shift;

    if (v < SUB)
        return (unsigned)v;
    shift = 63 - (unsigned)__builtin_clzll(v) - HISTOGRAM_SUB_BITS;
    return ((shift + 1) << HISTOGRAM_SUB_BITS) + (unsigned)((v >> shift) - SUB);
}

/** The largest value of a bucket. */
static uint64_t bucket_top(unsigned b)
{
    unsigned shift;

    if (b < SUB)
        return b;
    shift = (b >> HISTOGRAM_SUB_BITS) - 1;
    return ((SUB + (b & (SUB - 1)) + 1) << shift) - 1;
}

void histogram_add_many(struct histogram *h, uint64_t value, uint64_t times)
{
    if (times == 0)
        return;
    if (h->count == 0 || value < h->min)
        h->min = value;
    if (value > h->max)
        h->max = value;
    h->count += times;
    h->bucket[bucket_of(value)] += times;
}

void histogram_add(struct histogram *h, uint64_t value)
{
    histogram_add_many(h, value, 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    into->count += from->count;
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
        into->bucket[b] += from->bucket[b];
}

uint64_t histogram_quantile(const struct histogram *h, double q)
{
    uint64_t seen = 0, wanted = (uint64_t)(q * (double)h->count);

    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
        seen += h->bucket[b];
        if (seen > wanted || (seen == h->count && seen > 0))
            return bucket_top(b) < h->max ? bucket_top(b) : h->max;
    }
    return 0;
}

void histogram_json(const struct histogram *h, struct json *j, const char *key)
{
    json_open(j, key, '{');
    json_u64(j, "min", h->min);
    json_u64(j, "p50", histogram_quantile(h, 0.5));
    json_u64(j, "p99", histogram_quantile(h, 0.99));
    json_u64(j, "p999", histogram_quantile(h, 0.999));
    json_u64(j, "max", h->max);
    json_close(j, '}');
}
