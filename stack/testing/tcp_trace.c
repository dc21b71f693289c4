/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One TCP host against a script: the clock, injecting and expecting segments. */
#include "testing/tcp_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing/mover.h"
#include "testing/stream.h"

#define HOST_SEED 1u /* stream of the host's user */
#define PEER_SEED 2u

/* ---- saying what happened ---- */

static void note(struct host *h, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(h->log + h->log_len, sizeof(h->log) - h->log_len, fmt, ap);
    va_end(ap);
    if (n > 0 && h->log_len + (size_t)n < sizeof(h->log))
        h->log_len += (size_t)n;
}

static void fail_at(struct host *h, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    char text[512];

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    print_error("%s:%d: %s\nthe trace so far:\n%s", file, line, text, h->log);
    _fail(file, line);
}

static const char *flags_text(unsigned flags, char *buf)
{
    static const char names[] = "FSRPAUEC";
    char *at = buf;

    for (unsigned i = 0; i < 8; i++) {
        if (flags & 1u << i)
            *at++ = names[i];
    }
    *at = 0;
    return buf;
}

static void note_segment(struct host *h, const char *who, const struct tcp_hdr *t, seq_t seq0, seq_t ack0,
                         uint32_t len)
{
    char flags[9];

    note(h, "%9.6f %s %-3s seq %u len %u ack %u win %u", (double)(h->now_us - h->opts.start_us) / 1e6, who,
         flags_text(t->flags, flags), t->seq - seq0, len, t->flags & TCP_ACK ? t->ack - ack0 : 0, t->window);
    if (t->opts.has_mss)
        note(h, " mss %u", t->opts.mss);
    if (t->opts.has_wscale)
        note(h, " wscale %u", t->opts.wscale);
    if (t->opts.has_ts)
        note(h, " ts %u/%u", t->opts.ts_val, t->opts.ts_ecr);
    note(h, "\n");
}

/* ---- the host's side ---- */

static struct pkt *op_alloc(void *ctx)
{
    struct host *h = ctx;

    return test_pkt_alloc(&h->pkts);
}

static enum status op_output(void *ctx, struct pkt *p, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us)
{
    struct host *h = ctx;
    struct tcp_hdr t;

    assert_int_equal(now_us, h->now_us);
    assert_int_equal(src, HOST_ADDR);
    assert_int_equal(dst, h->peer_addr);
    assert_int_equal(tcp_parse(p->data, p->len, src, dst, false, &t), ST_OK);
    if (t.flags & TCP_SYN) {
        h->iss = t.seq;
        h->port = t.src_port;
        h->iss_known = true;
    }
    if (t.opts.has_ts)
        h->ts_recent = t.opts.ts_val;
    note_segment(h, "out", &t, h->iss, h->peer_iss, p->len - t.hdr_len);
    p->next = NULL;
    *h->out_last = p;
    h->out_last = &p->next;
    return ST_OK;
}

static enum status op_route(void *ctx, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu)
{
    struct host *h = ctx;

    if (dst == 0x0a0000ffu)
        return ST_NO_ROUTE;
    *src = HOST_ADDR;
    *mtu = h->opts.mtu;
    return ST_OK;
}

static void op_event(void *ctx, struct tcp_conn *c, unsigned events)
{
    struct host *h = ctx;

    (void)c;
    h->events |= events;
}

static void op_acceptable(void *ctx, struct tcp_listener *l)
{
    (void)ctx;
    assert_true(tcp_listener_acceptable(l));
}

static const struct tcp_ops ops = {
    .alloc = op_alloc,
    .output = op_output,
    .route = op_route,
    .conn_event = op_event,
    .acceptable = op_acceptable,
};

static void opts_defaults(struct host_opts *o)
{
    o->rcvbuf = o->rcvbuf ? o->rcvbuf : 65536;
    o->sndbuf = o->sndbuf ? o->sndbuf : 65536;
    o->time_wait_us = o->time_wait_us ? o->time_wait_us : SECOND;
    o->user_timeout_us = o->user_timeout_us ? o->user_timeout_us : UINT64_MAX;
    o->max_conns = o->max_conns ? o->max_conns : 16;
    o->backlog = o->backlog ? o->backlog : 8;
    o->mtu = o->mtu ? o->mtu : 1500;
    o->port = o->port ? o->port : HOST_PORT;
    o->mss = o->mss ? o->mss : 1460;
    o->win = o->win || o->win_zero ? o->win : 65535;
    o->peer_iss = o->peer_iss ? o->peer_iss : 0x10000000u;
    o->start_us = o->start_us ? o->start_us : SECOND;
}

