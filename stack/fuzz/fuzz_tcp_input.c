/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The TCP state machine: a sequence of segments near the host's own sequence numbers, calls of a user,
 * passing time and missing buffers, over four connections that the peer opens and four that the host opens.
 * Oracles: every byte carries its sequence number, so what the user reads and what the host sends must be
 * consecutive; every segment sent must parse; at the end no packet may be left. */
#include "fuzz.h"

#include "tcp/tcp.h"
#include "testing/test_pkt.h"
#include "wire/tcp.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u
#define PORT 80
#define SLOTS 8u
#define PASSIVE 4u /* the first slots are opened by the peer */

/* A four-tuple. The peer knows of the host what the host has sent. */
struct slot {
    struct tcp_conn *conn; /* held by the user */
    bool read_any;
    uint8_t next_read;
    uint64_t written;
    seq_t iss, snd_nxt, rcv_nxt;
    bool seen;      /* the host has sent something: iss, snd_nxt, rcv_nxt are known */
    bool peer_any;  /* the peer has sent something: peer_end is known */
    seq_t peer_end; /* what the peer has sent at most */
};

struct host {
    struct test_pkts pkts;
    struct tcp *tcp;
    struct tcp_listener *listener;
    struct slot slot[SLOTS];
    uint64_t now_us;
    bool was_short; /* buffers were missing once: a SYN may have been lost before the peer saw it */
};

enum {
    OP_SEGMENT,
    OP_SEGMENT_EXACT,
    OP_ACCEPT,
    OP_READ,
    OP_WRITE,
    OP_CLOSE,
    OP_CONNECT,
    OP_TIME,
    OP_LIMIT,
    OPS
};

static struct slot *slot_of_port(struct host *h, uint16_t peer_port)
{
    unsigned i = peer_port - 5000u;

    FUZZ_CHECK(i < SLOTS);
    return &h->slot[i];
}

static struct pkt *op_alloc(void *ctx)
{
    return test_pkt_alloc(&((struct host *)ctx)->pkts);
}

static void check_sent(struct host *h, const struct pkt *pkt, const struct tcp_hdr *t)
{
    struct slot *s = slot_of_port(h, t->dst_port);
    const uint8_t *payload = pkt->data + t->hdr_len;
    uint32_t len = pkt->len - t->hdr_len;

    if (t->flags & TCP_RST)
        return;
    if (t->flags & TCP_SYN)
        s->iss = s->snd_nxt = t->seq;
    for (uint32_t i = 0; i < len && !h->was_short; i++)
        FUZZ_CHECK(payload[i] == (uint8_t)(t->seq + i - s->iss - 1));
    len += !!(t->flags & TCP_SYN) + !!(t->flags & TCP_FIN);
    if (seq_gt(t->seq + len, s->snd_nxt))
        s->snd_nxt = t->seq + len;
    if (t->flags & TCP_ACK) {
        FUZZ_CHECK(!seq_gt(t->ack, s->peer_end));
        s->rcv_nxt = t->ack;
    }
    s->seen = true;
}

static enum status op_output(void *ctx, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us)
{
    struct tcp_hdr t;

    (void)now_us;
    FUZZ_CHECK(src == HOST && dst == PEER && pkt->len <= 1480);
    FUZZ_CHECK(pkt_headroom(pkt) >= 34);
    FUZZ_CHECK(tcp_parse(pkt->data, pkt->len, src, dst, false, &t) == ST_OK);
    check_sent(ctx, pkt, &t);
    pkt_free(pkt);
    return ST_OK;
}

static enum status op_route(void *ctx, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu)
{
    (void)ctx;
    (void)dst;
    *src = HOST;
    *mtu = 1500;
    return ST_OK;
}

static void op_conn_event(void *ctx, struct tcp_conn *c, unsigned events)
{
    (void)ctx;
    FUZZ_CHECK(tcp_conn_owner(c) && events);
}

static void op_acceptable(void *ctx, struct tcp_listener *l)
{
    FUZZ_CHECK(l == ((struct host *)ctx)->listener);
}

