/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See talk_conn.h. After each event a connection does all it can: sends, reads, and looks whether what its
 * kind ends with has come. */
#include "testing/designs/talk_conn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "testing/stream.h"

#define CHUNK 4096u
#define CHUNKS_AT_ONCE 16u /**< then the others have their turn */

static struct twin *twin_of(const struct talk_conn *c)
{
    return c->w->tw->twin;
}

static mctx_t ctx_of(const struct talk_conn *c)
{
    return c->w->tw->ctx;
}

static unsigned id_of(const struct talk_conn *c)
{
    return (unsigned)(c->flow - c->w->talk->flows);
}

#define FAIL(c, format, ...)                                                       \
    twin_fail(twin_of(c), "TCP %u kind %d, %s's end (side %u worker %u): " format, \
              (c)->flow ? id_of(c) : 9999, (c)->flow ? (int)(c)->flow->kind : -1,  \
              (c)->client ? "client" : "server", (c)->w->tw->side, (c)->w->tw->index, __VA_ARGS__)

/* ---- names and streams ---- */

static void join_flow(struct talk_conn *c, struct talk_flow *f)
{
    c->flow = f;
    c->view = c->client ? &f->client : &f->server;
    c->out_len = c->client ? TALK_HEADER + f->up : f->down;
    c->in_len = c->client ? f->down : TALK_HEADER + f->up;
    if (atomic_exchange(&c->view->phase, 1) != 0)
        FAIL(c, "%s", "the connection was there already");
    atomic_store(&c->view->worker, c->w->tw->index);
    atomic_store(&c->view->fd, c->fd);
}

static void fill(const struct talk_conn *c, uint8_t *buf, size_t len)
{
    uint64_t id = id_of(c);

    stream_fill(c->flow->seed + !c->client, c->sent, buf, len);
    for (uint64_t pos = c->sent; c->client && pos < TALK_HEADER && pos < c->sent + len; pos++)
        buf[pos - c->sent] = (uint8_t)(id >> (8 * pos));
}

/** The header's bytes, when these are; how many of the buffer they are. */
static size_t take_header(struct talk_conn *c, const uint8_t *buf, size_t len)
{
    size_t n = 0;
    uint64_t id = 0;

    while (!c->client && c->got < TALK_HEADER && n < len) {
        c->header[c->got++] = buf[n++];
        if (c->got < TALK_HEADER)
            continue;
        for (unsigned i = 0; i < TALK_HEADER; i++)
            id |= (uint64_t)c->header[i] << (8 * i);
        if (id >= c->w->talk->num_flows || c->w->talk->flows[id].client_side == c->w->tw->side)
            FAIL(c, "a header that nobody sent: %" PRIx64, id);
        else
            join_flow(c, &c->w->talk->flows[id]);
    }
    return n;
}

static void take(struct talk_conn *c, const uint8_t *buf, size_t len)
{
    size_t n = take_header(c, buf, len);

    if (!c->flow || n == len)
        return;
    if (c->got + (len - n) > c->in_len)
        FAIL(c, "%" PRIu64 " bytes more than were sent", c->got + (len - n) - c->in_len);
    else if (!stream_check(c->flow->seed + c->client, c->got, buf + n, len - n))
        FAIL(c, "wrong bytes between %" PRIu64 " and %" PRIu64, c->got, c->got + (len - n));
    c->got += len - n;
}

/* ---- what may happen now ---- */

static uint64_t may_send_up_to(const struct talk_conn *c)
{
    if (!c->flow || !c->connected || c->failed)
        return 0;
    if (!c->client && c->flow->kind == TALK_HALF_CLOSE && !c->eof)
        return 0;
    return c->out_len;
}

static bool stalled(const struct talk_conn *c)
{
    return c->flow && c->flow->kind == TALK_STALL && !c->failed && !atomic_load(&c->flow->gate);
}

static bool may_read(const struct talk_conn *c)
{
    return (c->client || !stalled(c)) && !c->eof && !c->failed;
}

