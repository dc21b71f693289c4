/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See rss_gfni.h. The library's own question, rte_thash_gfni_supported(), says how the library was built;
 * Debian's was built for any processor. */
#define ALLOW_EXPERIMENTAL_API
#define ALLOW_INTERNAL_API /* its public inline functions call internal ones */
#include "netif/dpdk/rss_gfni.h"

#include <rte_thash.h>
#include <rte_thash_gfni.h>

bool rss_gfni_works(void)
{
#ifdef RTE_THASH_GFNI_DEFINED
    return __builtin_cpu_supports("gfni") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi");
#else
    return false;
#endif
}

uint32_t rss_gfni(const uint8_t *key, unsigned key_len, const uint8_t *tuple, unsigned len)
{
    uint64_t matrices[64];

    rte_thash_complete_matrix(matrices, key, (int)key_len);
    return rte_thash_gfni(matrices, tuple, (int)len);
}
