/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lists of CPUs as the kernel writes them: 0-3,8. */
#ifndef BENCH_NOISE_CPUS_H
#define BENCH_NOISE_CPUS_H

#ifndef _GNU_SOURCE
#error "sched.h has CPU sets for _GNU_SOURCE alone"
#endif
#include <sched.h>
#include <stdbool.h>

/** False when it is no such list. */
bool cpus_parse(const char *text, cpu_set_t *out);

#endif
