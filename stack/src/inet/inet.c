/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making and ending the internet layer and its workers; the timers. */
#include "inet/inet.h"

#include <stdlib.h>
#include <string.h>

#include "base/minmax.h"
#include "inet/inet_priv.h"

#define MAX_ASKS 32u

static bool addr_is_host(ipv4_addr_t a)
{
    return a >> 24 != 0 && !ipv4_is_loopback(a) && a >> 28 < 0xe;
}

static bool on_link(const struct inet_params *p, ipv4_addr_t a)
{
    return ((a ^ p->addr) & route_mask(p->prefix_len)) == 0;
}

static enum status refuse(const struct inet_params *p, const char *what, ipv4_addr_t addr)
{
    char str[IPV4_STR_LEN];

    log_say(p->log, LOG_ERROR, "%s: %s", what, ipv4_to_str(addr, str));
    return ST_INVALID;
}

static enum status check_params(const struct inet_params *p)
{
    if (!addr_is_host(p->addr))
        return refuse(p, "not an address that a host can have", p->addr);
    if (p->prefix_len == 0 || p->prefix_len > 32)
        return refuse(p, "the prefix length of the address is not within 1..32", p->addr);
    if (p->mtu < 68) /* RFC 791 3.2 */
        return refuse(p, "the MTU is below 68 bytes", p->addr);
    for (size_t i = 0; i < p->num_routes; i++) {
        const struct inet_route *r = &p->routes[i];

        if (r->prefix_len > 32)
            return refuse(p, "the prefix length of a route is above 32", r->prefix);
        if (r->gateway && (!on_link(p, r->gateway) || r->gateway == p->addr))
            return refuse(p, "the gateway of a route is not a neighbour on our network", r->gateway);
    }
    for (size_t i = 0; i < p->num_static_arp; i++)
        if (!addr_is_host(p->static_arp[i].addr) || eth_addr_is_multicast(p->static_arp[i].mac))
            return refuse(p, "a static ARP entry is not of one host", p->static_arp[i].addr);
    return ST_OK;
}

static enum status make_routes(struct inet *inet, const struct inet_params *p)
{
    struct inet_route *all = calloc(p->num_routes + 1, sizeof(*all));
    enum status st;

    if (!all)
        return ST_NO_MEMORY;
    all[0] = (struct inet_route){p->addr & route_mask(p->prefix_len), p->prefix_len, 0};
    if (p->num_routes)
        memcpy(all + 1, p->routes, p->num_routes * sizeof(*all));
    st = route_table_init(&inet->routes, all, p->num_routes + 1);
    free(all);
    return st;
}

static enum status make_tables(struct inet *inet, const struct inet_params *p)
{
    enum status st = make_routes(inet, p);

    if (st == ST_OK)
        st = neigh_table_create(&inet->neigh);
    for (size_t i = 0; st == ST_OK && i < p->num_static_arp; i++) {
        st = neigh_add_static(inet->neigh, p->static_arp[i].addr, p->static_arp[i].mac);
        if (st == ST_EXISTS)
            refuse(p, "two static ARP entries for one address", p->static_arp[i].addr);
    }
    return st;
}

enum status inet_create(const struct inet_params *p, struct inet **out)
{
    enum status st = check_params(p);
    struct inet *inet;

    if (st != ST_OK)
        return st;
    inet = calloc(1, sizeof(*inet));
    if (!inet)
        return ST_NO_MEMORY;
    inet->mac = p->mac;
    inet->mac_word = eth_addr_word(p->mac);
    inet->addr = p->addr;
    inet->prefix_len = p->prefix_len;
    inet->broadcast = p->prefix_len < 31 ? p->addr | ~route_mask(p->prefix_len) : 0;
    inet->mtu = p->mtu;
    inet->log = p->log;
    inet->log_conflict = true;
    st = make_tables(inet, p);
    if (st != ST_OK) {
        inet_destroy(inet);
        return st;
    }
    *out = inet;
    return ST_OK;
}

