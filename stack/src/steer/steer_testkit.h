/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames for the tests of this folder and the bench: made from nothing, counted, freed one by one. */
#ifndef STEER_TESTKIT_H
#define STEER_TESTKIT_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/pkt.h"
#include "steer/steer.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define KIT_FRAME_LEN 64u
#define KIT_TAG_AT 56u /* 8 bytes of the test's own */

static const struct eth_hdr kit_eth = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}, ETH_TYPE_IPV4};

/** Writes KIT_FRAME_LEN bytes of a frame as the flow's peer sends it; returns that length. */
static inline uint32_t kit_frame(uint8_t *out, const struct steer_flow *f, uint8_t tcp_flags)
{
    struct ipv4_hdr ip = {.src = f->peer, .dst = f->local, .ttl = 64, .proto = f->proto};
    uint8_t *l4 = out + ETH_HDR_LEN + IPV4_HDR_LEN;

    memset(out, 0, KIT_FRAME_LEN);
    eth_emit(out, &kit_eth);
    ip.total_len = KIT_FRAME_LEN - ETH_HDR_LEN;
    ipv4_emit(out + ETH_HDR_LEN, &ip);
    put_be16(l4, f->peer_port);
    put_be16(l4 + 2, f->local_port);
    if (f->proto == IP_PROTO_TCP) {
        l4[12] = 0x50;
        l4[13] = tcp_flags;
    } else {
        put_be16(l4 + 4, KIT_FRAME_LEN - ETH_HDR_LEN - IPV4_HDR_LEN);
    }
    return KIT_FRAME_LEN;
}

struct kit_pkt {
    struct pkt pkt;
    atomic_int *live;
    uint8_t mem[KIT_FRAME_LEN];
};

static inline void kit_release(struct pkt *p)
{
    struct kit_pkt *k = p->owner;

    atomic_fetch_sub(k->live, 1);
    free(k);
}

/** A packet of the flow with a tag; counted in *live while it lives. */
static inline struct pkt *kit_pkt(atomic_int *live, const struct steer_flow *f, uint8_t tcp_flags,
                                  uint64_t tag)
{
    struct kit_pkt *k = calloc(1, sizeof(*k));

    if (!k)
        abort();
    k->live = live;
    k->pkt = (struct pkt){
        .buf = k->mem, .data = k->mem, .size = KIT_FRAME_LEN, .release = kit_release, .owner = k};
    k->pkt.len = kit_frame(k->mem, f, tcp_flags);
    memcpy(k->mem + KIT_TAG_AT, &tag, sizeof(tag));
    atomic_fetch_add(live, 1);
    return &k->pkt;
}

static inline uint64_t kit_tag(const struct pkt *p)
{
    uint64_t tag;

    memcpy(&tag, p->data + KIT_TAG_AT, sizeof(tag));
    return tag;
}

#endif
