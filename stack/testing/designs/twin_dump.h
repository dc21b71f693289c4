/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a run that hangs looked like: workers, connections, counters. Looks at the workers from outside their
 * threads, so it is for a program that is about to end. */
#ifndef TESTING_DESIGNS_TWIN_DUMP_H
#define TESTING_DESIGNS_TWIN_DUMP_H

#include <stdio.h>

struct twin;

void twin_dump(struct twin *t, FILE *out);

#endif