bool host_always_moves __attribute__((weak)) = false;

struct tcp *host_make_tcp(struct host *h)
{
    struct tcp *tcp = NULL;
    struct tcp_params params = {
        .max_conns = h->opts.max_conns,
        .rcvbuf_bytes = h->opts.rcvbuf,
        .sndbuf_bytes = h->opts.sndbuf,
        .time_wait_us = h->opts.time_wait_us == HOST_NO_TIME_WAIT ? 0 : h->opts.time_wait_us,
        .user_timeout_us = h->opts.user_timeout_us,
        .ephemeral_first = 49152,
        .ephemeral_last = 65535,
        .isn_key = {1, 2, 3},
        .no_timestamps = h->opts.no_timestamps,
        .no_wscale = h->opts.no_wscale,
        .no_delay = !h->opts.nagle,
    };

    assert_int_equal(tcp_create(&params, &ops, h, &tcp), ST_OK);
    return tcp;
}

bool host_move(struct host *h)
{
    struct mover m = {&h->tcp, &h->listener, &h->conn};
    bool moved = mover_move(&m, host_make_tcp(h), h->now_us);

    if (moved)
        note(h, "%9.6f moved\n", (double)(h->now_us - h->opts.start_us) / 1e6);
    return moved;
}

/** A step of the script begins. */
static void step(struct host *h)
{
    if (host_always_moves)
        host_move(h);
}

struct host *host_new(const struct host_opts *opts)
{
    struct host *h = calloc(1, sizeof(*h));

    assert_non_null(h);
    if (opts)
        h->opts = *opts;
    opts_defaults(&h->opts);
    h->out_last = &h->out_first;
    h->now_us = h->opts.start_us;
    h->peer_iss = h->opts.peer_iss;
    h->port = h->opts.port;
    h->peer_port = PEER_PORT;
    h->peer_addr = PEER_ADDR;
    h->pkts.room = 2048;
    h->tcp = host_make_tcp(h);
    return h;
}

void host_free(struct host *h)
{
    NO_OUT(h);
    if (h->conn)
        host_abort(h);
    if (h->listener)
        tcp_listener_close(h->listener, h->now_us);
    h->listener = NULL;
    host_discard(h);
    COUNTED(h, refused_transitions, 0);
    tcp_destroy(h->tcp);
    assert_int_equal(h->pkts.live, 0);
    free(h);
}

unsigned host_discard(struct host *h)
{
    unsigned n = 0;

    for (; h->out_first; n++) {
        struct pkt *p = h->out_first;

        h->out_first = p->next;
        pkt_free(p);
    }
    h->out_last = &h->out_first;
    return n;
}

void host_flush(struct host *h)
{
    tcp_flush(h->tcp, h->now_us);
}

void host_wait(struct host *h, uint64_t us)
{
    uint64_t end_us = h->now_us + us;

    step(h);
    host_flush(h);
    for (;;) {
        uint64_t next_us = tcp_next_deadline(h->tcp);

        if (next_us > end_us || !next_us)
            break;
        h->now_us = next_us > h->now_us ? next_us : h->now_us;
        tcp_timers(h->tcp, h->now_us);
        host_flush(h);
    }
    h->now_us = end_us;
}

/* ---- the script's side ---- */

static void set_opts(struct host *h, const struct seg *s, struct tcp_hdr *t)
{
    if (s->no_opts)
        return;
    if (s->mss != ANY) {
        t->opts.has_mss = true;
        t->opts.mss = (uint16_t)s->mss;
    }
    if (s->wscale != ANY) {
        t->opts.has_wscale = true;
        t->opts.wscale = (uint8_t)s->wscale;
    }
    if (s->ts_val != ANY || h->ts_on) {
        t->opts.has_ts = true;
        t->opts.ts_val = s->ts_val != ANY ? (uint32_t)s->ts_val : (uint32_t)(h->now_us / MS);
        t->opts.ts_ecr = s->ts_ecr != ANY ? (uint32_t)s->ts_ecr : (t->flags & TCP_ACK ? h->ts_recent : 0);
    }
}

