/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Receive-side scaling in software: the Toeplitz hash of a flow with a symmetric key, so that both directions
 * of a flow have the same hash. Addresses and ports in host order. */
#ifndef MTCP_RSS_H
#define MTCP_RSS_H

#include <netinet/in.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** 32-bit hash of a flow. */
uint32_t GetRSSHash(in_addr_t sip, in_addr_t dip, in_port_t sp, in_port_t dp);
/** Which of num_queues queues (at least 1) a table of 128 entries filled in turn gives the flow. */
int GetRSSCPUCore(in_addr_t sip, in_addr_t dip, in_port_t sp, in_port_t dp, int num_queues);

#ifdef __cplusplus
}
#endif

#endif
