/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers of cpu.h and rss.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "cpu.h"
#include "rss.h"

#define RSS_TABLE_SIZE 128u

int GetNumCPUs(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : (int)n;
}

int CoreAffinitize(int cpu)
{
    cpu_set_t set;
    int rc;

    if (cpu < 0 || cpu >= CPU_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    rc = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    errno = rc ? rc : errno;
    return rc ? -1 : 0;
}

/** Toeplitz hash of the flow's 12 bytes. The key is 6d5a repeated: 16 bits of period make it the same for
 * both directions, since addresses and ports each swap places at a distance of 16 or 32 bits. */
uint32_t GetRSSHash(in_addr_t sip, in_addr_t dip, in_port_t sp, in_port_t dp)
{
    const uint32_t words[3] = {sip, dip, (uint32_t)sp << 16 | dp};
    uint32_t window = 0x6d5a6d5a, hash = 0;

    for (unsigned w = 0; w < 3; w++)
        for (unsigned bit = 0; bit < 32; bit++) {
            if (words[w] >> (31 - bit) & 1)
                hash ^= window;
            window = window << 1 | window >> 31;
        }
    return hash;
}

int GetRSSCPUCore(in_addr_t sip, in_addr_t dip, in_port_t sp, in_port_t dp, int num_queues)
{
    if (num_queues < 1)
        return 0;
    return (int)(GetRSSHash(sip, dip, sp, dp) % RSS_TABLE_SIZE % (unsigned)num_queues);
}
