/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See talk.h: tables, opening and accepting. What happens on an open connection is in talk_conn.c. */
#include "testing/designs/talk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing/designs/talk_conn.h"

/* ---- the table ---- */

void talk_init(struct talk *k, unsigned room, const struct talk_params *p)
{
    memset(k, 0, sizeof(*k));
    k->p = *p;
    k->room = room;
    k->flows = calloc(room, sizeof(*k->flows));
}

void talk_fini(struct talk *k)
{
    free(k->flows);
}

void talk_add(struct talk *k, enum talk_kind kind, unsigned side, unsigned worker, uint64_t up, uint64_t down)
{
    struct talk_flow *f = &k->flows[k->num_flows];

    if (k->num_flows == k->room)
        abort();
    f->kind = kind;
    f->client_side = side;
    f->client_worker = worker;
    f->up = up;
    f->down = down;
    f->seed = ++k->num_flows * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t talk_work(const struct talk *k)
{
    uint64_t work = 0;

    for (unsigned i = 0; i < k->num_flows; i++)
        work += k->flows[i].kind == TALK_VANISHES ? 1 : 2;
    return work;
}

/* ---- a worker ---- */

static void on_acceptable(struct twin_handler *h, uint32_t events)
{
    struct talk_worker *w = container_of(h, struct talk_worker, on_listener);
    mctx_t m = w->tw->ctx;
    int fd;

    (void)events;
    while ((fd = mtcp_accept(m, w->listener, NULL, NULL)) >= 0) {
        struct talk_conn *c = NULL;
        socklen_t len = sizeof(c);

        mtcp_setsock_nonblock(m, fd);
        if (w->talk->p.movable)
            mtcp_getsockopt(m, fd, SOL_MTCP, MTCP_USER_DATA, &c, &len);
        if (c) {
            talk_conn_arrive(w, fd, c);
            continue;
        }
        atomic_fetch_add_explicit(&w->talk->accepted[w->tw->side][w->tw->index], 1, memory_order_relaxed);
        talk_conn_open(w, fd, NULL);
    }
    if (errno != EAGAIN && errno != ECONNABORTED)
        twin_fail(w->tw->twin, "accept: %s", strerror(errno));
}

static void start_listener(struct talk_worker *w)
{
    struct twin_worker *tw = w->tw;
    struct sockaddr_in a = twin_addr(tw->side, TALK_PORT);
    int backlog = (int)worker_max_socks(twin_worker_of(tw));

    w->listener = mtcp_socket(tw->ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (mtcp_bind(tw->ctx, w->listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        mtcp_listen(tw->ctx, w->listener, backlog) != 0)
        twin_fail(tw->twin, "listen: %s", strerror(errno));
    if (w->talk->p.movable &&
        mtcp_setsockopt(tw->ctx, w->listener, SOL_MTCP, MTCP_MOVABLE, &(int){1}, sizeof(int)) != 0)
        twin_fail(tw->twin, "MTCP_MOVABLE: %s", strerror(errno));
    w->on_listener.on = on_acceptable;
    twin_watch(tw, w->listener, MTCP_EPOLLIN, &w->on_listener);
}

struct talk_worker *talk_start(struct talk *k, struct twin_worker *tw)
{
    struct talk_worker *w = calloc(1, sizeof(*w));

    w->talk = k;
    w->tw = tw;
    w->listener = -1;
    list_init(&w->slots);
    if (k->p.listener_worker == TALK_ALL || k->p.listener_worker == tw->index)
        start_listener(w);
    return w;
}

void talk_open(struct talk_worker *w, struct talk_flow *f)
{
    struct twin_worker *tw = w->tw;
    struct sockaddr_in a = twin_addr(!tw->side, TALK_PORT);
    int fd = mtcp_socket(tw->ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || mtcp_connect(tw->ctx, fd, (struct sockaddr *)&a, sizeof(a)) == 0 || errno != EINPROGRESS) {
        twin_fail(tw->twin, "connect: %s", strerror(errno));
        return;
    }
    talk_conn_open(w, fd, f);
}

int talk_step(struct talk_worker *w)
{
    struct talk *k = w->talk;
    int wait_ms = -1;

    while (!k->p.forever && w->num_clients < k->p.parallel && w->next < k->num_flows) {
        struct talk_flow *f = &k->flows[w->next++];

        if (f->client_side == w->tw->side && f->client_worker == w->tw->index)
            talk_open(w, f);
    }
    if (w->tw->cut_short) /* some of what follows may have gone to other workers */
        return 0;
    list_for_each_safe(node, &w->slots)
        if (talk_conn_step(container_of(node, struct talk_slot, link)->c))
            wait_ms = TALK_STEP_MS;
    return wait_ms;
}

static void close_listener(struct talk_worker *w)
{
    if (w->listener < 0)
        return;
    on_acceptable(&w->on_listener, 0);
    mtcp_close(w->tw->ctx, w->listener);
    w->listener = -1;
}

bool talk_close(struct talk_worker *w)
{
    close_listener(w);
    return list_empty(&w->slots);
}

void talk_stop(struct talk_worker *w)
{
    if (atomic_load(&w->tw->twin->failed)) /* some may have gone to other workers without our hearing of it */
        return;
    close_listener(w);
    list_for_each_safe(node, &w->slots)
        talk_conn_drop(container_of(node, struct talk_slot, link)->c);
    free(w);
}

static void dump_view(const char *name, const struct talk_view *v, FILE *out)
{
    static const char *const phases[] = {"not begun", "open", "done"};

    fprintf(out, "    %s: %s at worker %u fd %d sent %" PRIu64 " got %" PRIu64 " moves %u\n", name,
            phases[atomic_load(&((struct talk_view *)v)->phase)],
            atomic_load(&((struct talk_view *)v)->worker), atomic_load(&((struct talk_view *)v)->fd),
            atomic_load(&((struct talk_view *)v)->sent), atomic_load(&((struct talk_view *)v)->got),
            atomic_load(&((struct talk_view *)v)->moves));
}

void talk_dump(const struct talk *k, FILE *out)
{
    for (unsigned i = 0; i < k->num_flows; i++) {
        struct talk_flow *f = &k->flows[i];

        if (atomic_load(&f->client.phase) == 2 &&
            (atomic_load(&f->server.phase) == 2 || f->kind == TALK_VANISHES))
            continue;
        fprintf(out, "  TCP %u kind %d from side %u, %" PRIu64 " up, %" PRIu64 " down\n", i, f->kind,
                f->client_side, f->up, f->down);
        dump_view("client", &f->client, out);
        dump_view("server", &f->server, out);
    }
}
