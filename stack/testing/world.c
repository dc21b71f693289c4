/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two TCP hosts joined by two bad links. */
#include "testing/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checksum.h"
#include "tcp/tcp_internal.h" /* leaks are looked for in the pools and the wheel */
#include "testing/mover.h"
#include "testing/stream.h"

#define SERVER_PORT 9999
#define BUF_BYTES 65536u
#define LONG_BYTES 65000u /* of text in one packet, when a device cuts segments */
#define OFF_CSUM 16u

struct world;

struct side {
    struct world *world;
    unsigned index;
    const struct world_side *params;
    struct tcp *tcp;
    struct tcp_listener *listener;
    struct tcp_conn *conn;
    struct prng prng;
    uint64_t written, read, wake_us;
    bool eof, shut, closed;
    bool woken; /**< an event came since the user looked last: without one he sleeps */
};

struct world {
    const struct world_params *params;
    struct world_result *result;
    uint64_t now_us;
    struct test_pkts pkts;
    struct link link[2];
    struct side side[2];
    struct prng mover;
    uint8_t buf[BUF_BYTES];
};

static ipv4_addr_t addr_of(unsigned side)
{
    return 0x0a000001u + side;
}

static void fail_run(struct world *w, const char *fmt, ...)
{
    va_list ap;

    if (w->result->why[0])
        return;
    va_start(ap, fmt);
    vsnprintf(w->result->why, sizeof(w->result->why), fmt, ap);
    va_end(ap);
}

/* ---- what TCP asks of a side ---- */

static struct pkt *op_alloc(void *ctx)
{
    struct side *s = ctx;

    return test_pkt_alloc(&s->world->pkts);
}

static struct pkt *op_alloc_long(void *ctx)
{
    struct side *s = ctx;

    return test_pkt_alloc_room(&s->world->pkts, LONG_BYTES);
}

/** What a device does that is left the checksum. */
static void finish_checksum(struct pkt *p, ipv4_addr_t src, ipv4_addr_t dst)
{
    uint16_t len = (uint16_t)p->len;

    put_be16(p->data + OFF_CSUM, 0);
    put_be16(p->data + OFF_CSUM,
             checksum_finish(checksum_add(ipv4_pseudo_sum(src, dst, IP_PROTO_TCP, len), p->data, len)));
    p->flags = 0;
}

static void trace_segment(const struct side *s, const struct pkt *p, ipv4_addr_t src, ipv4_addr_t dst)
{
    struct tcp_hdr t;

    if (tcp_parse(p->data, p->len, src, dst, false, &t) != ST_OK)
        return;
    printf("%12.6f side %u flags %02x seq %u len %u ack %u win %u ts %u/%u\n", (double)s->world->now_us / 1e6,
           s->index, t.flags, t.seq, p->len - t.hdr_len, t.ack, t.window, t.opts.ts_val, t.opts.ts_ecr);
}

static enum status op_output(void *ctx, struct pkt *p, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us)
{
    struct side *s = ctx;

    if (p->len + IPV4_HDR_LEN > (s->params->mtu ? s->params->mtu : 1500) && !(p->flags & PKT_TX_SEG))
        fail_run(s->world, "side %u: %u bytes in a segment", s->index, p->len);
    if (p->flags & PKT_TX_L4_CSUM)
        finish_checksum(p, src, dst);
    if (s->world->params->trace)
        trace_segment(s, p, src, dst);
    link_send(&s->world->link[s->index], p, src, dst, now_us);
    return ST_OK;
}

static enum status op_route(void *ctx, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu)
{
    struct side *s = ctx;

    (void)dst;
    *src = addr_of(s->index);
    *mtu = s->params->mtu ? s->params->mtu : 1500;
    return ST_OK;
}

static void op_event(void *ctx, struct tcp_conn *c, unsigned events)
{
    struct side *s = ctx;

    (void)c, (void)events;
    s->woken = true;
}

