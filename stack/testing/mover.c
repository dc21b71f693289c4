/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moves all connections of a TCP to a fresh one. */
#include "testing/mover.h"

#include "tcp/tcp_internal.h" /* who can move is looked up beforehand; the user keeps its place */

static bool can_move(const struct tcp_conn *c, const struct tcp_conn *users)
{
    if (c->state == TCPS_CLOSED)
        return false;
    if (!c->owner)
        return true;
    return c == users && c->flags & CF_CONNECTED && c->state != TCPS_TIME_WAIT;
}

static bool has_other_listener(const struct mover *m)
{
    for (unsigned i = 0; i < TCP_LISTEN_BUCKETS; i++) {
        list_for_each(at, &(*m->tcp)->listeners[i]) {
            if (container_of(at, struct tcp_listener, link) != *m->listener)
                return true;
        }
    }
    return false;
}

static bool all_can_move(const struct mover *m)
{
    if (has_other_listener(m))
        return false;
    list_for_each(at, &(*m->tcp)->all) {
        if (!can_move(container_of(at, struct tcp_conn, all), *m->conn))
            return false;
    }
    return true;
}

static bool any_flow(void *ctx, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    (void)ctx, (void)local, (void)peer;
    return true;
}

static bool any_listener(void *ctx, struct tcp_endpoint local)
{
    (void)ctx, (void)local;
    return true;
}

static bool user_agrees(void *ctx, struct tcp_conn *c)
{
    (void)ctx, (void)c;
    return true;
}

static const struct tcp_move_ops all_of_them = {any_flow, any_listener, user_agrees};

/** The listener of the fresh TCP, like the old one; closes the old one. */
static bool move_listener(const struct mover *m, struct tcp *fresh, uint64_t now_us)
{
    struct tcp_listener *old = *m->listener, *l;

    if (!old)
        return true;
    if (tcp_listen(fresh, old->local, old->backlog, old->owner, &l) != ST_OK)
        return false;
    tcp_listener_close(old, now_us);
    *m->listener = l;
    return true;
}

/** A place for the user's connection to come out when it was an active open. */
static bool landing(struct tcp *fresh, struct tcp_endpoint local, struct tcp_listener **out)
{
    *out = NULL;
    if (!local.port || tcp_listener_find(fresh, local))
        return true;
    return tcp_listen(fresh, local, 1, NULL, out) == ST_OK;
}

static void take_users_conn(const struct mover *m, void *owner)
{
    list_for_each(at, &(*m->tcp)->all) {
        struct tcp_conn *c = container_of(at, struct tcp_conn, all);

        if (!(c->flags & CF_MOVED))
            continue;
        tcp_listener_forget(c);
        c->owner = owner;
        *m->conn = c;
        return;
    }
}

static void add_counters(struct tcp *to, const struct tcp *from)
{
    uint64_t *a = (uint64_t *)&to->counters;
    const uint64_t *b = (const uint64_t *)&from->counters;

    for (size_t i = 0; i < sizeof(to->counters) / sizeof(*a); i++)
        a[i] += b[i];
}

bool mover_move(const struct mover *m, struct tcp *fresh, uint64_t now_us)
{
    struct tcp *old = *m->tcp;
    void *owner = *m->conn ? tcp_conn_owner(*m->conn) : NULL;
    struct tcp_listener *land = NULL;
    struct tcp_endpoint local = {0};
    struct tcp_cargo *cargo;

    if (!all_can_move(m)) {
        tcp_destroy(fresh);
        return false;
    }
    if (*m->conn)
        tcp_conn_local(*m->conn, &local);
    cargo = tcp_detach(old, &all_of_them, NULL);
    *m->tcp = fresh;
    fresh->next_ephemeral = old->next_ephemeral;
    if (!move_listener(m, fresh, now_us) || !landing(fresh, local, &land)) {
        tcp_cargo_free(cargo);
        tcp_destroy(old);
        return false;
    }
    if (cargo)
        tcp_attach(fresh, cargo, now_us);
    if (*m->conn)
        take_users_conn(m, owner);
    if (land)
        tcp_listener_close(land, now_us);
    add_counters(fresh, old);
    tcp_destroy(old);
    return true;
}
