/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Connections move from one worker's TCP to another's: detached by the one, carried by whoever, attached by
 * the other. Blocks belong to the pool of a worker, so each travels in a parcel of its own and is copied into
 * a block of the destination; when that one has no room, the parcel itself serves as the block (CF_LOOSE)
 * until the connection ends. A parcel that cannot be allocated keeps its connection where it is, so none is
 * ever lost. Byte rings are plain heap memory and change hands as they are. All times are absolute, by the
 * one clock that all workers read, so timers keep their deadlines.
 * A connection that stays is pinned until it ends or moves with its flow another time: whoever distributes
 * leaves pins to this worker out of account while it gives the flow away. */
#include <stdlib.h>

#include "tcp/tcp_internal.h"

struct parcel {
    struct list link;
    struct tcp_conn conn;
    struct tcp_reasm *reasm; /**< copy in memory of its own */
    bool flush;              /**< it waits for a flush */
    bool listener;           /**< a listener has it, or will */
};

struct tcp_cargo {
    struct list parcels;
    size_t count;
};

void tcp_conn_set_luggage(struct tcp_conn *c, struct tcp_luggage luggage)
{
    c->luggage = luggage;
}

struct tcp_luggage tcp_conn_luggage(const struct tcp_conn *c)
{
    return c->luggage;
}

void tcp_conn_put_block(struct tcp_conn *c)
{
    if (c->flags & CF_LOOSE) {
        c->tcp->num_loose--;
        free(container_of(c, struct parcel, conn));
        return;
    }
    pool_put(&c->tcp->conns, c);
}

/* ---- pins ---- */

static void pin(struct tcp_conn *c)
{
    struct tcp *tcp = c->tcp;

    if (c->flags & CF_PINNED || !tcp->ops.flow_pin)
        return;
    if (tcp->ops.flow_pin(tcp->ctx, c->local_addr, c->local_port, c->peer_addr, c->peer_port) != ST_OK) {
        COUNT(tcp, move_pin_failed);
        return;
    }
    c->flags |= CF_PINNED;
    COUNT(tcp, move_pinned);
}

void tcp_unpin(struct tcp_conn *c)
{
    c->flags &= ~CF_PINNED;
    c->tcp->ops.flow_unpin(c->tcp->ctx, c->local_addr, c->local_port, c->peer_addr, c->peer_port);
}

/* ---- leaving ---- */

/** Whether the connection can live elsewhere, and whoever has it agrees; asked last of all. */
static bool may_go(struct tcp_conn *c, const struct tcp_move_ops *ops, void *ctx)
{
    struct tcp_endpoint local = {c->local_addr, c->local_port};

    if (!ops->listens)
        return false;
    if (c->listener)
        return ops->listens(ctx, local);
    if (c->flags & CF_ACCEPTING) /* adrift: wherever it comes, it does not stay */
        return true;
    if (!c->owner) /* a spare port is not to be taken again here before all is over */
        return !tcp_port_is_spare(c->tcp, c->local_port);
    /* A handshake of our own has nobody to come out to; TIME-WAIT needs c->queue for itself. */
    if (!(c->flags & CF_CONNECTED) || c->state == TCPS_TIME_WAIT)
        return false;
    return ops->listens(ctx, local) && ops->let_go(ctx, c);
}

static struct tcp_reasm *copy_of_reasm(const struct tcp_reasm *r)
{
    struct tcp_reasm *copy = malloc(sizeof(*copy));

    if (copy)
        *copy = *r;
    return copy;
}

/** An empty parcel with all the memory that the connection needs; NULL when memory is out. */
static struct parcel *parcel_new(const struct tcp_conn *c)
{
    struct parcel *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    list_init(&p->link);
    if (!c->reasm)
        return p;
    p->reasm = copy_of_reasm(c->reasm);
    if (p->reasm)
        return p;
    free(p);
    return NULL;
}

static void pack(struct parcel *p, struct tcp_conn *c)
{
    struct tcp *tcp = c->tcp;
    uint32_t queue_flags = c->flags & (CF_ACCEPTING | CF_MOVED);

    p->flush = !list_empty(&c->flush);
    p->listener = c->listener || c->owner || c->flags & CF_ACCEPTING;
    if (c->owner)
        queue_flags = CF_ACCEPTING | CF_MOVED;
    c->owner = NULL;
    if (c->flags & CF_PINNED)
        tcp_unpin(c);
    tcp_timer_leave(c);
    hash_table_remove(&tcp->flows, &c->node);
    list_remove(&c->flush);
    if (c->listener)
        tcp_listener_forget(c);
    list_remove(&c->queue);
    list_remove(&c->all);
    tcp_reasm_free(c);
    (*tcp_state_gauge(tcp, c->state))--;
    COUNT(tcp, moved_out);
    p->conn = *c;
    p->conn.flags = (c->flags & ~CF_LOOSE) | queue_flags;
    p->conn.tcp = NULL;
    p->conn.snd.cache = p->conn.rcv.cache = NULL;
    tcp_conn_put_block(c);
}

/** False: it stays. */
static bool detach(struct tcp_conn *c, const struct tcp_move_ops *ops, void *ctx, struct tcp_cargo *cargo)
{
    struct parcel *p = parcel_new(c);

    if (!p)
        return false;
    if (!may_go(c, ops, ctx)) {
        free(p->reasm);
        free(p);
        return false;
    }
    pack(p, c);
    list_push_back(&cargo->parcels, &p->link);
    cargo->count++;
    return true;
}

