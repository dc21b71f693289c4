/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a flow's frames go: to the worker it is pinned to; else, when a flow begins here or is a datagram's,
 * to the bucket's worker if that one holds the port, or to one that does; else to the bucket's worker. With
 * STEER_DIRECT the queue's worker takes the place of the bucket's, except for ports of active opens. */
#include "steer/steer_priv.h"

/* The one of several holders that the bucket decides on; the multiplication keeps the choice apart from the
 * home, which neighbouring buckets have in turn. */
static unsigned pick_holder(uint64_t holders, uint32_t hash)
{
    unsigned n = (bucket_of_hash(hash) * 0x9e3779b1u >> 16) % (unsigned)__builtin_popcountll(holders);

    while (n--)
        holders &= holders - 1;
    return (unsigned)__builtin_ctzll(holders);
}

/* The worker whose range of ephemeral ports it is; STEER_NOBODY. */
static unsigned ephemeral_owner(const struct steer *s, uint16_t port)
{
    unsigned w;

    if (port < s->params.ephemeral_first || port > s->params.ephemeral_last || s->ephemeral_share == 0)
        return STEER_NOBODY;
    w = (port - s->params.ephemeral_first) / s->ephemeral_share;
    return w < s->params.num_workers ? w : STEER_NOBODY;
}

unsigned steer_route(struct steer *s, const struct flow_class *c, uint32_t entry, unsigned home)
{
    struct pin_key key;

    if ((entry & ENTRY_PINS) && pin_key_of_class(c, &key)) {
        unsigned w = bucket_pinned_to(&s->table, bucket_of_hash(c->hash), &key);

        if (w != STEER_NOBODY && steer_is_present(s, w))
            return w;
    }
    if (c->kind == FLOW_TCP_OPENING || c->kind == FLOW_UDP) {
        uint8_t proto = c->kind == FLOW_UDP ? IP_PROTO_UDP : IP_PROTO_TCP;
        uint64_t holders = ports_holders(&s->ports, proto, be16_host(c->local_port)) &
                           atomic_load_explicit(&s->present, memory_order_relaxed);

        if (holders)
            return home != STEER_NOBODY && (holders >> home & 1) ? home : pick_holder(holders, c->hash);
    }
    if (s->params.design == STEER_DIRECT && (c->kind == FLOW_TCP || c->kind == FLOW_UDP)) {
        unsigned w = ephemeral_owner(s, be16_host(c->local_port));

        if (w != STEER_NOBODY && steer_is_present(s, w))
            return w;
    }
    return home;
}

unsigned steer_route_anywhere(struct steer *s, const struct flow_class *c)
{
    uint32_t entry;

    if (c->kind == FLOW_NONE)
        return STEER_NOBODY;
    entry = bucket_entry(&s->table, bucket_of_hash(c->hash));
    if (s->params.design == STEER_DIRECT) {
        uint64_t all = atomic_load_explicit(&s->present, memory_order_relaxed);
        uint8_t proto = c->kind == FLOW_UDP ? IP_PROTO_UDP : IP_PROTO_TCP;
        struct pin_key key;

        /* Only the device knows when everybody present holds the port. */
        if ((c->kind == FLOW_TCP_OPENING || c->kind == FLOW_UDP) &&
            ports_holders(&s->ports, proto, be16_host(c->local_port)) == all &&
            !((entry & ENTRY_PINS) && pin_key_of_class(c, &key) &&
              bucket_pinned_to(&s->table, bucket_of_hash(c->hash), &key) != STEER_NOBODY))
            return STEER_NOBODY;
        return steer_route(s, c, entry, STEER_NOBODY);
    }
    return steer_route(s, c, entry, steer_stand_in(s, entry_home(entry)));
}

static void class_of_flow(const struct steer_flow *flow, bool opening, struct flow_class *c)
{
    *c = (struct flow_class){
        .hash = flow_hash_ipv4(flow->local, flow->peer, flow->local_port, flow->peer_port),
        .kind = FLOW_ADDRESSES,
        .local = be32(flow->local),
        .peer = be32(flow->peer),
        .local_port = be16(flow->local_port),
        .peer_port = be16(flow->peer_port),
    };
    if (flow->proto == IP_PROTO_TCP)
        c->kind = opening ? FLOW_TCP_OPENING : FLOW_TCP;
    else if (flow->proto == IP_PROTO_UDP)
        c->kind = FLOW_UDP;
    if (c->kind != FLOW_ADDRESSES)
        c->proto = flow->proto;
}

unsigned steer_target(struct steer *s, const struct steer_flow *flow, bool opening)
{
    struct flow_class c;

    class_of_flow(flow, opening, &c);
    return steer_route_anywhere(s, &c);
}

static bool owns_direct(struct steer *s, unsigned worker, const struct steer_flow *flow)
{
    unsigned w = ephemeral_owner(s, flow->local_port);
    uint64_t all = s->params.num_workers == 64 ? UINT64_MAX : (UINT64_C(1) << s->params.num_workers) - 1;

    if (w != STEER_NOBODY)
        return w == worker;
    return ports_holders(&s->ports, flow->proto, flow->local_port) == all;
}

static bool pinned_elsewhere(struct steer *s, unsigned worker, const struct steer_flow *flow, unsigned b)
{
    struct pin_key key;
    unsigned w;

    pin_key_of_flow(flow, &key);
    w = bucket_pinned_to(&s->table, b, &key);
    return w != STEER_NOBODY && w != worker;
}

/* Another worker has a connection of exactly this flow, or may have one that is not pinned yet. */
static bool taken_elsewhere(struct steer *s, unsigned worker, const struct steer_flow *flow, uint32_t entry,
                            unsigned b)
{
    if (entry & ENTRY_HOLD)
        return true;
    return (entry & ENTRY_PINS) && pinned_elsewhere(s, worker, flow, b);
}

bool steer_owns(struct steer *s, unsigned worker, const struct steer_flow *flow)
{
    struct flow_class c;
    uint32_t entry;
    unsigned b;

    if (s->params.num_workers == 1)
        return true;
    if (is_settling(s, worker) && ports_holders(&s->ports, flow->proto, flow->local_port) >> worker & 1)
        return false;
    class_of_flow(flow, false, &c);
    b = bucket_of_hash(c.hash);
    entry = bucket_entry(&s->table, b);
    if (s->params.design == STEER_DIRECT)
        return owns_direct(s, worker, flow) && !taken_elsewhere(s, worker, flow, entry, b);
    if (entry_home(entry) == worker)
        return !taken_elsewhere(s, worker, flow, entry, b);
    /* The entry is the next worker's already: it says nothing of what is pinned to that one. */
    return move_still_has(s, worker, b) && !pinned_elsewhere(s, worker, flow, b);
}

enum status steer_pin(struct steer *s, const struct steer_flow *flow, unsigned worker)
{
    struct flow_class c;
    struct pin_key key;

    class_of_flow(flow, false, &c);
    pin_key_of_flow(flow, &key);
    return bucket_pin(&s->table, bucket_of_hash(c.hash), &key, worker);
}

void steer_unpin(struct steer *s, const struct steer_flow *flow)
{
    struct flow_class c;
    struct pin_key key;

    class_of_flow(flow, false, &c);
    pin_key_of_flow(flow, &key);
    bucket_unpin(&s->table, bucket_of_hash(c.hash), &key);
}
