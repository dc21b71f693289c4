/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMP messages: what was read is written back the same. */
#include "fuzz.h"

#include "wire/icmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct icmp_hdr h, again;
    uint8_t *out;

    if (icmp_parse(data, (uint32_t)size, &h) != ST_OK)
        return 0;
    out = malloc(size);
    memcpy(out, data, size);
    icmp_emit(out, &h, (uint32_t)(size - ICMP_HDR_LEN));
    FUZZ_CHECK(icmp_parse(out, (uint32_t)size, &again) == ST_OK);
    FUZZ_CHECK(again.type == h.type && again.code == h.code && again.rest == h.rest);
    free(out);
    return 0;
}