static void op_acceptable(void *ctx, struct tcp_listener *l)
{
    struct side *s = ctx;

    (void)l;
    s->woken = true;
}

static const struct tcp_ops ops = {
    .alloc = op_alloc,
    .output = op_output,
    .route = op_route,
    .conn_event = op_event,
    .acceptable = op_acceptable,
    .alloc_long = op_alloc_long,
};

static struct tcp *make_tcp(struct side *s)
{
    const struct world *w = s->world;
    const struct world_side *sp = s->params;
    struct tcp *tcp = NULL;
    struct tcp_params params = {
        .max_conns = 16,
        .rcvbuf_bytes = sp->rcvbuf ? sp->rcvbuf : 65536,
        .sndbuf_bytes = sp->sndbuf ? sp->sndbuf : 65536,
        .time_wait_us = w->params->time_wait_us ? w->params->time_wait_us : 1000000,
        .user_timeout_us = UINT64_MAX,
        .ephemeral_first = 49152,
        .ephemeral_last = 65535,
        .no_timestamps = sp->no_timestamps,
        .no_wscale = sp->no_wscale,
        .no_delay = !sp->nagle,
        .csum_offload = w->params->offload,
        .long_bytes = w->params->offload ? LONG_BYTES : 0,
    };

    memcpy(params.isn_key, &w->params->seed, sizeof(w->params->seed));
    if (tcp_create(&params, &ops, s, &tcp) != ST_OK)
        fail_run(s->world, "side %u: tcp_create failed", s->index);
    return tcp;
}

static void side_init(struct world *w, unsigned index)
{
    struct side *s = &w->side[index];

    *s = (struct side){.world = w,
                       .index = index,
                       .params = &w->params->side[index],
                       .prng = {w->params->seed * 2 + index},
                       .woken = true};
    s->tcp = make_tcp(s);
}

/** Now and then a side's connections find themselves at another worker. */
static void maybe_move(struct side *s)
{
    struct world *w = s->world;
    struct mover m = {&s->tcp, &s->listener, &s->conn};
    struct tcp *fresh;

    if (!w->params->move_one_in || prng_below(&w->mover, w->params->move_one_in))
        return;
    fresh = make_tcp(s);
    if (fresh && mover_move(&m, fresh, w->now_us))
        w->result->moves++;
}

/* ---- the users ---- */

static size_t random_piece(struct side *s)
{
    uint64_t max = s->params->max_piece ? s->params->max_piece : 16384;

    return 1 + (size_t)prng_below(&s->prng, min_u64(max, BUF_BYTES));
}

static void user_open(struct side *s)
{
    struct tcp_endpoint peer = {addr_of(1), SERVER_PORT};

    if (s->conn && tcp_error(s->conn) != ST_OK && !tcp_connected(s->conn)) {
        tcp_close(s->conn, s->world->now_us); /* the handshake timed out: try again, as people do */
        s->conn = NULL;
    }
    if (s->conn)
        return;
    if (s->index == 1) {
        tcp_accept(s->listener, s, &s->conn);
        return;
    }
    s->world->result->connects++;
    if (tcp_connect(s->tcp, (struct tcp_endpoint){0}, peer, s, s->world->now_us, &s->conn) != ST_OK)
        fail_run(s->world, "tcp_connect failed");
}

/** False: nothing could be written. */
static bool user_write(struct side *s)
{
    uint64_t left = s->params->write_bytes - s->written;
    size_t put = 0, want = (size_t)min_u64(random_piece(s), left);
    enum status st;

    if (s->shut || (left && !tcp_writable(s->conn)))
        return false; /* trusts tcp_writable(), as a level-triggered user does */
    if (!left) {
        s->shut = s->params->close == WORLD_CLOSE_AFTER_EOF &&
                  tcp_shutdown_write(s->conn, s->world->now_us) == ST_OK;
        return false;
    }
    stream_fill(s->index, s->written, s->world->buf, want);
    st = tcp_write(s->conn, s->world->buf, want, s->world->now_us, &put);
    if (st != ST_OK && st != ST_AGAIN)
        fail_run(s->world, "side %u: write at %llu: %s", s->index, (unsigned long long)s->written,
                 status_name(st));
    s->written += put;
    return put > 0;
}

