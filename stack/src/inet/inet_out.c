/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv4 out (RFC 1122 3.3.1): route, header, next hop's MAC, frame. Packets whose next hop is not resolved yet
 * wait in bounded queues of the worker (RFC 1122 2.3.2.2). Packets are never fragmented: DF is set and the
 * identification stays meaningless (RFC 6864 4.1). */
#include <string.h>

#include "base/byteorder.h"
#include "base/checksum.h"
#include "inet/inet_priv.h"

/* In a frame: fields of the IPv4 header that path_send() fills in. */
enum { OFF_IPV4_LEN = ETH_HDR_LEN + 2, OFF_IPV4_CSUM = ETH_HDR_LEN + 10 };

static void send_frame(struct inet_worker *iw, struct pkt *pkt, struct eth_addr to)
{
    struct eth_hdr eth = {.dst = to, .src = iw->inet->mac, .type = ETH_TYPE_IPV4};

    pkt_push(pkt, ETH_HDR_LEN); /* inet_output() has made sure of the room */
    eth_emit(pkt->data, &eth);
    iw->count.tx_ipv4++;
    iw->ops->xmit(iw->ctx, pkt);
}

static ipv4_addr_t packet_dst(const struct pkt *pkt)
{
    struct ipv4_hdr ip;

    return ipv4_parse(pkt->data, pkt->len, true, &ip) == ST_OK ? ip.dst : 0;
}

/* The next hop is dead: everything that waited for it goes, and the layers above hear of each destination. */
static void give_up(struct inet_worker *iw, struct pkt_queue *queue, uint64_t now_us)
{
    ipv4_addr_t told = 0;

    for (struct pkt *pkt; (pkt = pkt_queue_pop(queue));) {
        ipv4_addr_t dst = packet_dst(pkt);

        inet_drop(&iw->count.drop_arp_failed, pkt);
        if (dst != told && iw->ops->unreachable)
            iw->ops->unreachable(iw->ctx, dst, now_us);
        told = dst;
    }
}

void inet_pending_check(struct inet_worker *iw, uint64_t now_us)
{
    iw->seen_generation = neigh_generation(iw->inet->neigh);
    for (unsigned i = 0; i < PENDING_HOPS; i++) {
        struct pkt_queue ready, *q = &iw->pending[i].queue;
        enum neigh_result r;
        struct eth_addr mac;

        if (!q->count)
            continue;
        r = neigh_query(iw->inet->neigh, iw->pending[i].hop, &mac);
        if (r == NEIGH_WAIT)
            continue;
        /* The slot is emptied first: what follows may send, and so wait for the same hop again. */
        pkt_queue_init(&ready);
        for (struct pkt *pkt; (pkt = pkt_queue_pop(q)); iw->num_pending--)
            pkt_queue_push(&ready, pkt);
        if (r == NEIGH_NONE)
            give_up(iw, &ready, now_us);
        for (struct pkt *pkt; (pkt = pkt_queue_pop(&ready));)
            send_frame(iw, pkt, mac);
    }
}

/* The queue for a hop, or a free one; NULL when the worker waits for too many. */
static struct pending_hop *pending_slot(struct inet_worker *iw, ipv4_addr_t hop)
{
    struct pending_hop *free_slot = NULL;

    for (unsigned i = 0; i < PENDING_HOPS; i++) {
        struct pending_hop *p = &iw->pending[i];

        if (p->queue.count && p->hop == hop)
            return p;
        if (!p->queue.count)
            free_slot = p;
    }
    if (free_slot)
        free_slot->hop = hop;
    return free_slot;
}

static enum status wait_for_hop(struct inet_worker *iw, struct pkt *pkt, ipv4_addr_t hop, uint64_t now_us)
{
    struct pending_hop *p = pending_slot(iw, hop);
    struct neigh_ask ask = {hop, ETH_BROADCAST};
    enum neigh_result r = NEIGH_NONE;
    struct eth_addr mac;

    if (p && p->queue.count >= PENDING_PER_HOP) { /* the oldest is worth least */
        inet_drop(&iw->count.drop_arp_queue_full, pkt_queue_pop(&p->queue));
        iw->num_pending--;
    }
    if (p && iw->num_pending < PENDING_TOTAL)
        r = neigh_resolve(iw->inet->neigh, hop, now_us, &mac);
    if (r == NEIGH_RESOLVED) {
        send_frame(iw, pkt, mac);
        return ST_OK;
    }
    if (r == NEIGH_NONE) {
        inet_drop(&iw->count.drop_arp_queue_full, pkt);
        return ST_AGAIN;
    }
    if (iw->num_pending++ == 0 && iw->inet->num_workers > 1)
        iw->poll_us = now_us + PENDING_POLL_US;
    pkt_queue_push(&p->queue, pkt);
    if (r == NEIGH_ASK)
        inet_arp_ask(iw, &ask);
    return ST_OK;
}

static enum status send_local(struct inet_worker *iw, struct pkt *pkt)
{
    if (iw->local.count >= LOCAL_QUEUE) {
        inet_drop(&iw->count.drop_local_queue_full, pkt);
        return ST_AGAIN;
    }
    iw->count.tx_ipv4++;
    pkt_queue_push(&iw->local, pkt);
    return ST_OK;
}

