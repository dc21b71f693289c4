/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The internet layer between two recorders. */
#include "testing/inet_world.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TIMER_ROUNDS 10000000

static struct pkt *world_alloc(void *ctx)
{
    struct world_port *p = ctx;

    return test_pkt_alloc(&p->world->pkts);
}

static void record(struct world_frame *list, unsigned *num, struct world_frame frame)
{
    if (*num < WORLD_FRAMES)
        list[(*num)++] = frame;
    else
        pkt_free(frame.pkt);
}

static void world_xmit(void *ctx, struct pkt *pkt)
{
    struct world_port *p = ctx;
    struct world_frame f = {.worker = p->worker, .pkt = pkt};

    eth_parse(pkt->data, pkt->len, &f.eth);
    if (f.eth.type == ETH_TYPE_ARP)
        arp_parse(pkt->data + ETH_HDR_LEN, pkt->len - ETH_HDR_LEN, &f.arp);
    else
        ipv4_parse(pkt->data + ETH_HDR_LEN, pkt->len - ETH_HDR_LEN, false, &f.ip);
    record(p->world->sent, &p->world->num_sent, f);
}

static void world_deliver(void *ctx, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    struct world_port *p = ctx;
    struct world_frame f = {.worker = p->worker, .pkt = pkt, .ip = *ip};

    (void)now_us;
    record(p->world->delivered, &p->world->num_delivered, f);
}

static void world_unreachable(void *ctx, ipv4_addr_t dst, uint64_t now_us)
{
    struct world_port *p = ctx;

    (void)now_us;
    p->world->num_unreachable++;
    p->world->last_unreachable = dst;
}

static const struct inet_ops world_ops = {
    .alloc = world_alloc, .xmit = world_xmit, .deliver = world_deliver, .unreachable = world_unreachable};

struct eth_addr world_mac(unsigned n)
{
    return (struct eth_addr){{2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
}

struct inet_world *inet_world_create(void)
{
    const struct inet_route route = {0, 0, WORLD_GATEWAY};
    const struct inet_arp_entry entry = {WORLD_STATIC, world_mac(99)};
    struct inet_params params = {.mac = world_mac(1),
                                 .addr = WORLD_ADDR,
                                 .prefix_len = 24,
                                 .mtu = 1500,
                                 .routes = &route,
                                 .num_routes = 1,
                                 .static_arp = &entry,
                                 .num_static_arp = 1};

    return inet_world_create_with(&params);
}

struct inet_world *inet_world_create_with(const struct inet_params *params)
{
    struct inet_world *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->pkts.room = 1514;
    w->now_us = 1000000;
    if (inet_create(params, &w->inet) != ST_OK) {
        free(w);
        return NULL;
    }
    for (unsigned i = 0; i < WORLD_WORKERS; i++) {
        w->port[i] = (struct world_port){.world = w, .worker = i};
        inet_worker_create(w->inet, &world_ops, &w->port[i], &w->port[i].iw);
    }
    inet_world_run(w, 1);
    inet_world_forget(w);
    return w;
}

void inet_world_forget(struct inet_world *w)
{
    while (w->num_sent)
        pkt_free(w->sent[--w->num_sent].pkt);
    while (w->num_delivered)
        pkt_free(w->delivered[--w->num_delivered].pkt);
}

size_t inet_world_destroy(struct inet_world *w)
{
    size_t leaked;

    inet_world_forget(w);
    for (unsigned i = 0; i < WORLD_WORKERS; i++)
        inet_worker_destroy(w->port[i].iw);
    inet_destroy(w->inet);
    leaked = w->pkts.live;
    free(w);
    return leaked;
}

void inet_world_run(struct inet_world *w, uint64_t duration_us)
{
    uint64_t end_us = w->now_us + duration_us;

    for (unsigned round = 0; round < MAX_TIMER_ROUNDS; round++) {
        uint64_t next_us = UINT64_MAX;

        for (unsigned i = 0; i < WORLD_WORKERS; i++) {
            uint64_t d = inet_worker_next_deadline(w->port[i].iw);

            next_us = d < next_us ? d : next_us;
        }
        if (next_us > end_us)
            break;
        if (next_us > w->now_us)
            w->now_us = next_us;
        for (unsigned i = 0; i < WORLD_WORKERS; i++)
            if (inet_worker_next_deadline(w->port[i].iw) <= w->now_us)
                inet_worker_timers(w->port[i].iw, w->now_us);
    }
    w->now_us = end_us;
}

void world_input(struct inet_world *w, unsigned worker, const void *frame, size_t len)
{
    inet_input(w->port[worker].iw, test_pkt_from(&w->pkts, frame, len), w->now_us);
}

void world_input_arp(struct inet_world *w, unsigned worker, const struct arp_pkt *arp, struct eth_addr to)
{
    struct eth_hdr eth = {to, arp->sender_mac, ETH_TYPE_ARP};
    uint8_t frame[ETH_HDR_LEN + ARP_PKT_LEN];

    eth_emit(frame, &eth);
    arp_emit(frame + ETH_HDR_LEN, arp);
    world_input(w, worker, frame, sizeof(frame));
}

void world_input_reply(struct inet_world *w, unsigned worker, unsigned n)
{
    struct arp_pkt arp = {ARP_REPLY, world_mac(n), world_mac(1), (WORLD_ADDR & ~0xffu) | n, WORLD_ADDR};

    world_input_arp(w, worker, &arp, world_mac(1));
}

void world_input_ip(struct inet_world *w, unsigned worker, struct ipv4_hdr ip, const void *payload,
                    size_t len)
{
    struct eth_hdr eth = {world_mac(1), world_mac(2), ETH_TYPE_IPV4};
    uint8_t frame[2048];

    ip.total_len = (uint16_t)(IPV4_HDR_LEN + len);
    eth_emit(frame, &eth);
    ipv4_emit(frame + ETH_HDR_LEN, &ip);
    if (len)
        memcpy(frame + ETH_HDR_LEN + IPV4_HDR_LEN, payload, len);
    world_input(w, worker, frame, ETH_HDR_LEN + IPV4_HDR_LEN + len);
}

enum status world_output(struct inet_world *w, unsigned worker, ipv4_addr_t dst, size_t len)
{
    struct pkt *pkt = test_pkt_alloc(&w->pkts);

    memset(pkt_put(pkt, (uint32_t)len), 0x5a, len);
    return inet_output(w->port[worker].iw, pkt, 0, dst, IP_PROTO_UDP, w->now_us);
}