static bool user_read(struct side *s)
{
    size_t got = 0;
    enum status st;

    if (s->eof || !tcp_readable(s->conn))
        return false;
    st = tcp_read(s->conn, s->world->buf, random_piece(s), false, s->world->now_us, &got);
    if (st == ST_AGAIN)
        return false;
    if (st != ST_OK)
        fail_run(s->world, "side %u: read at %llu: %s", s->index, (unsigned long long)s->read,
                 status_name(st));
    s->eof = st != ST_OK || !got;
    if (!stream_check(!s->index, s->read, s->world->buf, got))
        fail_run(s->world, "side %u: wrong bytes at %llu", s->index, (unsigned long long)s->read);
    s->read += got;
    if (got)
        s->world->result->transfer_us = s->world->now_us;
    return got > 0;
}

static void user_close(struct side *s)
{
    uint64_t expected = s->world->params->side[!s->index].write_bytes;
    bool all_read = s->params->close == WORLD_CLOSE_AT_ONCE ? s->read == expected : s->eof;

    if (s->eof && s->read != expected)
        fail_run(s->world, "side %u: the stream ended at %llu of %llu", s->index, (unsigned long long)s->read,
                 (unsigned long long)expected);
    if (s->written < s->params->write_bytes || !all_read)
        return;
    if (s->params->close == WORLD_CLOSE_AFTER_EOF && !s->shut)
        return;
    tcp_close(s->conn, s->world->now_us);
    s->conn = NULL;
    s->closed = true;
}

/** The user acts on events alone: one that is missing shows as a run that is never over. */
static void user_runs(struct side *s)
{
    bool busy = true;

    if (s->closed || !s->woken || s->wake_us > s->world->now_us)
        return;
    s->woken = false;
    user_open(s);
    while (busy && s->conn && tcp_connected(s->conn) && !s->world->result->why[0]) {
        busy = user_write(s);
        busy = user_read(s) || busy;
        if (busy && s->params->pause_us) {
            s->wake_us = s->world->now_us + prng_below(&s->prng, s->params->pause_us + 1);
            s->woken = true;
            busy = s->wake_us <= s->world->now_us;
        }
    }
    if (s->conn && tcp_connected(s->conn))
        user_close(s);
}

/* ---- the clock ---- */

/** A packet in random pieces, as a device with small buffers hands it over. The headers stay together. */
static struct pkt *in_pieces(struct world *w, struct pkt *p)
{
    uint32_t first = min_u32(p->len, TCP_HDR_LEN + TCP_MAX_OPT_LEN + (uint32_t)prng_below(&w->mover, 2000));
    struct pkt *last = p;
    size_t limit = w->pkts.limit;

    w->pkts.limit = 0;
    for (uint32_t at = first; at < p->len + p->more_len;) {
        uint32_t n = min_u32(p->len + p->more_len - at, 1 + (uint32_t)prng_below(&w->mover, 4000));

        if (at == first) {
            p->more_len = p->len - first;
            p->len = first;
        }
        last->more = test_pkt_from(&w->pkts, p->data + at, n);
        last = last->more;
        at += n;
    }
    w->pkts.limit = limit;
    return p;
}

static void deliver(struct world *w, unsigned from)
{
    struct ipv4_hdr ip = {.hdr_len = 20, .ttl = 64, .proto = IP_PROTO_TCP};
    struct pkt *p;

    while ((p = link_receive(&w->link[from], w->now_us, &ip.src, &ip.dst))) {
        ip.total_len = (uint16_t)(p->len + ip.hdr_len);
        if (w->params->offload)
            p = in_pieces(w, p);
        tcp_input(w->side[!from].tcp, &ip, p, w->now_us);
    }
}