static const struct tcp_ops ops = {
    .alloc = op_alloc,
    .output = op_output,
    .route = op_route,
    .conn_event = op_conn_event,
    .acceptable = op_acceptable,
};

static void read_options(struct fuzz_input *in, uint8_t which, struct tcp_opts *o)
{
    o->has_mss = which & 1;
    o->mss = o->has_mss ? fuzz_u16(in) : 0;
    o->has_wscale = which & 2;
    o->wscale = o->has_wscale ? fuzz_u8(in) : 0;
    o->has_ts = which & 4;
    if (o->has_ts) {
        o->ts_val = fuzz_u16(in);
        o->ts_ecr = fuzz_u16(in);
    }
    o->sack_ok = which & 8;
    o->num_sack = which & 16 ? 1 : 0;
}

static void note_peer_end(struct slot *s, seq_t end)
{
    if (!s->peer_any || seq_gt(end, s->peer_end))
        s->peer_end = end;
    s->peer_any = true;
}

/* A segment from the peer; `exact` = at the next expected sequence number, acknowledging everything. */
static void op_segment(struct host *h, struct fuzz_input *in, bool exact)
{
    uint8_t pick = fuzz_u8(in), bits = fuzz_u8(in);
    unsigned i = pick % SLOTS;
    struct slot *s = &h->slot[i];
    struct ipv4_hdr ip = {.src = PEER, .dst = HOST, .proto = IP_PROTO_TCP, .ttl = 64};
    struct tcp_hdr t = {.src_port = (uint16_t)(5000 + i),
                        .dst_port = i < PASSIVE ? PORT : (uint16_t)(6000 + i)};
    uint32_t len = fuzz_u8(in) % 200 * 7u;
    struct pkt *pkt = test_pkt_alloc(&h->pkts);
    uint8_t *out;

    if (!pkt)
        return;
    t.flags = bits;
    t.seq = s->seen ? s->rcv_nxt : 0xffffff00u;
    t.ack = s->snd_nxt;
    t.window = 0xffff;
    if (!exact) {
        t.seq += (uint32_t)(int16_t)fuzz_u16(in);
        t.ack += (uint32_t)(int16_t)fuzz_u16(in);
        t.window = fuzz_u16(in);
        t.urgent = t.flags & TCP_URG ? 3 : 0;
    }
    if (pick & 0x80)
        read_options(in, fuzz_u8(in), &t.opts);
    if (t.flags & TCP_SYN)
        len = 0;
    note_peer_end(s, t.seq + len + !!(t.flags & TCP_SYN) + !!(t.flags & TCP_FIN));
    out = pkt_put(pkt, tcp_emit_len(&t) + len);
    for (uint32_t k = 0; k < len; k++)
        out[tcp_emit_len(&t) + k] = (uint8_t)(t.seq + k);
    tcp_emit(out, &t, PEER, HOST, len);
    tcp_input(h->tcp, &ip, pkt, h->now_us);
}

static void op_accept(struct host *h)
{
    struct tcp_endpoint peer;
    struct tcp_conn *c;
    struct slot *s;

    if (tcp_accept(h->listener, h, &c) != ST_OK)
        return;
    tcp_conn_peer(c, &peer);
    s = slot_of_port(h, peer.port);
    if (s->conn) /* an older one of the same four-tuple that is dead already */
        tcp_abort(s->conn, h->now_us);
    s->conn = c;
    s->read_any = false;
    s->written = 0;
}

static void op_read(struct host *h, struct slot *s, struct fuzz_input *in)
{
    uint8_t buf[8192];
    bool peek = fuzz_u8(in) & 1;
    size_t got = 0;

    if (tcp_read(s->conn, buf, fuzz_u16(in) % sizeof(buf), peek, h->now_us, &got) != ST_OK)
        return;
    for (size_t i = 0; i < got; i++) {
        FUZZ_CHECK(!s->read_any || buf[i] == (uint8_t)(s->next_read + i));
        if (!s->read_any) {
            s->read_any = true;
            s->next_read = buf[0];
        }
    }
    if (!peek)
        s->next_read = (uint8_t)(s->next_read + got);
}

