/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What happened between two samples of a stack, as a table for people or as one JSON line. */
#ifndef MTCPSTAT_REPORT_H
#define MTCPSTAT_REPORT_H

#include "mtcpstat/stack_file.h"

void report_table(const struct stack_file *f, const struct sample *from, const struct sample *to,
                  bool buckets);
/** {"event":"stack",...}: rates per second, shares of cycles, and all counters as they stand. */
void report_json(const struct stack_file *f, const struct sample *from, const struct sample *to,
                 bool buckets);

#endif
