/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Datagrams that nobody has read yet go with their flow when that moves to another worker, to the socket that
 * has the same port there: else two threads would read the flow's datagrams out of order. Those of flows that
 * stay keep their order in the queue. */
#include <stdlib.h>
#include <string.h>

#include "udp/udp_priv.h"

/** What a socket gives away: records as they stood in its queue. */
struct parcel {
    struct parcel *next;
    struct udp_addr local;
    size_t len;
    uint8_t bytes[];
};

struct udp_cargo {
    struct parcel *first, **end;
    size_t count;
};

static struct udp_addr source_of(const struct udp_record *rec)
{
    return (struct udp_addr){rec->addr, rec->port};
}

/** Whether any datagram in the queue is wanted. */
static bool some_wanted(const struct udp_sock *s, const struct udp_move_ops *ops, void *ctx)
{
    struct udp_record rec;

    for (size_t at = 0; at < s->rcvq.len; at += sizeof(rec) + rec.len) {
        byte_ring_copy(&s->rcvq, at, &rec, sizeof(rec));
        if (ops->wanted(ctx, s->local, source_of(&rec)))
            return true;
    }
    return false;
}

/** The whole queue; NULL, and nothing has changed, when memory is out. */
static struct parcel *take_all(struct udp_sock *s)
{
    struct parcel *p = malloc(sizeof(*p) + s->rcvq.len);

    if (!p)
        return NULL;
    *p = (struct parcel){.local = s->local, .len = s->rcvq.len};
    byte_ring_copy(&s->rcvq, 0, p->bytes, p->len);
    byte_ring_consume(&s->rcvq, p->len);
    return p;
}

/** What is wanted stays in the parcel, the rest goes back, which has room. Returns how many are wanted. */
static size_t sort_parcel(struct parcel *p, struct udp_sock *s, const struct udp_move_ops *ops, void *ctx)
{
    size_t kept_len = 0, kept = 0, size;
    struct udp_record rec;

    for (size_t at = 0; at < p->len; at += size) {
        memcpy(&rec, p->bytes + at, sizeof(rec));
        size = sizeof(rec) + rec.len;
        if (!ops->wanted(ctx, s->local, source_of(&rec))) {
            udp_queue(s, &rec, p->bytes + at + sizeof(rec));
            continue;
        }
        memmove(p->bytes + kept_len, p->bytes + at, size);
        kept_len += size;
        kept++;
    }
    p->len = kept_len;
    return kept;
}

static void detach(struct udp_sock *s, const struct udp_move_ops *ops, void *ctx, struct udp_cargo *cargo)
{
    struct parcel *p;

    if (!s->rcvq.len || !some_wanted(s, ops, ctx))
        return;
    p = take_all(s);
    if (!p)
        return;
    cargo->count += sort_parcel(p, s, ops, ctx);
    *cargo->end = p;
    cargo->end = &p->next;
}

struct udp_cargo *udp_detach(struct udp *udp, const struct udp_move_ops *ops, void *ctx)
{
    struct udp_cargo *cargo = calloc(1, sizeof(*cargo));

    if (!cargo)
        return NULL;
    cargo->end = &cargo->first;
    list_for_each(at, &udp->all)
        detach(container_of(at, struct udp_sock, link), ops, ctx, cargo);
    udp->count.moved_out += cargo->count;
    if (cargo->count)
        return cargo;
    free(cargo);
    return NULL;
}

static void arrive(struct udp *udp, struct udp_addr local, const struct udp_record *rec,
                   const uint8_t *payload)
{
    struct udp_sock *s = udp_lookup(udp, local, source_of(rec));
    bool was_readable;

    if (!s) {
        udp->count.drop_no_port++;
        return;
    }
    was_readable = udp_sock_readable(s);
    if (!udp_queue(s, rec, payload)) {
        udp->count.drop_rcvbuf_full++;
        return;
    }
    udp->count.moved_in++;
    if (!was_readable)
        udp->ops->readable(udp->ctx, s);
}

static void unpack(struct udp *udp, const struct parcel *p)
{
    struct udp_record rec;

    for (size_t at = 0; at < p->len; at += sizeof(rec) + rec.len) {
        memcpy(&rec, p->bytes + at, sizeof(rec));
        arrive(udp, p->local, &rec, p->bytes + at + sizeof(rec));
    }
}

void udp_attach(struct udp *udp, struct udp_cargo *cargo)
{
    for (const struct parcel *p = cargo->first; p; p = p->next)
        unpack(udp, p);
    udp_cargo_free(cargo);
}

void udp_cargo_free(struct udp_cargo *cargo)
{
    struct parcel *p = cargo ? cargo->first : NULL;

    while (p) {
        struct parcel *next = p->next;

        free(p);
        p = next;
    }
    free(cargo);
}
