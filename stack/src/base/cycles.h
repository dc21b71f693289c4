/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A clock that costs next to nothing to read, for shares of time: the CPU's own counter where user space may
 * read it. Its unit is the machine's; only ratios mean anything. Not ordered with the instructions around it:
 * fine over thousands of cycles. */
#ifndef BASE_CYCLES_H
#define BASE_CYCLES_H

#include <stdint.h>

#if defined(__x86_64__)
static inline uint64_t cycles_now(void)
{
    return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
static inline uint64_t cycles_now(void)
{
    uint64_t count;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
}
#else
#include <time.h>

static inline uint64_t cycles_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}
#endif

#endif
