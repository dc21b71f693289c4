/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See places.h. */
#include "testing/designs/places.h"

#include <stdlib.h>
#include <string.h>

static const struct place all[] = {
    {"direct", 1, 1}, {"direct", 2, 2}, {"direct", 3, 3}, {"direct", 4, 4}, {"shared", 1, 1},
    {"shared", 2, 1}, {"shared", 3, 1}, {"shared", 4, 1}, {"shared", 4, 2}, {"shared", 2, 3},
    {"1kb", 1, 1},    {"1kb", 2, 1},    {"1kb", 3, 1},    {"1kb", 4, 1},    {"1kb", 2, 2},
    {"2kb", 1, 1},    {"2kb", 2, 1},    {"2kb", 3, 1},    {"2kb", 4, 1},    {"2kb", 3, 2},
    {"auto", 1, 1},   {"auto", 4, 1},   {"auto", 2, 2},
};

size_t places_list(struct place out[PLACES_MAX])
{
    const char *only = getenv("VNFLAB_DESIGNS");
    size_t n = 0;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (!only || strstr(only, all[i].design))
            out[n++] = all[i];
    return n;
}

struct twin_params place_params(const struct place *p)
{
    struct twin_side_params side = {.design = p->design, .workers = p->workers, .queues = p->queues};

    return (struct twin_params){.side = {side, side}, .spread = CABLE_BY_FLOW};
}
