/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The designs and numbers of workers that tests go through. */
#ifndef TESTING_DESIGNS_PLACES_H
#define TESTING_DESIGNS_PLACES_H

#include <stddef.h>

#include "testing/designs/twin.h"

#define PLACES_MAX 64u

struct place {
    const char *design;
    unsigned workers, queues; /**< of both ends */
};

/** All places, or those of the designs that VNFLAB_DESIGNS names; how many. */
size_t places_list(struct place out[PLACES_MAX]);
/** Both ends alike. */
struct twin_params place_params(const struct place *p);

#endif