/* The IPv4 packet is complete; finds the way to dst. */
static enum status send_packet(struct inet_worker *iw, struct pkt *pkt, ipv4_addr_t dst, uint64_t now_us)
{
    const struct inet *inet = iw->inet;
    struct eth_addr mac;
    ipv4_addr_t hop;

    if (dst == inet->addr)
        return send_local(iw, pkt);
    if (ipv4_is_broadcast(dst) || (inet->broadcast && dst == inet->broadcast)) {
        send_frame(iw, pkt, ETH_BROADCAST);
        return ST_OK;
    }
    if (ipv4_is_multicast(dst)) { /* RFC 1112 6.4 */
        mac = (struct eth_addr){{0x01, 0, 0x5e, dst >> 16 & 0x7f, dst >> 8 & 0xff, dst & 0xff}};
        send_frame(iw, pkt, mac);
        return ST_OK;
    }
    if (dst == 0 || ipv4_is_loopback(dst) || !route_next_hop(&inet->routes, dst, &hop)) {
        inet_drop(&iw->count.drop_no_route, pkt);
        return ST_NO_ROUTE;
    }
    if (!neigh_lookup(inet->neigh, hop, &mac))
        return wait_for_hop(iw, pkt, hop, now_us);
    send_frame(iw, pkt, mac);
    return ST_OK;
}

/* ---- the usual case: a neighbour whose headers are ready ---- */

static struct path *path_of(struct inet_worker *iw, const struct ipv4_hdr *ip)
{
    return &iw->paths[((ip->dst ^ ip->proto) * 0x9e3779b1u) >> 26]; /* PATHS = 2^6 */
}

static bool path_fits(const struct inet_worker *iw, const struct path *path, const struct ipv4_hdr *ip,
                      uint64_t now_us)
{
    return path->dst == ip->dst && path->src == ip->src && path->proto == ip->proto &&
           now_us < path->until_us && path->version == neigh_version(iw->inet->neigh);
}

/* Makes the headers ready if the MAC of the next hop is known. */
static bool path_prepare(struct inet_worker *iw, struct path *path, const struct ipv4_hdr *ip,
                         uint64_t now_us)
{
    const struct inet *inet = iw->inet;
    struct eth_hdr eth = {.src = inet->mac, .type = ETH_TYPE_IPV4};
    struct ipv4_hdr hdr = *ip;
    ipv4_addr_t hop;

    path->until_us = 0;
    path->version = neigh_version(inet->neigh); /* before the look-up: a later change must count */
    if (ip->dst == inet->addr || ip->dst == inet->broadcast || ipv4_is_broadcast(ip->dst) ||
        ipv4_is_multicast(ip->dst) || ipv4_is_loopback(ip->dst) || !ip->dst ||
        !route_next_hop(&inet->routes, ip->dst, &hop) || !neigh_lookup(inet->neigh, hop, &eth.dst))
        return false;
    hdr.total_len = 0;
    eth_emit(path->frame, &eth);
    ipv4_emit(path->frame + ETH_HDR_LEN, &hdr);
    put_be16(path->frame + OFF_IPV4_CSUM, 0);
    path->sum = checksum_add(0, path->frame + ETH_HDR_LEN, IPV4_HDR_LEN);
    path->src = ip->src;
    path->dst = ip->dst;
    path->proto = ip->proto;
    path->until_us = now_us + PATH_CHECK_US;
    return true;
}

static void path_send(struct inet_worker *iw, const struct path *path, struct pkt *pkt, uint16_t total_len)
{
    uint8_t *out = pkt_push(pkt, sizeof(path->frame)); /* inet_output() has made sure of the room */

    memcpy(out, path->frame, sizeof(path->frame));
    put_be16(out + OFF_IPV4_LEN, total_len);
    /* From the value, not from memory: reading back what was just written waits until the line is ours. */
    put_be16(out + OFF_IPV4_CSUM, checksum_finish(checksum_fold((uint64_t)path->sum + be16(total_len).raw)));
    iw->count.tx_ipv4++;
    iw->ops->xmit(iw->ctx, pkt);
}

enum status inet_output(struct inet_worker *iw, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst,
                        uint8_t proto, uint64_t now_us)
{
    struct ipv4_hdr ip = {.src = src ? src : iw->inet->addr,
                          .dst = dst,
                          .total_len = (uint16_t)(pkt->len + IPV4_HDR_LEN),
                          .dont_frag = true,
                          .ttl = INET_TTL,
                          .proto = proto};
    struct path *path = path_of(iw, &ip);

    if (pkt->len + IPV4_HDR_LEN > iw->inet->mtu && !(pkt->flags & PKT_TX_SEG)) {
        inet_drop(&iw->count.drop_too_big, pkt);
        return ST_TOO_BIG;
    }
    if (pkt_headroom(pkt) < IPV4_HDR_LEN + ETH_HDR_LEN) {
        inet_drop(&iw->count.drop_no_headroom, pkt);
        return ST_INVALID;
    }
    if (path_fits(iw, path, &ip, now_us) || path_prepare(iw, path, &ip, now_us)) {
        path_send(iw, path, pkt, ip.total_len);
        return ST_OK;
    }
    pkt_push(pkt, IPV4_HDR_LEN);
    ipv4_emit(pkt->data, &ip);
    return send_packet(iw, pkt, dst, now_us);
}