static void op_write(struct host *h, struct slot *s, struct fuzz_input *in)
{
    uint8_t buf[8192];
    size_t put = 0, len = fuzz_u16(in) % sizeof(buf);

    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)(s->written + i);
    if (tcp_write(s->conn, buf, len, h->now_us, &put) == ST_OK)
        s->written += put;
}

static void op_close(struct host *h, struct slot *s, uint8_t how)
{
    if (how % 3 == 0) {
        tcp_shutdown_write(s->conn, h->now_us);
        return;
    }
    if (how % 3 == 1)
        tcp_close(s->conn, h->now_us);
    else
        tcp_abort(s->conn, h->now_us);
    s->conn = NULL;
}

static void op_connect(struct host *h, unsigned i)
{
    struct tcp_endpoint local = {HOST, (uint16_t)(6000 + i)}, peer = {PEER, (uint16_t)(5000 + i)};
    struct slot *s = &h->slot[i];

    if (s->conn || tcp_connect(h->tcp, local, peer, h, h->now_us, &s->conn) != ST_OK)
        return;
    s->read_any = false;
    s->written = 0;
}

static void op_time(struct host *h, uint64_t end_us)
{
    for (unsigned n = 0; n < 2000 && tcp_next_deadline(h->tcp) <= end_us; n++) {
        uint64_t next_us = tcp_next_deadline(h->tcp);

        if (next_us > h->now_us)
            h->now_us = next_us;
        tcp_timers(h->tcp, h->now_us);
        tcp_flush(h->tcp, h->now_us);
    }
    h->now_us = end_us;
}

/* What a user does with a connection that he may not have. */
static void user_step(struct host *h, unsigned op, struct fuzz_input *in)
{
    struct slot *s = &h->slot[fuzz_u8(in) % SLOTS];

    if (!s->conn)
        return;
    if (op == OP_READ)
        op_read(h, s, in);
    else if (op == OP_WRITE)
        op_write(h, s, in);
    else
        op_close(h, s, fuzz_u8(in));
}

static void step(struct host *h, struct fuzz_input *in)
{
    uint8_t op = fuzz_u8(in);

    switch ((op & 0x7f) % OPS) {
    case OP_SEGMENT:
    case OP_SEGMENT_EXACT:
        op_segment(h, in, (op & 0x7f) % OPS == OP_SEGMENT_EXACT);
        break;
    case OP_ACCEPT:
        op_accept(h);
        break;
    case OP_CONNECT:
        op_connect(h, PASSIVE + fuzz_u8(in) % (SLOTS - PASSIVE));
        break;
    case OP_TIME:
        op_time(h, h->now_us + (uint64_t)fuzz_u16(in) * (op & 0x80 ? 10000u : 10u));
        break;
    case OP_LIMIT:
        h->pkts.limit = fuzz_u8(in) % 8;
        h->was_short = h->was_short || h->pkts.limit;
        break;
    default:
        user_step(h, (op & 0x7f) % OPS, in);
        break;
    }
    tcp_flush(h->tcp, h->now_us);
    FUZZ_CHECK(tcp_num_conns(h->tcp) <= 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct host h = {.pkts.room = 1514, .now_us = 1000000};
    struct tcp_params params = {.max_conns = 6,
                                .rcvbuf_bytes = 4096,
                                .sndbuf_bytes = 4096,
                                .time_wait_us = fuzz_u8(&in) & 1 ? 1000000 : 0,
                                .user_timeout_us = UINT64_MAX,
                                .ephemeral_first = 40000,
                                .ephemeral_last = 40100,
                                .no_delay = true};

    FUZZ_CHECK(tcp_create(&params, &ops, &h, &h.tcp) == ST_OK);
    FUZZ_CHECK(tcp_listen(h.tcp, (struct tcp_endpoint){0, PORT}, 4, &h, &h.listener) == ST_OK);
    for (unsigned n = 0; in.left && n < 500; n++)
        step(&h, &in);
    tcp_destroy(h.tcp);
    FUZZ_CHECK(h.pkts.live == 0);
    return 0;
}