static void on_error(struct talk_conn *c, int error)
{
    enum talk_kind expected = c->client ? TALK_SERVER_RESETS : TALK_CLIENT_RESETS;
    bool vanished = !c->client && !c->flow; /* gone before it said a word */

    if (c->failed)
        return;
    c->failed = true;
    /* The listener's worker has left before it knew of us. */
    c->again = c->client && c->w->talk->p.forever && atomic_load(&c->flow->server.phase) == 0;
    if (c->again)
        return;
    if (!vanished && (!c->flow || c->flow->kind != expected || (error != ECONNRESET && error != EPIPE)))
        FAIL(c, "%s after %" PRIu64 " of %" PRIu64 " sent, %" PRIu64 " of %" PRIu64 " got", strerror(error),
             c->sent, c->out_len, c->got, c->in_len);
}

/** True when the buffer is full. */
static bool send_some(struct talk_conn *c)
{
    uint8_t buf[CHUNK];
    uint64_t limit = may_send_up_to(c);

    while (c->sent < limit) {
        size_t len = limit - c->sent < CHUNK ? (size_t)(limit - c->sent) : CHUNK;
        ssize_t n;

        fill(c, buf, len);
        n = mtcp_write(ctx_of(c), c->fd, (char *)buf, len);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0) {
            on_error(c, errno);
            return false;
        }
        c->sent += (uint64_t)n;
        twin_progress(c->w->tw);
    }
    return false;
}

static void read_some(struct talk_conn *c)
{
    uint8_t buf[CHUNK];

    for (unsigned i = 0; i < CHUNKS_AT_ONCE && may_read(c); i++) {
        ssize_t n = mtcp_read(ctx_of(c), c->fd, (char *)buf, sizeof(buf));

        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            on_error(c, errno);
        else if (n == 0)
            c->eof = true;
        else
            take(c, buf, (size_t)n);
        twin_progress(c->w->tw);
    }
}

/* ---- the end ---- */

/** Lets go of the descriptor; complete: as the flow was to end. */
static void finish(struct talk_conn *c, bool abort, bool complete)
{
    struct twin_worker *tw = c->w->tw;

    if (abort)
        mtcp_abort(tw->ctx, c->fd);
    else
        mtcp_close(tw->ctx, c->fd);
    if (c->client)
        c->w->num_clients--;
    if (c->view)
        atomic_store(&c->view->phase, c->again ? 0 : 2);
    if (c->flow && complete && !c->w->talk->p.forever)
        twin_done(tw, 1);
    list_remove(&c->slot->link);
    free(c->slot);
    free(c);
}

/** Whether it has ended as it should; shutdown is done on the way. */
static bool look_for_end(struct talk_conn *c, bool *abort)
{
    bool all = c->flow && c->sent == c->out_len && c->got == c->in_len;

    if (!c->flow)
        return c->eof || c->failed;
    if (c->failed) /* as expected, or the test has failed already */
        return true;
    if (c->eof && c->got < c->in_len)
        FAIL(c, "end of stream after %" PRIu64 " of %" PRIu64 " bytes", c->got, c->in_len);
    switch (c->flow->kind) {
    case TALK_CLIENT_CLOSES:
    case TALK_STALL:
        return all && (c->client || c->eof);
    case TALK_SERVER_CLOSES:
        return all && (!c->client || c->eof);
    case TALK_HALF_CLOSE:
        if (c->client && c->sent == c->out_len && !c->shut) {
            c->shut = true;
            mtcp_shutdown(ctx_of(c), c->fd, SHUT_WR);
        }
        return all && c->eof;
    case TALK_CLIENT_RESETS:
        *abort = c->client && c->got >= c->in_len / 2;
        return *abort;
    case TALK_SERVER_RESETS:
        *abort = !c->client && c->got >= c->in_len / 2;
        return *abort;
    default:
        *abort = true;
        return true;
    }
}

