/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What must not be guessed from outside: initial sequence numbers (RFC 6528), timestamp offsets (RFC 7323
 * 5.4), where the search for an ephemeral port begins (RFC 6056 3.3.3) and the keys of the flow table's hash.
 * All are SipHash over the four-tuple and a word that keeps the purposes apart. */
#include "base/siphash.h"
#include "tcp/tcp_internal.h"

enum purpose { PURPOSE_FLOW_A = 1, PURPOSE_ISN = 2, PURPOSE_PORT = 3, PURPOSE_FLOW_B = 4 };

static uint64_t tuple_hash(const struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer,
                           enum purpose purpose)
{
    uint32_t words[4] = {local.addr, peer.addr, (uint32_t)local.port << 16 | peer.port, purpose};

    return siphash24(tcp->params.isn_key, words, sizeof(words));
}

void tcp_flow_keys(struct tcp *tcp)
{
    struct tcp_endpoint none = {0, 0};

    tcp->flow_key[0] = tuple_hash(tcp, none, none, PURPOSE_FLOW_A);
    tcp->flow_key[1] = tuple_hash(tcp, none, none, PURPOSE_FLOW_B);
}

seq_t tcp_isn(const struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer, uint64_t now_us,
              uint32_t *ts_offset)
{
    uint64_t h = tuple_hash(tcp, local, peer, PURPOSE_ISN);

    *ts_offset = (uint32_t)(h >> 32);
    return (seq_t)(h + now_us / 4); /* M of RFC 6528: one every 4 microseconds */
}

uint32_t tcp_port_offset(const struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    local.port = 0;
    return (uint32_t)tuple_hash(tcp, local, peer, PURPOSE_PORT);
}
