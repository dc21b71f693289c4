/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames in: Ethernet filter, IPv4 checks (RFC 1122 3.2.1), demultiplexing. A packet is dropped by exactly
 * one counter or handed on. */
#include "base/byteorder.h"
#include "inet/inet_priv.h"

static bool is_broadcast(const struct inet *inet, ipv4_addr_t a)
{
    return ipv4_is_broadcast(a) || (inet->broadcast && a == inet->broadcast);
}

/* Sources that no packet from the network can have (RFC 1122 3.2.1.3): outside 1.0.0.0 to 223.255.255.255,
 * loopback, our broadcast address (when it is 0 we have none, and nobody else has 0), ourselves. */
static bool source_is_martian(const struct inet *inet, ipv4_addr_t src)
{
    return src - 0x01000000u >= 0xdf000000u || ipv4_is_loopback(src) || src == inet->broadcast ||
           src == inet->addr;
}

/* The counter of the reason to drop a packet whose destination is not just our address, NULL when it is for
 * us. */
static uint64_t *refuse_by_dst(struct inet_worker *iw, const struct ipv4_hdr *ip, bool link_broadcast)
{
    const struct inet *inet = iw->inet;

    if (ip->dst == inet->addr)
        return link_broadcast ? &iw->count.drop_ip_broadcast : NULL; /* RFC 1122 3.3.6 */
    if (!is_broadcast(inet, ip->dst))
        return &iw->count.drop_ip_dst;
    return ip->proto == IP_PROTO_UDP ? NULL : &iw->count.drop_ip_broadcast;
}

/* The counter of the reason to drop a packet that was well formed, NULL when it is for us. */
static uint64_t *ipv4_refuse(struct inet_worker *iw, const struct ipv4_hdr *ip, bool link_broadcast)
{
    if (source_is_martian(iw->inet, ip->src))
        return &iw->count.drop_ip_src;
    return ip->dst != iw->inet->addr || link_broadcast ? refuse_by_dst(iw, ip, link_broadcast) : NULL;
}

/* A packet for us: the header goes, the protocol takes the rest. */
static void hand_up(struct inet_worker *iw, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    iw->count.rx_ipv4++;
    pkt_trim(pkt, ip->total_len); /* what is behind is padding of the frame */
    pkt_pull(pkt, ip->hdr_len);
    if (ip->proto == IP_PROTO_ICMP)
        inet_icmp_input(iw, ip, pkt, now_us);
    else
        iw->ops->deliver(iw->ctx, ip, pkt, now_us);
}

/* A fragment; when it completes a datagram that is this worker's, that goes up. */
static void fragment_input(struct inet_worker *iw, const struct ipv4_hdr *frag, struct pkt *pkt,
                           uint64_t now_us)
{
    struct ipv4_hdr ip;

    pkt = reass_input(&iw->reass, frag, pkt, now_us);
    if (!pkt)
        return;
    if (ipv4_parse(pkt->data, pkt->len, true, &ip) != ST_OK) {
        inet_drop(&iw->count.drop_ip_bad, pkt);
        return;
    }
    if (!iw->ops->reassembled || !iw->ops->reassembled(iw->ctx, &ip, pkt))
        hand_up(iw, &ip, pkt, now_us);
}

static void ipv4_input(struct inet_worker *iw, struct pkt *pkt, bool link_broadcast, uint64_t now_us)
{
    struct ipv4_hdr ip;
    enum status st = ipv4_parse(pkt->data, pkt_total(pkt), pkt->flags & PKT_RX_IP_CSUM_OK, &ip);
    uint64_t *reason;

    if (st != ST_OK) {
        inet_drop(st == ST_BAD_CHECKSUM ? &iw->count.drop_ip_checksum : &iw->count.drop_ip_bad, pkt);
        return;
    }
    reason = ipv4_refuse(iw, &ip, link_broadcast);
    if (reason) {
        inet_drop(reason, pkt);
        return;
    }
    if (__builtin_expect(ip.more_frags || ip.frag_offset, 0))
        fragment_input(iw, &ip, pkt, now_us);
    else
        hand_up(iw, &ip, pkt, now_us);
}

void inet_input(struct inet_worker *iw, struct pkt *frame, uint64_t now_us)
{
    const struct inet *inet = iw->inet;
    uint64_t dst, src;
    struct eth_hdr eth;
    uint16_t type;
    bool broadcast;

    iw->count.rx_frames++;
    if (frame->len < ETH_HDR_LEN) {
        inet_drop(&iw->count.drop_eth_short, frame);
        return;
    }
    dst = eth_addr_load(frame->data);
    src = eth_addr_load(frame->data + 6);
    type = get_be16(frame->data + 12);
    broadcast = eth_addr_is_multicast_word(dst);
    if (!broadcast && dst != inet->mac_word) {
        inet_drop(&iw->count.drop_eth_dst, frame);
        return;
    }
    if (src == inet->mac_word) {
        inet_drop(&iw->count.drop_eth_own, frame);
        return;
    }
    if (type == ETH_TYPE_ARP)
        eth_parse(frame->data, frame->len, &eth);
    pkt_pull(frame, ETH_HDR_LEN);
    if (type == ETH_TYPE_IPV4)
        ipv4_input(iw, frame, broadcast, now_us);
    else if (type == ETH_TYPE_ARP)
        inet_arp_input(iw, &eth, frame, now_us);
    else
        inet_drop(&iw->count.drop_eth_type, frame);
}

void inet_local_deliver(struct inet_worker *iw, uint64_t now_us)
{
    /* Only what was there at the begin: an answer to ourselves waits for the next turn. */
    for (unsigned n = iw->local.count; n; n--) {
        struct pkt *pkt = pkt_queue_pop(&iw->local);
        struct ipv4_hdr ip;

        if (ipv4_parse(pkt->data, pkt->len, true, &ip) != ST_OK) {
            inet_drop(&iw->count.drop_ip_bad, pkt);
            continue;
        }
        pkt->flags |= PKT_RX_L4_CSUM_OK;
        hand_up(iw, &ip, pkt, now_us);
    }
}
