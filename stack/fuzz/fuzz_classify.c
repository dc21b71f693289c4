/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frame -> flow: nothing beyond the frame is read; what comes out is one of the kinds, the same again, and
 * the hash is one of a flow exactly when there is one, that of the addresses and ports found. */
#include "fuzz.h"

#include "steer/classify.h"
#include "steer/flow_hash.h"

static void check(const uint8_t *frame, size_t size, uint32_t more)
{
    struct flow_class c, again;

    memset(&c, 0xaa, sizeof(c));
    memset(&again, 0x55, sizeof(again));
    flow_classify(frame, (uint32_t)size, more, &c);
    flow_classify(frame, (uint32_t)size, more, &again);
    FUZZ_CHECK(c.kind <= FLOW_UDP && c.kind == again.kind && c.hash == again.hash && c.proto == again.proto);
    FUZZ_CHECK((c.kind == FLOW_NONE) == (c.hash == FLOW_HASH_NONE));
    FUZZ_CHECK(c.proto == 0 || c.proto == 6 || c.proto == 17);
    if (!c.proto)
        return;
    FUZZ_CHECK(c.kind >= FLOW_TCP && (c.kind == FLOW_UDP) == (c.proto == 17));
    FUZZ_CHECK(c.hash == flow_hash_ipv4(be32_host(c.local), be32_host(c.peer), be16_host(c.local_port),
                                        be16_host(c.peer_port)));
    FUZZ_CHECK(c.local.raw == again.local.raw && c.peer.raw == again.peer.raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* ends where the input does */

    memcpy(copy, data, size);
    check(copy, size, 0);
    check(copy, size, 60000);
    free(copy);
    return 0;
}
