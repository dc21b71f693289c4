/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small numbers handed out lowest first, as descriptors are: a bitmap of free numbers with a second bitmap
 * over its words. Taking costs a look at one summary bit for each 4096 numbers at most, giving back is O(1).
 */
#ifndef SOCK_IDMAP_H
#define SOCK_IDMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct idmap {
    unsigned size; /**< numbers are 0 .. size - 1 */
    unsigned used;
    uint64_t *free;    /**< bit = the number is free */
    uint64_t *summary; /**< bit = the word of `free` has a free number */
};

enum status idmap_init(struct idmap *m, unsigned size);
void idmap_fini(struct idmap *m);
/** The lowest free number, -1 when all are taken. */
int idmap_take(struct idmap *m);
void idmap_give(struct idmap *m, unsigned id);
bool idmap_taken(const struct idmap *m, unsigned id);

#endif