/** A packet of the script's; want of buffers is for the host alone. */
static struct pkt *script_pkt(struct host *h)
{
    size_t limit = h->pkts.limit;
    struct pkt *p;

    h->pkts.limit = 0;
    p = test_pkt_alloc(&h->pkts);
    h->pkts.limit = limit;
    return p;
}

static void give(struct host *h, struct pkt *p)
{
    struct ipv4_hdr ip = {
        .src = h->peer_addr,
        .dst = HOST_ADDR,
        .hdr_len = 20,
        .total_len = (uint16_t)(20 + p->len),
        .ttl = 64,
        .proto = IP_PROTO_TCP,
    };

    tcp_input(h->tcp, &ip, p, h->now_us);
}

void host_in(struct host *h, const struct seg *s, bool more)
{
    struct tcp_hdr t = {
        .src_port = h->peer_port,
        .dst_port = h->port,
        .flags = (uint8_t)s->flags,
        .seq = h->peer_iss + (seq_t)(s->seq == ANY ? 0 : s->seq),
        .ack = s->flags & TCP_ACK ? h->iss + (seq_t)(s->ack == ANY ? 0 : s->ack) : 0,
        .window = (uint16_t)(s->win == ANY ? h->opts.win : s->win),
        .urgent = (uint16_t)(s->urgent == ANY ? 0 : s->urgent),
    };
    uint32_t len = (uint32_t)s->len;
    struct pkt *p = script_pkt(h);

    step(h);
    stream_fill(PEER_SEED, t.seq + !!(t.flags & TCP_SYN) - h->peer_iss, pkt_put(p, len), len);
    set_opts(h, s, &t);
    pkt_push(p, tcp_emit_len(&t));
    tcp_emit(p->data, &t, h->peer_addr, HOST_ADDR, len);
    if (s->bad_checksum)
        p->data[16] ^= 0x55;
    note_segment(h, "in ", &t, h->peer_iss, h->iss, len);
    give(h, p);
    if (!more)
        host_flush(h);
}

void host_in_options(struct host *h, unsigned flags, const uint8_t *options, uint32_t len)
{
    struct tcp_hdr t = {
        .src_port = h->peer_port,
        .dst_port = h->port,
        .flags = (uint8_t)flags,
        .seq = h->peer_iss,
        .window = h->opts.win,
    };
    struct pkt *p = script_pkt(h);

    memcpy(pkt_put(p, len), options, len);
    pkt_push(p, TCP_HDR_LEN);
    tcp_emit(p->data, &t, h->peer_addr, HOST_ADDR, len);
    p->data[12] = (uint8_t)((TCP_HDR_LEN + len) / 4 << 4);
    p->flags |= PKT_RX_L4_CSUM_OK; /* the checksum was made before the length changed */
    note_segment(h, "in ", &t, h->peer_iss, h->iss, 0);
    give(h, p);
    host_flush(h);
}

#define CHECK(field, got_)                                                                                  \
    do {                                                                                                    \
        int64_t got__ = (int64_t)(got_);                                                                    \
        if (want->field != ANY && want->field != got__)                                                     \
            fail_at(h, file, line, "%s: expected %lld, the host sent %lld", #field, (long long)want->field, \
                    (long long)got__);                                                                      \
    } while (0)

static void check_opts(struct host *h, const struct seg *want, const struct tcp_opts *o, const char *file,
                       int line)
{
    CHECK(mss, o->has_mss ? o->mss : -2);
    CHECK(wscale, o->has_wscale ? o->wscale : -2);
    CHECK(ts_val, o->has_ts ? (int64_t)o->ts_val : -2);
    CHECK(ts_ecr, o->has_ts ? (int64_t)o->ts_ecr : -2);
    if (want->no_opts && (o->has_mss || o->has_wscale || o->has_ts || o->sack_ok || o->num_sack))
        fail_at(h, file, line, "options: expected none");
}