static uint64_t next_moment(struct world *w)
{
    uint64_t next_us = UINT64_MAX;

    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &w->side[i];

        next_us = min_u64(next_us, link_next_us(&w->link[i]));
        next_us = min_u64(next_us, tcp_next_deadline(s->tcp));
        if (!s->closed && s->wake_us > w->now_us)
            next_us = min_u64(next_us, s->wake_us);
    }
    return next_us > w->now_us ? next_us : w->now_us + 1;
}

static bool finished(struct world *w)
{
    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &w->side[i];

        if (!s->closed || tcp_num_conns(s->tcp) || w->link[i].first)
            return false;
    }
    return true;
}

static void run(struct world *w)
{
    while (!w->result->why[0]) {
        for (unsigned i = 0; i < 2; i++) {
            deliver(w, i);
            tcp_timers(w->side[!i].tcp, w->now_us);
        }
        for (unsigned i = 0; i < 2; i++) {
            maybe_move(&w->side[i]);
            user_runs(&w->side[i]);
            maybe_move(&w->side[i]);
            tcp_flush(w->side[i].tcp, w->now_us);
        }
        if (finished(w))
            return;
        w->now_us = next_moment(w);
        if (w->now_us > w->params->limit_us)
            fail_run(w, "not over after %llu us: read %llu and %llu bytes", (unsigned long long)w->now_us,
                     (unsigned long long)w->side[0].read, (unsigned long long)w->side[1].read);
    }
}

static void look_for_leaks(struct world *w, struct side *s)
{
    if (s->tcp->conns.in_use || s->tcp->flows.count)
        fail_run(w, "side %u: %zu connections left", s->index, s->tcp->conns.in_use);
    if (s->tcp->reasms.in_use)
        fail_run(w, "side %u: %zu reassembly lists left", s->index, s->tcp->reasms.in_use);
    if (s->tcp->wheel.count)
        fail_run(w, "side %u: %zu timers left", s->index, s->tcp->wheel.count);
    if (s->tcp->counters.refused_transitions)
        fail_run(w, "side %u: a state transition was refused", s->index);
}

static void side_fini(struct world *w, struct side *s)
{
    const struct tcp_counters *c = tcp_get_counters(s->tcp);

    w->result->retransmits += c->tx_retransmits;
    w->result->timeouts += c->tx_timeouts;
    w->result->fast_retransmits += c->tx_fast_retransmits;
    if (s->listener)
        tcp_listener_close(s->listener, w->now_us);
    if (!w->result->why[0])
        look_for_leaks(w, s);
    tcp_destroy(s->tcp);
}

void world_run(const struct world_params *p, struct world_result *out)
{
    struct world *w = calloc(1, sizeof(*w));

    *out = (struct world_result){0};
    if (!w) {
        snprintf(out->why, sizeof(out->why), "no memory");
        return;
    }
    w->params = p;
    w->result = out;
    w->now_us = 1;
    w->mover = (struct prng){p->seed + 99};
    w->pkts = (struct test_pkts){.room = 2048, .limit = p->pkt_limit};
    for (unsigned i = 0; i < 2; i++) {
        link_init(&w->link[i], &p->link[i], &w->pkts);
        side_init(w, i);
    }
    tcp_listen(w->side[1].tcp, (struct tcp_endpoint){0, SERVER_PORT}, 8, w, &w->side[1].listener);
    run(w);
    out->total_us = w->now_us;
    for (unsigned i = 0; i < 2; i++) {
        out->packets += w->link[i].taken;
        out->lost += w->link[i].lost;
        side_fini(w, &w->side[i]);
    }
    for (unsigned i = 0; i < 2; i++)
        link_fini(&w->link[i]);
    if (!out->why[0] && w->pkts.live)
        fail_run(w, "%zu packets left", w->pkts.live);
    out->ok = !out->why[0];
    free(w);
}
