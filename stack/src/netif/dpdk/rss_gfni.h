/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DPDK's Toeplitz hash with Galois-field instructions, for a test: compiled apart, because the file needs
 * instructions that not every processor has. */
#ifndef NETIF_DPDK_RSS_GFNI_H
#define NETIF_DPDK_RSS_GFNI_H

#include <stdbool.h>
#include <stdint.h>

/** Whether the processor and the compiler have what rss_gfni() needs. */
bool rss_gfni_works(void);
/** The hash of a tuple in network order; key_len at most 64 bytes. */
uint32_t rss_gfni(const uint8_t *key, unsigned key_len, const uint8_t *tuple, unsigned len);

#endif
