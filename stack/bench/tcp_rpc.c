/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How many cycles does TCP itself take, without network interface, IP and sockets? Two hosts in one thread
 * hand each other their segments: requests and answers of 64 bytes, then bulk. Usage: bench_tcp_rpc [ROUNDS].
 * Deterministic, so that `valgrind --tool=callgrind build/c/stack/bench/bench_tcp_rpc 20000` shows what
 * costs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tcp/tcp.h"

#define PKTS 256u
#define PKT_BYTES 2048u
#define RPC_BYTES 64u
#define BULK_BYTES 32768u

struct host {
    struct tcp *tcp;
    struct tcp_conn *conn;
    ipv4_addr_t addr;
    struct pkt *out[PKTS];
    unsigned num_out;
};

static struct pkt pkts[PKTS], *free_pkts;
static uint8_t memory[PKTS][PKT_BYTES];
static uint8_t buf[65536];

static void release(struct pkt *p)
{
    p->next = free_pkts;
    free_pkts = p;
}

static struct pkt *op_alloc(void *ctx)
{
    struct pkt *p = free_pkts;

    (void)ctx;
    if (!p)
        return NULL;
    free_pkts = p->next;
    p->data = p->buf + PKT_HEADROOM;
    p->len = 0;
    return p;
}

static enum status op_output(void *ctx, struct pkt *p, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us)
{
    struct host *h = ctx;

    (void)src, (void)dst, (void)now_us;
    h->out[h->num_out++] = p;
    return ST_OK;
}

static enum status op_route(void *ctx, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu)
{
    (void)dst;
    *src = ((struct host *)ctx)->addr;
    *mtu = 1500;
    return ST_OK;
}

static void op_event(void *ctx, struct tcp_conn *c, unsigned events)
{
    (void)ctx, (void)c, (void)events;
}

static void op_acceptable(void *ctx, struct tcp_listener *l)
{
    (void)ctx, (void)l;
}

static enum status host_open(struct host *h, ipv4_addr_t addr)
{
    static const struct tcp_ops ops = {
        .alloc = op_alloc,
        .output = op_output,
        .route = op_route,
        .conn_event = op_event,
        .acceptable = op_acceptable,
    };
    struct tcp_params params = {
        .max_conns = 1000,
        .rcvbuf_bytes = 262144,
        .sndbuf_bytes = 262144,
        .user_timeout_us = UINT64_MAX,
        .ephemeral_first = 49152,
        .ephemeral_last = 65535,
        .no_delay = true,
    };

    h->addr = addr;
    return tcp_create(&params, &ops, h, &h->tcp);
}

/** What a poll round does: timers, flush, and the segments reach the other side. */
static void pass(struct host *from, struct host *to, uint64_t now_us)
{
    struct ipv4_hdr ip = {.src = from->addr, .dst = to->addr, .hdr_len = 20, .proto = IP_PROTO_TCP};

    tcp_timers(from->tcp, now_us);
    tcp_flush(from->tcp, now_us);
    for (unsigned i = 0; i < from->num_out; i++)
        tcp_input(to->tcp, &ip, from->out[i], now_us);
    from->num_out = 0;
}

static size_t read_all(struct host *h, uint64_t now_us)
{
    size_t got, sum = 0;

    while (tcp_read(h->conn, buf, sizeof(buf), false, now_us, &got) == ST_OK && got)
        sum += got;
    return sum;
}

static uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/** Rounds of a request one way and, when answered, the same back. Returns the bytes that arrived. */
static uint64_t exchange(struct host *a, struct host *b, unsigned rounds, size_t len, bool answered)
{
    uint64_t now_us = 1000000, sum = 0;
    size_t put;

    for (unsigned i = 0; i < rounds; i++, now_us += 10) {
        tcp_write(a->conn, buf, len, now_us, &put);
        pass(a, b, now_us);
        sum += read_all(b, now_us);
        if (answered)
            tcp_write(b->conn, buf, len, now_us, &put);
        pass(b, a, now_us);
        sum += answered ? read_all(a, now_us) : 0;
    }
    return sum;
}

static int connect_hosts(struct host *a, struct host *b)
{
    struct tcp_listener *l;

    if (host_open(a, 0x0a000001) != ST_OK || host_open(b, 0x0a000002) != ST_OK ||
        tcp_listen(b->tcp, (struct tcp_endpoint){0, 80}, 8, b, &l) != ST_OK ||
        tcp_connect(a->tcp, (struct tcp_endpoint){0, 0}, (struct tcp_endpoint){b->addr, 80}, a, 0, &a->conn))
        return 1;
    for (unsigned i = 0; i < 2; i++) {
        pass(a, b, 0);
        pass(b, a, 0);
    }
    return tcp_accept(l, b, &b->conn) != ST_OK;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 500000;
    struct host a = {0}, b = {0};
    uint64_t begin_ns, bytes;

    for (unsigned i = 0; i < PKTS; i++) {
        pkts[i] = (struct pkt){.buf = memory[i], .size = PKT_BYTES, .release = release};
        release(&pkts[i]);
    }
    if (connect_hosts(&a, &b)) {
        fprintf(stderr, "bench_tcp_rpc: the hosts did not connect\n");
        return 1;
    }
    begin_ns = clock_ns();
    bytes = exchange(&a, &b, rounds, RPC_BYTES, true);
    if (bytes != 2ull * RPC_BYTES * rounds)
        return 1;
    printf("requests of %u bytes: %.0f ns a round trip, both sides together\n", RPC_BYTES,
           (double)(clock_ns() - begin_ns) / rounds);
    begin_ns = clock_ns();
    bytes = exchange(&a, &b, rounds / 10, BULK_BYTES, false);
    printf("bulk: %.2f ns a byte, both sides together (%" PRIu64 " bytes)\n",
           (double)(clock_ns() - begin_ns) / (double)bytes, bytes);
    tcp_destroy(a.tcp);
    tcp_destroy(b.tcp);
    return 0;
}