void inet_destroy(struct inet *inet)
{
    if (!inet)
        return;
    neigh_table_destroy(inet->neigh);
    route_table_fini(&inet->routes);
    free(inet);
}

enum status inet_worker_create(struct inet *inet, const struct inet_ops *ops, void *ctx,
                               struct inet_worker **out)
{
    struct inet_worker *iw = calloc(1, sizeof(*iw));

    if (!iw)
        return ST_NO_MEMORY;
    iw->inet = inet;
    iw->ops = ops;
    iw->ctx = ctx;
    iw->poll_us = UINT64_MAX;
    iw->announce = inet->num_workers++ == 0;
    iw->icmp_tokens_us = UINT64_MAX;
    pkt_queue_init(&iw->local);
    reass_init(&iw->reass, &iw->count);
    for (unsigned i = 0; i < PENDING_HOPS; i++)
        pkt_queue_init(&iw->pending[i].queue);
    *out = iw;
    return ST_OK;
}

void inet_worker_destroy(struct inet_worker *iw)
{
    if (!iw)
        return;
    for (unsigned i = 0; i < PENDING_HOPS; i++)
        pkt_queue_free(&iw->pending[i].queue);
    pkt_queue_free(&iw->local);
    reass_fini(&iw->reass);
    iw->inet->num_workers--;
    free(iw);
}

static bool answers_may_wait(const struct inet_worker *iw)
{
    return iw->num_pending && neigh_generation(iw->inet->neigh) != iw->seen_generation;
}

uint64_t inet_worker_next_deadline(const struct inet_worker *iw)
{
    uint64_t next_us = neigh_next_deadline(iw->inet->neigh);

    if (iw->announce || iw->local.count || answers_may_wait(iw))
        return 0;
    return min_u64(min_u64(iw->poll_us, next_us), reass_next_deadline(&iw->reass));
}

/* Tells the network who has our address (RFC 5227 3), so that switches and stale caches learn of us. */
static void announce(struct inet_worker *iw)
{
    struct arp_pkt arp = {.op = ARP_REQUEST,
                          .sender_mac = iw->inet->mac,
                          .sender_addr = iw->inet->addr,
                          .target_addr = iw->inet->addr};

    iw->announce = false;
    inet_arp_send(iw, &arp, ETH_BROADCAST);
}

static void reass_timers(struct inet_worker *iw, uint64_t now_us)
{
    struct reass_expired about;
    bool tell;

    while (reass_expire(&iw->reass, now_us, &about, &tell))
        if (tell)
            inet_icmp_time_exceeded(iw, &about, now_us);
}

void inet_worker_timers(struct inet_worker *iw, uint64_t now_us)
{
    struct neigh_ask asks[MAX_ASKS];
    unsigned n = neigh_timers(iw->inet->neigh, now_us, asks, MAX_ASKS);

    for (unsigned i = 0; i < n; i++)
        inet_arp_ask(iw, &asks[i]);
    if (iw->announce)
        announce(iw);
    if (answers_may_wait(iw))
        inet_pending_check(iw, now_us);
    iw->poll_us = iw->num_pending && iw->inet->num_workers > 1 ? now_us + PENDING_POLL_US : UINT64_MAX;
    reass_timers(iw, now_us);
    inet_local_deliver(iw, now_us);
}

enum status inet_route_lookup(const struct inet *inet, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu)
{
    ipv4_addr_t hop;

    if (dst == 0 || ipv4_is_loopback(dst) || (dst != inet->addr && !route_next_hop(&inet->routes, dst, &hop)))
        return ST_NO_ROUTE;
    *src = inet->addr;
    *mtu = inet->mtu;
    return ST_OK;
}

bool inet_is_local(const struct inet *inet, ipv4_addr_t addr)
{
    return addr == inet->addr;
}

const struct inet_counters *inet_worker_counters(const struct inet_worker *iw)
{
    return &iw->count;
}
