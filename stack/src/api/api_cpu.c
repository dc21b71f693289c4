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
#include "steer/flow_hash.h"

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

uint32_t GetRSSHash(in_addr_t sip, in_addr_t dip, in_port_t sp, in_port_t dp)
{
    return flow_hash_ipv4(sip, dip, sp, dp);
}

int GetRSSCPUCore(in_addr_t sip, in_addr_t dip, in_port_t sp, in_port_t dp, int num_queues)
{
    if (num_queues < 1)
        return 0;
    return (int)(GetRSSHash(sip, dip, sp, dp) % RSS_TABLE_SIZE % (unsigned)num_queues);
}
