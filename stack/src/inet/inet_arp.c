/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ARP packets in and out (RFC 826). A stranger gets into the table only by asking for our address; everybody
 * else can only refresh what is there, and nobody can change a static entry. */
#include "inet/inet_priv.h"

void inet_arp_send(struct inet_worker *iw, const struct arp_pkt *arp, struct eth_addr to)
{
    struct eth_hdr eth = {.dst = to, .src = iw->inet->mac, .type = ETH_TYPE_ARP};
    struct pkt *pkt = iw->ops->alloc(iw->ctx);
    uint8_t *out = pkt ? pkt_put(pkt, ARP_PKT_LEN) : NULL;

    if (!out || !pkt_push(pkt, ETH_HDR_LEN)) {
        inet_drop(&iw->count.drop_no_buffer, pkt);
        return;
    }
    arp_emit(out, arp);
    eth_emit(pkt->data, &eth);
    iw->count.tx_arp_requests += arp->op == ARP_REQUEST;
    iw->count.tx_arp_replies += arp->op == ARP_REPLY;
    iw->ops->xmit(iw->ctx, pkt);
}

void inet_arp_ask(struct inet_worker *iw, const struct neigh_ask *ask)
{
    struct arp_pkt arp = {.op = ARP_REQUEST,
                          .sender_mac = iw->inet->mac,
                          .sender_addr = iw->inet->addr,
                          .target_addr = ask->addr};

    if (!eth_addr_is_broadcast(ask->to))
        arp.target_mac = ask->to;
    inet_arp_send(iw, &arp, ask->to);
}

static void report_conflict(struct inet *inet, const struct arp_pkt *arp)
{
    const uint8_t *m = arp->sender_mac.b;
    char str[IPV4_STR_LEN];

    if (!__atomic_exchange_n(&inet->log_conflict, false, __ATOMIC_RELAXED))
        return;
    log_say(inet->log, LOG_WARN, "%02x:%02x:%02x:%02x:%02x:%02x has our address %s too", m[0], m[1], m[2],
            m[3], m[4], m[5], ipv4_to_str(inet->addr, str));
}

/* Whether the sender's addresses can be those of a neighbour. */
static bool sender_is_plausible(const struct inet *inet, const struct eth_hdr *eth, const struct arp_pkt *arp)
{
    ipv4_addr_t a = arp->sender_addr;

    if (!eth_addr_equal(eth->src, arp->sender_mac) || eth_addr_is_multicast(arp->sender_mac))
        return false;
    if (a == 0) /* a probe asks without claiming anything (RFC 5227 2.1.1) */
        return arp->op == ARP_REQUEST;
    return !ipv4_is_loopback(a) && a >> 28 < 0xe && a != inet->broadcast;
}

static void learn_sender(struct inet_worker *iw, const struct arp_pkt *arp, uint64_t now_us)
{
    const struct inet *inet = iw->inet;
    bool neighbour = ((arp->sender_addr ^ inet->addr) & route_mask(inet->prefix_len)) == 0;
    bool asks_us = arp->op == ARP_REQUEST && arp->target_addr == inet->addr;

    if (arp->sender_addr == 0)
        return;
    switch (neigh_learn(inet->neigh, arp->sender_addr, arp->sender_mac, neighbour && asks_us, now_us)) {
    case NEIGH_STATIC:
        iw->count.drop_arp_static++;
        break;
    case NEIGH_CHANGED:
        iw->count.arp_changed++;
        break;
    case NEIGH_IGNORED:
    case NEIGH_CONFIRMED:
        break;
    }
    if (iw->num_pending)
        inet_pending_check(iw, now_us);
}

void inet_arp_input(struct inet_worker *iw, const struct eth_hdr *eth, struct pkt *pkt, uint64_t now_us)
{
    const struct inet *inet = iw->inet;
    struct arp_pkt arp, reply;

    if (arp_parse(pkt->data, pkt->len, &arp) != ST_OK || !sender_is_plausible(inet, eth, &arp)) {
        inet_drop(&iw->count.drop_arp_bad, pkt);
        return;
    }
    if (arp.sender_addr == inet->addr) {
        report_conflict(iw->inet, &arp);
        inet_drop(&iw->count.drop_arp_conflict, pkt);
        return;
    }
    pkt_free(pkt); /* before anything is sent, so that an empty pool has one for the reply */
    iw->count.rx_arp++;
    learn_sender(iw, &arp, now_us);
    if (arp.op != ARP_REQUEST || arp.target_addr != inet->addr)
        return;
    reply = (struct arp_pkt){.op = ARP_REPLY,
                             .sender_mac = inet->mac,
                             .sender_addr = inet->addr,
                             .target_mac = arp.sender_mac,
                             .target_addr = arp.sender_addr};
    inet_arp_send(iw, &reply, arp.sender_mac);
}
