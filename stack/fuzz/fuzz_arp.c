/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ARP packets: what was read is written back the same. */
#include "fuzz.h"

#include "wire/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[ARP_PKT_LEN];
    struct arp_pkt a;

    if (arp_parse(data, (uint32_t)size, &a) != ST_OK)
        return 0;
    arp_emit(out, &a);
    FUZZ_CHECK(memcmp(out, data, sizeof(out)) == 0);
    return 0;
}
