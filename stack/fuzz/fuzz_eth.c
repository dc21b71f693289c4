/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ethernet headers: what was read is written back the same. */
#include "fuzz.h"

#include "wire/eth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[ETH_HDR_LEN];
    struct eth_hdr h;

    if (eth_parse(data, (uint32_t)size, &h) != ST_OK)
        return 0;
    eth_emit(out, &h);
    FUZZ_CHECK(memcmp(out, data, sizeof(out)) == 0);
    return 0;
}
