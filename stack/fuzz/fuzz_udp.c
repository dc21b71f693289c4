/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP datagrams, with and without the checksum: the length is within the datagram, what was read is written
 * back and read again. */
#include "fuzz.h"

#include "wire/udp.h"

static void check(const uint8_t *data, size_t size, bool csum_ok)
{
    struct udp_hdr h, again;
    uint8_t *out;

    if (udp_parse(data, (uint32_t)size, 0x0a000001, 0x0a000002, csum_ok, &h) != ST_OK)
        return;
    FUZZ_CHECK(h.len >= UDP_HDR_LEN && h.len <= size);
    out = malloc(h.len);
    memcpy(out, data, h.len);
    udp_emit(out, &h, 1, 2);
    FUZZ_CHECK(udp_parse(out, h.len, 1, 2, false, &again) == ST_OK);
    FUZZ_CHECK(memcmp(&h, &again, sizeof(h)) == 0);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size, false);
    check(data, size, true);
    return 0;
}
