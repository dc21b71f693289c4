/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counts of values in buckets that are at most 1/128 wide, for quantiles of latencies. Any unit. */
#ifndef APPS_HISTOGRAM_H
#define APPS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
    uint64_t count, min, max;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

struct json;

void histogram_add(struct histogram *h, uint64_t value);
/** The same as to add it so many times. */
void histogram_add_many(struct histogram *h, uint64_t value, uint64_t times);
void histogram_merge(struct histogram *into, const struct histogram *from);
/** The value that a share q (0 to 1) of all values does not exceed, 0 when there are none. */
uint64_t histogram_quantile(const struct histogram *h, double q);
/** "key":{"min":..,"p50":..,"p99":..,"p999":..,"max":..} */
void histogram_json(const struct histogram *h, struct json *j, const char *key);

#endif