static void rewatch(struct talk_conn *c, bool full)
{
    uint32_t events = may_read(c) ? MTCP_EPOLLIN : 0;

    if (full || !c->connected)
        events |= MTCP_EPOLLOUT;
    if (events != c->watched)
        twin_rewatch(c->w->tw, c->fd, events, &c->slot->h);
    c->watched = events;
}

static void go_on(struct talk_conn *c)
{
    bool full, abort = false;

    read_some(c);
    full = send_some(c);
    if (c->view) {
        atomic_store_explicit(&c->view->sent, c->sent, memory_order_relaxed);
        atomic_store_explicit(&c->view->got, c->got, memory_order_relaxed);
    }
    if (look_for_end(c, &abort))
        finish(c, abort, true);
    else
        rewatch(c, full);
}

static void on_event(struct twin_handler *h, uint32_t events)
{
    struct talk_slot *slot = container_of(h, struct talk_slot, h);
    struct talk_conn *c = slot->c;
    int error = 0;
    socklen_t len = sizeof(error);

    if (events & MTCP_EPOLLMOVED) {
        list_remove(&slot->link);
        free(slot);
        return;
    }
    c->connected = c->connected || (events & MTCP_EPOLLOUT);
    if (events & MTCP_EPOLLERR) {
        mtcp_getsockopt(ctx_of(c), c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        on_error(c, error);
    }
    go_on(c);
}

static void settle(struct talk_conn *c, struct talk_worker *w, int fd)
{
    struct talk_slot *slot = calloc(1, sizeof(*slot));

    slot->h.on = on_event;
    slot->w = w;
    slot->c = c;
    c->slot = slot;
    c->w = w;
    c->fd = fd;
    list_push_back(&w->slots, &slot->link);
    twin_progress(w->tw);
}

void talk_conn_arrive(struct talk_worker *w, int fd, struct talk_conn *c)
{
    settle(c, w, fd);
    if (c->view) {
        atomic_store(&c->view->worker, w->tw->index);
        atomic_store(&c->view->fd, fd);
        atomic_fetch_add(&c->view->moves, 1);
    }
    atomic_fetch_add(&w->talk->moved, 1);
    twin_watch(w->tw, fd, c->watched, &c->slot->h);
}

void talk_conn_open(struct talk_worker *w, int fd, struct talk_flow *flow)
{
    struct talk_conn *c = calloc(1, sizeof(*c));

    settle(c, w, fd);
    c->client = flow != NULL;
    c->connected = !c->client;
    c->in_len = TALK_HEADER;
    c->watched = c->client ? MTCP_EPOLLIN | MTCP_EPOLLOUT : MTCP_EPOLLIN;
    if (c->client) {
        w->num_clients++;
        join_flow(c, flow);
        if (flow->kind == TALK_STALL)
            c->probes_before = twin_counter_now(w->tw, "tcp.tx_probes");
        if (flow->kind == TALK_VANISHES) {
            finish(c, true, true);
            return;
        }
    } else if (w->talk->p.movable &&
               mtcp_setsockopt(w->tw->ctx, fd, SOL_MTCP, MTCP_USER_DATA, &c, sizeof(c)) != 0) {
        twin_fail(w->tw->twin, "MTCP_USER_DATA: %s", strerror(errno));
    }
    twin_watch(w->tw, fd, c->watched, &c->slot->h);
}

bool talk_conn_step(struct talk_conn *c)
{
    if (!c->flow || c->flow->kind != TALK_STALL)
        return false;
    if (c->client && stalled(c) && twin_counter_now(c->w->tw, "tcp.tx_probes") > c->probes_before)
        atomic_store(&c->flow->gate, true);
    if (stalled(c))
        return true;
    if (!c->client && may_read(c) && !(c->watched & MTCP_EPOLLIN))
        go_on(c);
    return false;
}

void talk_conn_drop(struct talk_conn *c)
{
    finish(c, false, false);
}
