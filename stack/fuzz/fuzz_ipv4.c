/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv4 headers, with and without the checksum: lengths are within the packet, what was read is written back
 * and read again. */
#include "fuzz.h"

#include "wire/ipv4.h"

static void check(const uint8_t *data, size_t size, bool csum_ok)
{
    struct ipv4_hdr h, again;
    uint8_t out[IPV4_HDR_LEN];

    if (ipv4_parse(data, (uint32_t)size, csum_ok, &h) != ST_OK)
        return;
    FUZZ_CHECK(h.hdr_len >= IPV4_HDR_LEN && h.hdr_len <= h.total_len && h.total_len <= size);
    h.total_len = IPV4_HDR_LEN;
    ipv4_emit(out, &h);
    FUZZ_CHECK(ipv4_parse(out, sizeof(out), false, &again) == ST_OK);
    FUZZ_CHECK(again.src == h.src && again.dst == h.dst && again.proto == h.proto && again.ttl == h.ttl);
    FUZZ_CHECK(again.frag_offset == h.frag_offset && again.more_frags == h.more_frags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size, false);
    check(data, size, true);
    return 0;
}