struct tcp_cargo *tcp_detach(struct tcp *tcp, const struct tcp_move_ops *ops, void *ctx)
{
    struct tcp_cargo *cargo = calloc(1, sizeof(*cargo));

    if (cargo)
        list_init(&cargo->parcels);
    list_for_each_safe(at, &tcp->all) {
        struct tcp_conn *c = container_of(at, struct tcp_conn, all);

        if (c->state == TCPS_CLOSED)
            continue;
        if (!ops->wanted(ctx, (struct tcp_endpoint){c->local_addr, c->local_port},
                         (struct tcp_endpoint){c->peer_addr, c->peer_port}))
            continue;
        if (!cargo || !detach(c, ops, ctx, cargo))
            pin(c);
    }
    if (cargo && !cargo->count) {
        free(cargo);
        cargo = NULL;
    }
    return cargo;
}

size_t tcp_cargo_count(const struct tcp_cargo *cargo)
{
    return cargo ? cargo->count : 0;
}

/* ---- arriving ---- */

/** The connection out of its parcel, in a block of this TCP; without a reassembly list when memory is out:
 * what had arrived out of order comes again. */
static struct tcp_conn *unpack(struct tcp *tcp, struct parcel *p)
{
    struct tcp_conn *c = tcp_conn_get_block(tcp);
    struct tcp_reasm *reasm = p->reasm ? pool_get(&tcp->reasms) : NULL;

    if (c) {
        *c = p->conn;
    } else {
        c = &p->conn;
        c->flags |= CF_LOOSE;
        tcp->num_loose++;
    }
    if (reasm)
        *reasm = *p->reasm;
    c->reasm = reasm;
    free(p->reasm);
    if (!(c->flags & CF_LOOSE))
        free(p);
    return c;
}

static void settle_in(struct tcp *tcp, struct tcp_conn *c)
{
    struct tcp_endpoint local = {c->local_addr, c->local_port}, peer = {c->peer_addr, c->peer_port};

    c->tcp = tcp;
    c->snd.cache = c->rcv.cache = &tcp->rings;
    c->listener = NULL;
    list_init(&c->flush);
    list_init(&c->queue);
    list_push_back(&tcp->all, &c->all);
    hash_table_insert(&tcp->flows, &c->node, tcp_flow_hash(tcp, local, peer));
    (*tcp_state_gauge(tcp, c->state))++;
    COUNT(tcp, moved_in);
    tcp_timer_join(c);
    if (c->state == TCPS_TIME_WAIT && !(c->flags & CF_ACCEPTING))
        list_push_back(&tcp->time_wait, &c->queue);
}

static void end(struct tcp_conn *c, uint64_t now_us)
{
    COUNT(c->tcp, moved_ended);
    list_remove(&c->queue);
    c->flags &= ~(CF_ACCEPTING | CF_MOVED);
    tcp_abort(c, now_us);
}

static void arrive(struct tcp *tcp, struct parcel *p, uint64_t now_us)
{
    bool flush = p->flush, wants_listener = p->listener;
    struct tcp_conn *c = unpack(tcp, p);
    struct tcp_listener *l;

    settle_in(tcp, c);
    if (flush)
        tcp_conn_want_flush(c);
    if (!wants_listener)
        return;
    l = tcp_listener_find(tcp, (struct tcp_endpoint){c->local_addr, c->local_port});
    if (l) {
        tcp_listener_adopt(l, c);
        return;
    }
    if (c->flags & CF_ACCEPTING)
        list_push_back(&tcp->adrift, &c->queue);
    else /* still half-open: as if it had come when the listener had gone */
        end(c, now_us);
}

void tcp_attach(struct tcp *tcp, struct tcp_cargo *cargo, uint64_t now_us)
{
    struct list *at;

    while ((at = list_pop_front(&cargo->parcels)))
        arrive(tcp, container_of(at, struct parcel, link), now_us);
    free(cargo);
}

/* ---- adrift: the listener here has gone while the connection was on its way ---- */

bool tcp_has_adrift(const struct tcp *tcp)
{
    return !list_empty(&tcp->adrift);
}

void tcp_adrift(struct tcp *tcp,
                bool (*moves_on)(void *ctx, struct tcp_endpoint local, struct tcp_endpoint peer), void *ctx,
                uint64_t now_us)
{
    list_for_each_safe(at, &tcp->adrift) {
        struct tcp_conn *c = container_of(at, struct tcp_conn, queue);
        struct tcp_endpoint local = {c->local_addr, c->local_port}, peer = {c->peer_addr, c->peer_port};
        struct tcp_listener *l = tcp_listener_find(tcp, local);

        if (l) {
            list_remove(&c->queue);
            tcp_listener_adopt(l, c);
        } else if (c->state == TCPS_CLOSED || c->flags & CF_PINNED || !moves_on(ctx, local, peer)) {
            /* pinned: its flow has left without it */
            end(c, now_us);
        }
    }
}

void tcp_cargo_free(struct tcp_cargo *cargo)
{
    struct list *at;

    if (!cargo)
        return;
    while ((at = list_pop_front(&cargo->parcels))) {
        struct parcel *p = container_of(at, struct parcel, link);

        byte_ring_fini(&p->conn.snd);
        byte_ring_fini(&p->conn.rcv);
        free(p->reasm);
        free(p);
    }
    free(cargo);
}
