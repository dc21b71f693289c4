/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HashLB: spreads frames over a list of gates by a hash of their flow. Frames of one direction of a flow
 * leave by one gate, in their order; a gate that is listed k times gets k shares.
 *
 * What a flow is, by mode: l2, the MAC addresses; l3, the IPv4 addresses; l4, those, the protocol and, of
 * TCP, UDP and SCTP, the ports. A fragment, the first one too, has no ports here, so that all of a datagram
 * stay together. What the mode cannot read (l3 and l4: whatever is no untagged IPv4, ARP above all; frames
 * cut short) leaves by the first gate of the list. Only the first buffer of a chained frame is read.
 *
 * The hash has no key: a run's flows lie on the same gates in each repetition, and a sender who aims all
 * of its flows at one gate harms nobody but whom it could flood anyway.
 *
 * args: mode (enum mode), then the gates. Commands: set_mode MODE, set_gates GATE...
 */
#include "module.h"

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_jhash.h>

#define MAX_SHARES 128 /* as many as a port may have queues */

enum mode { MODE_L2, MODE_L3, MODE_L4, N_MODES };

struct hash_lb {
    enum mode mode;
    uint32_t n_gates;
    uint16_t gates[MAX_SHARES];
};

static int set_mode(struct hash_lb *h, int64_t mode)
{
    if (mode < 0 || mode >= N_MODES)
        return -EINVAL;
    h->mode = mode;
    return 0;
}

static int set_gates(struct hash_lb *h, const int64_t *gates, unsigned n)
{
    if (n < 1 || n > MAX_SHARES)
        return -EINVAL;
    for (unsigned i = 0; i < n; i++) {
        if (gates[i] < 0 || gates[i] >= DP_MAX_GATES)
            return -EINVAL;
    }
    for (unsigned i = 0; i < n; i++)
        h->gates[i] = gates[i];
    h->n_gates = n;
    return 0;
}

static int hash_lb_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    int ret;

    (void)dp;
    if (n_args < 1)
        return -EINVAL;
    ret = set_mode(m->priv, args[0]);
    return ret != 0 ? ret : set_gates(m->priv, args + 1, n_args - 1);
}

static int hash_lb_command(struct module *m, const char *name, const int64_t *args, unsigned n_args,
                           int64_t *result)
{
    (void)result;
    if (strcmp(name, "set_mode") == 0 && n_args == 1)
        return set_mode(m->priv, args[0]);
    if (strcmp(name, "set_gates") == 0)
        return set_gates(m->priv, args, n_args);
    return -EOPNOTSUPP;
}

/* ---- packets ---- */

static bool hash_l2(const uint8_t *frame, uint32_t len, uint32_t *hash)
{
    uint32_t macs[3]; /* both addresses are twelve bytes in a row */

    if (len < RTE_ETHER_HDR_LEN)
        return false;
    memcpy(macs, frame, sizeof(macs));
    *hash = rte_jhash_3words(macs[0], macs[1], macs[2], 0);
    return true;
}

/* The header of an IPv4 packet that is no shorter than it says: its length. 0: there is none. */
static uint32_t ipv4_header(const uint8_t *frame, uint32_t len, struct rte_ipv4_hdr *ip)
{
    struct rte_ether_hdr eth;
    uint32_t ip_len;

    if (len < sizeof(eth) + sizeof(*ip))
        return 0;
    memcpy(&eth, frame, sizeof(eth));
    if (eth.ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
        return 0;
    memcpy(ip, frame + sizeof(eth), sizeof(*ip));
    ip_len = (ip->version_ihl & RTE_IPV4_HDR_IHL_MASK) * RTE_IPV4_IHL_MULTIPLIER;
    if (ip->version_ihl >> 4 != IPVERSION || ip_len < sizeof(*ip) || len < sizeof(eth) + ip_len)
        return 0;
    return ip_len;
}

/* Both ports as they stand in the frame; 0 for what has none or is only a part of its datagram. */
static uint32_t ports_of(const uint8_t *frame, uint32_t len, const struct rte_ipv4_hdr *ip, uint32_t ip_len)
{
    uint32_t at = RTE_ETHER_HDR_LEN + ip_len, ports;

    if (ip->next_proto_id != IPPROTO_TCP && ip->next_proto_id != IPPROTO_UDP &&
        ip->next_proto_id != IPPROTO_SCTP)
        return 0;
    if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
        return 0;
    if (len < at + sizeof(ports))
        return 0;
    memcpy(&ports, frame + at, sizeof(ports));
    return ports;
}

/* False: the mode cannot read it. */
static bool hash_of(enum mode mode, const struct rte_mbuf *pkt, uint32_t *hash)
{
    const uint8_t *frame = rte_pktmbuf_mtod(pkt, const uint8_t *);
    uint32_t len = rte_pktmbuf_data_len(pkt), ip_len;
    struct rte_ipv4_hdr ip;

    if (mode == MODE_L2)
        return hash_l2(frame, len, hash);
    ip_len = ipv4_header(frame, len, &ip);
    if (ip_len == 0)
        return false;
    if (mode == MODE_L3)
        *hash = rte_jhash_2words(ip.src_addr, ip.dst_addr, 0);
    else
        *hash =
            rte_jhash_3words(ip.src_addr, ip.dst_addr, ports_of(frame, len, &ip, ip_len), ip.next_proto_id);
    return true;
}

static void hash_lb_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    const struct hash_lb *h = m->priv;
    uint16_t gates[DP_BURST_MAX];

    (void)igate;
    for (uint16_t i = 0; i < b->n; i++) {
        uint32_t hash;

        /* By the hash's upper bits: spares a division, and shares are equal whatever their number. */
        gates[i] =
            hash_of(h->mode, b->pkt[i], &hash) ? h->gates[((uint64_t)hash * h->n_gates) >> 32] : h->gates[0];
    }
    module_send_each(ctx, m, gates, b);
}

const struct module_class hash_lb_class = {
    .name = "HashLB",
    .igates = 1,
    .ogates = DP_MAX_GATES,
    .priv_size = sizeof(struct hash_lb),
    .init = hash_lb_init,
    .command = hash_lb_command,
    .process = hash_lb_process,
};