static void check_flags(struct host *h, unsigned want, unsigned got, const char *file, int line)
{
    char a[9], b[9];

    got &= ~(unsigned)TCP_PSH;
    if (want != got)
        fail_at(h, file, line, "flags: expected %s, the host sent %s", flags_text(want, a),
                flags_text(got, b));
}

void host_out(struct host *h, const struct seg *want, const char *file, int line)
{
    struct pkt *p = h->out_first;
    struct tcp_hdr t;
    uint32_t len;

    if (!p) {
        fail_at(h, file, line, "expected a segment, the host sent none");
        return;
    }
    h->out_first = p->next;
    if (!h->out_first)
        h->out_last = &h->out_first;
    assert_int_equal(tcp_parse(p->data, p->len, HOST_ADDR, h->peer_addr, false, &t), ST_OK);
    len = p->len - t.hdr_len;
    check_flags(h, want->flags & ~(unsigned)TCP_PSH, t.flags, file, line);
    CHECK(seq, (seq_t)(t.seq - h->iss));
    CHECK(ack, (seq_t)(t.ack - h->peer_iss));
    CHECK(len, len);
    CHECK(win, t.window);
    CHECK(urgent, t.urgent);
    check_opts(h, want, &t.opts, file, line);
    if (!stream_check(HOST_SEED, t.seq - h->iss, p->data + t.hdr_len, len))
        fail_at(h, file, line, "payload: the bytes are not those of the stream");
    pkt_free(p);
}

void host_no_out(struct host *h, const char *file, int line)
{
    if (h->out_first)
        fail_at(h, file, line, "expected silence, the host sent a segment (the last ones of the trace)");
}

void host_state(struct host *h, const char *name, const char *file, int line)
{
    struct tcp_info info = {.state = "no connection"};

    if (h->conn)
        tcp_conn_info(h->conn, &info);
    if (strcmp(info.state, name))
        fail_at(h, file, line, "state: expected %s, it is %s", name, info.state);
}

void host_events(struct host *h, unsigned mask, const char *file, int line)
{
    if (h->events != mask)
        fail_at(h, file, line, "events: expected %#x, told %#x", mask, h->events);
    h->events = 0;
}

/* ---- the user ---- */

size_t host_write(struct host *h, size_t n)
{
    uint8_t buf[4096];
    size_t done = 0, put = 1;

    step(h);
    while (done < n && put) {
        size_t part = n - done < sizeof(buf) ? n - done : sizeof(buf);

        stream_fill(HOST_SEED, 1 + h->written, buf, part);
        if (tcp_write(h->conn, buf, part, h->now_us, &put) != ST_OK)
            break;
        done += put;
        h->written += put;
    }
    host_flush(h);
    return done;
}

size_t host_read(struct host *h, size_t n)
{
    uint8_t buf[4096];
    size_t done = 0, got = 1;

    step(h);
    while (done < n && got) {
        size_t part = n - done < sizeof(buf) ? n - done : sizeof(buf);

        if (tcp_read(h->conn, buf, part, false, h->now_us, &got) != ST_OK)
            break;
        assert_true(stream_check(PEER_SEED, 1 + h->read, buf, got));
        done += got;
        h->read += got;
    }
    host_flush(h);
    return done;
}

struct tcp_info host_info(const struct host *h)
{
    struct tcp_info info;

    tcp_conn_info(h->conn, &info);
    return info;
}

void host_close(struct host *h)
{
    tcp_close(h->conn, h->now_us);
    h->conn = NULL;
    host_flush(h);
}

void host_shutdown(struct host *h)
{
    assert_int_equal(tcp_shutdown_write(h->conn, h->now_us), ST_OK);
    host_flush(h);
}

void host_abort(struct host *h)
{
    tcp_abort(h->conn, h->now_us);
    h->conn = NULL;
}

void host_connect(struct host *h)
{
    struct tcp_endpoint local = {0, h->opts.port}, peer = {h->peer_addr, h->peer_port};

    assert_int_equal(tcp_connect(h->tcp, local, peer, h, h->now_us, &h->conn), ST_OK);
}

void host_accept(struct host *h)
{
    assert_int_equal(tcp_accept(h->listener, h, &h->conn), ST_OK);
}
