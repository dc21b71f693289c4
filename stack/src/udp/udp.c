/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP sockets and ports. A port may be held once for each local address and once for any address; a datagram
 * goes to the most specific one. Invariant: a socket is in the port table exactly while local.port != 0. */
#include "udp/udp.h"

#include <stdlib.h>

#include "udp/udp_priv.h"

#define SOCKS_PER_CHUNK 64u

enum status udp_create(const struct udp_params *params, const struct udp_ops *ops, void *ctx,
                       struct udp **out)
{
    unsigned range = params->ephemeral_last - params->ephemeral_first + 1u;
    struct udp *udp;

    if (params->max_socks == 0 || params->ephemeral_first == 0 ||
        params->ephemeral_first > params->ephemeral_last)
        return ST_INVALID;
    udp = calloc(1, sizeof(*udp));
    if (!udp)
        return ST_NO_MEMORY;
    udp->params = *params;
    udp->ops = ops;
    udp->ctx = ctx;
    udp->next_ephemeral = (uint16_t)(params->seed % range);
    list_init(&udp->all);
    pool_init(&udp->socks, sizeof(struct udp_sock), SOCKS_PER_CHUNK, params->max_socks);
    if (hash_table_init(&udp->ports, params->max_socks) != ST_OK) {
        free(udp);
        return ST_NO_MEMORY;
    }
    *out = udp;
    return ST_OK;
}

void udp_destroy(struct udp *udp)
{
    if (!udp)
        return;
    list_for_each_safe(l, &udp->all)
        udp_sock_destroy(container_of(l, struct udp_sock, link));
    hash_table_fini(&udp->ports);
    pool_fini(&udp->socks);
    free(udp);
}

const struct udp_counters *udp_get_counters(const struct udp *udp)
{
    return &udp->count;
}

enum status udp_sock_create(struct udp *udp, void *owner, struct udp_sock **out)
{
    struct udp_sock *s = pool_get(&udp->socks);

    if (!s)
        return ST_NO_MEMORY;
    s->udp = udp;
    s->owner = owner;
    list_push_back(&udp->all, &s->link);
    byte_ring_init(&s->rcvq, udp->params.rcvbuf_bytes);
    *out = s;
    return ST_OK;
}

void udp_sock_destroy(struct udp_sock *s)
{
    if (s->local.port) {
        hash_table_remove(&s->udp->ports, &s->node);
        if (s->udp->ops->port_bound)
            s->udp->ops->port_bound(s->udp->ctx, s->local.port, false);
    }
    list_remove(&s->link);
    byte_ring_fini(&s->rcvq);
    pool_put(&s->udp->socks, s);
}

void *udp_sock_owner(const struct udp_sock *s)
{
    return s->owner;
}

static struct udp_sock *sock_of(struct hash_node *n)
{
    return container_of(n, struct udp_sock, node);
}

/* How well a socket fits a datagram; 0 = not at all. */
static unsigned fit(const struct udp_sock *s, struct udp_addr local, struct udp_addr from)
{
    unsigned score = 1;

    if (s->local.addr) {
        if (s->local.addr != local.addr)
            return 0;
        score += 1;
    }
    if (s->connected) {
        if (s->peer.addr != from.addr || s->peer.port != from.port)
            return 0;
        score += 2;
    }
    return score;
}

struct udp_sock *udp_lookup(const struct udp *udp, struct udp_addr local, struct udp_addr from)
{
    struct udp_sock *best = NULL;
    unsigned best_score = 0;

    hash_table_for_each(n, &udp->ports, local.port) {
        unsigned score = fit(sock_of(n), local, from);

        if (score > best_score) {
            best = sock_of(n);
            best_score = score;
        }
    }
    return best;
}

static void take_port(struct udp_sock *s, struct udp_addr local)
{
    s->local = local;
    hash_table_insert(&s->udp->ports, &s->node, local.port);
    if (s->udp->ops->port_bound)
        s->udp->ops->port_bound(s->udp->ctx, local.port, true);
}

enum status udp_bind_ephemeral(struct udp_sock *s)
{
    struct udp *udp = s->udp;
    unsigned range = udp->params.ephemeral_last - udp->params.ephemeral_first + 1u;

    for (unsigned tries = 0; tries < range; tries++) {
        uint16_t port = (uint16_t)(udp->params.ephemeral_first + udp->next_ephemeral);

        udp->next_ephemeral = (uint16_t)((udp->next_ephemeral + 1u) % range);
        if (hash_table_first(&udp->ports, port))
            continue;
        take_port(s, (struct udp_addr){s->local.addr, port});
        return ST_OK;
    }
    return ST_NO_ADDRESS;
}

enum status udp_sock_bind(struct udp_sock *s, struct udp_addr local)
{
    ipv4_addr_t src;
    uint16_t mtu;

    if (s->local.port)
        return ST_INVALID;
    if (local.addr && (s->udp->ops->route(s->udp->ctx, local.addr, &src, &mtu) != ST_OK || src != local.addr))
        return ST_NO_ADDRESS;
    if (local.port == 0) {
        s->local.addr = local.addr;
        return udp_bind_ephemeral(s);
    }
    hash_table_for_each(n, &s->udp->ports, local.port) {
        const struct udp_sock *other = sock_of(n);
        ipv4_addr_t bound = other->addr_by_connect ? 0 : other->local.addr;

        if (bound == local.addr)
            return ST_ADDRESS_IN_USE;
    }
    take_port(s, local);
    return ST_OK;
}

enum status udp_sock_connect(struct udp_sock *s, struct udp_addr peer)
{
    ipv4_addr_t src;
    uint16_t mtu;
    enum status st;

    if (peer.addr == 0 || peer.port == 0)
        return ST_INVALID;
    st = s->udp->ops->route(s->udp->ctx, peer.addr, &src, &mtu);
    if (st == ST_OK && !s->local.port)
        st = udp_bind_ephemeral(s);
    if (st != ST_OK)
        return st;
    if (!s->local.addr || s->addr_by_connect) {
        s->local.addr = src;
        s->addr_by_connect = true;
    }
    s->peer = peer;
    s->connected = true;
    return ST_OK;
}

void udp_sock_local(const struct udp_sock *s, struct udp_addr *out)
{
    *out = s->local;
}

bool udp_sock_peer(const struct udp_sock *s, struct udp_addr *out)
{
    *out = s->peer;
    return s->connected;
}
