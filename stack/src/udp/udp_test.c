/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP sockets: ports, addresses, the bounded queue, what is sent, what is refused. */
#include "udp/udp.h"

#include "testing/test_pkt.h"
#include "testing/unit.h"
#include "wire/udp.h"

#define OURS 0x0a000001u
#define PEER 0x0a000002u
#define RCVBUF 4096u

struct net {
    struct test_pkts pkts;
    struct udp *udp;
    enum status route_status, output_status;
    unsigned readable, unreachable, sent;
    struct udp_sock *last_readable;
    struct udp_hdr last_hdr;
    ipv4_addr_t last_src, last_dst;
    uint8_t last[1500];
};

static struct pkt *net_alloc(void *ctx)
{
    return test_pkt_alloc(&((struct net *)ctx)->pkts);
}

static enum status net_output(void *ctx, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us)
{
    struct net *n = ctx;

    (void)now_us;
    assert_int_equal(udp_parse(pkt->data, pkt->len, src, dst, false, &n->last_hdr), ST_OK);
    assert_int_equal(pkt->len, n->last_hdr.len);
    memcpy(n->last, pkt->data, pkt->len);
    n->last_src = src;
    n->last_dst = dst;
    n->sent++;
    pkt_free(pkt);
    return n->output_status;
}

static enum status net_route(void *ctx, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu)
{
    (void)dst;
    *src = OURS;
    *mtu = 1500;
    return ((struct net *)ctx)->route_status;
}

static void net_readable(void *ctx, struct udp_sock *sock)
{
    struct net *n = ctx;

    n->readable++;
    n->last_readable = sock;
}

static void net_unreachable(void *ctx, const struct ipv4_hdr *ip, const struct pkt *pkt)
{
    assert_non_null(ip);
    assert_true(pkt->len >= UDP_HDR_LEN);
    ((struct net *)ctx)->unreachable++;
}

/* Which ports are bound now: what those who distribute frames are told. */
static unsigned bound[65536];

static void net_port_bound(void *ctx, uint16_t port, bool on)
{
    (void)ctx;
    assert_true(on || bound[port] > 0);
    bound[port] += on ? 1 : -1;
}

static const struct udp_ops ops = {
    .alloc = net_alloc,
    .output = net_output,
    .route = net_route,
    .readable = net_readable,
    .port_unreachable = net_unreachable,
    .port_bound = net_port_bound,
};
static const struct udp_params params = {
    .max_socks = 8, .rcvbuf_bytes = RCVBUF, .ephemeral_first = 40000, .ephemeral_last = 40003, .seed = 2};

static int setup(void **state)
{
    static struct net n;

    memset(&n, 0, sizeof(n));
    n.pkts.room = 1500;
    *state = &n;
    return udp_create(&params, &ops, &n, &n.udp) == ST_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct net *n = *state;

    udp_destroy(n->udp);
    for (unsigned port = 0; port < 65536; port++)
        if (bound[port])
            return -1;
    return n->pkts.live == 0 ? 0 : -1;
}

static struct udp_sock *sock_new(struct net *n)
{
    struct udp_sock *s = NULL;

    assert_int_equal(udp_sock_create(n->udp, n, &s), ST_OK);
    return s;
}

static struct udp_sock *sock_bound(struct net *n, ipv4_addr_t addr, uint16_t port)
{
    struct udp_sock *s = sock_new(n);

    assert_int_equal(udp_sock_bind(s, (struct udp_addr){addr, port}), ST_OK);
    return s;
}

/* A datagram from the peer. */
static void arrive(struct net *n, uint16_t from, ipv4_addr_t dst, uint16_t to, const void *data, size_t len)
{
    struct ipv4_hdr ip = {.src = PEER, .dst = dst, .proto = IP_PROTO_UDP};
    struct udp_hdr hdr = {from, to, (uint16_t)(UDP_HDR_LEN + len)};
    struct pkt *pkt = test_pkt_alloc(&n->pkts);
    uint8_t *out = pkt_put(pkt, hdr.len);

    if (!out)
        fail_msg("no room for %zu bytes", len);
    else if (len)
        memcpy(out + UDP_HDR_LEN, data, len);
    udp_emit(out, &hdr, PEER, dst);
    udp_input(n->udp, &ip, pkt, 0);
}

static void receives_whole_datagrams_in_order(void **state)
{
    struct net *n = *state;
    struct udp_sock *s = sock_bound(n, 0, 53);
    struct udp_addr from;
    size_t got, full;
    char buf[16];

    assert_false(udp_sock_readable(s));
    assert_int_equal(udp_sock_recvfrom(s, buf, 16, false, &from, &got, &full), ST_AGAIN);
    arrive(n, 1000, OURS, 53, "first", 5);
    arrive(n, 1001, OURS, 53, NULL, 0);
    arrive(n, 1002, OURS, 53, "third", 5);
    assert_int_equal(n->readable, 1);
    assert_ptr_equal(n->last_readable, s);
    assert_int_equal(udp_sock_next_len(s), 5);
    assert_int_equal(udp_sock_recvfrom(s, buf, 16, true, &from, &got, &full), ST_OK);
    assert_int_equal(udp_sock_recvfrom(s, buf, 16, false, &from, &got, &full), ST_OK);
    assert_true(got == 5 && full == 5 && from.addr == PEER && from.port == 1000);
    assert_memory_equal(buf, "first", 5);
    assert_true(udp_sock_readable(s)); /* an empty datagram is one too */
    assert_int_equal(udp_sock_recvfrom(s, buf, 16, false, &from, &got, &full), ST_OK);
    assert_true(got == 0 && from.port == 1001);
    assert_int_equal(udp_sock_recvfrom(s, buf, 3, false, NULL, &got, &full), ST_OK);
    assert_true(got == 3 && full == 5); /* the rest is lost */
    assert_false(udp_sock_readable(s));
    arrive(n, 1003, OURS, 53, "x", 1);
    assert_int_equal(n->readable, 2);
}

static void the_most_specific_socket_gets_it(void **state)
{
    struct net *n = *state;
    struct udp_sock *any = sock_bound(n, 0, 53), *ours = sock_bound(n, OURS, 53);
    struct udp_sock *joined = sock_new(n);
    struct udp_addr local;

    assert_int_equal(udp_sock_bind(joined, (struct udp_addr){OURS, 53}), ST_ADDRESS_IN_USE);
    assert_int_equal(udp_sock_bind(joined, (struct udp_addr){0, 53}), ST_ADDRESS_IN_USE);
    arrive(n, 7, OURS, 53, "a", 1);
    arrive(n, 7, 0x0a0000ff, 53, "b", 1);
    assert_true(udp_sock_readable(any) && udp_sock_readable(ours));
    assert_int_equal(udp_sock_connect(joined, (struct udp_addr){0x0a000002, 7}), ST_OK);
    udp_sock_local(joined, &local);
    assert_int_equal(local.addr, OURS);
    arrive(n, 7, OURS, local.port, "c", 1);
    arrive(n, 8, OURS, local.port, "d", 1); /* another peer */
    assert_int_equal(n->unreachable, 1);
    assert_int_equal(udp_get_counters(n->udp)->rx_datagrams, 3);
    udp_sock_destroy(ours);
    arrive(n, 7, OURS, 53, "e", 1);
    assert_int_equal(udp_get_counters(n->udp)->rx_datagrams, 4);
}

static void ephemeral_ports_run_out_and_come_back(void **state)
{
    struct net *n = *state;
    struct udp_sock *s[4], *more = sock_new(n);
    struct udp_addr local;
    unsigned seen = 0;

    for (unsigned i = 0; i < 4; i++) {
        s[i] = sock_bound(n, 0, 0);
        udp_sock_local(s[i], &local);
        seen |= 1u << (local.port - 40000);
        if (i == 0)
            assert_int_equal(local.port, 40002); /* by the seed */
    }
    assert_int_equal(seen, 15);
    assert_int_equal(udp_sock_bind(more, (struct udp_addr){0, 0}), ST_NO_ADDRESS);
    udp_sock_destroy(s[1]);
    assert_int_equal(udp_sock_bind(more, (struct udp_addr){0, 0}), ST_OK);
    assert_int_equal(udp_sock_bind(more, (struct udp_addr){0, 9}), ST_INVALID); /* twice */
    assert_int_equal(udp_sock_bind(sock_new(n), (struct udp_addr){PEER, 9}), ST_NO_ADDRESS);
}

static void bound_ports_are_told(void **state)
{
    struct net *n = *state;
    struct udp_sock *any = sock_bound(n, 0, 100), *one = sock_bound(n, OURS, 100), *asks = sock_new(n);

    assert_int_equal(bound[100], 2);
    udp_sock_destroy(any);
    assert_int_equal(bound[100], 1);
    udp_sock_destroy(one);
    assert_int_equal(bound[100], 0);
    assert_int_equal(udp_sock_connect(asks, (struct udp_addr){0x0a000002, 7}), ST_OK);
    assert_int_equal(bound[40000] + bound[40001] + bound[40002] + bound[40003], 1);
}

static void sends(void **state)
{
    struct net *n = *state;
    struct udp_sock *s = sock_new(n);
    struct udp_addr to = {PEER, 9}, peer;

    assert_int_equal(udp_sock_sendto(s, "x", 1, NULL, 0), ST_NOT_CONNECTED);
    assert_int_equal(udp_sock_sendto(s, "hello", 5, &to, 0), ST_OK);
    assert_int_equal(n->last_hdr.dst_port, 9);
    assert_in_range(n->last_hdr.src_port, 40000, 40003);
    assert_true(n->last_src == OURS && n->last_dst == PEER);
    assert_memory_equal(n->last + UDP_HDR_LEN, "hello", 5);
    assert_false(udp_sock_peer(s, &peer));
    assert_int_equal(udp_sock_connect(s, to), ST_OK);
    assert_true(udp_sock_peer(s, &peer) && peer.port == 9);
    assert_int_equal(udp_sock_sendto(s, NULL, 0, NULL, 0), ST_OK);
    assert_int_equal(n->last_hdr.len, 8);
    assert_int_equal(n->sent, 2);
    assert_int_equal(udp_get_counters(n->udp)->tx_bytes, 5);
    assert_ptr_equal(udp_sock_owner(s), n);
}

static void refuses_what_cannot_be_sent(void **state)
{
    struct net *n = *state;
    struct udp_sock *s = sock_new(n);
    struct udp_addr to = {PEER, 9}, nowhere = {0, 9}, no_port = {PEER, 0}, far = {PEER + 1, 9};
    static uint8_t big[70000];

    assert_int_equal(udp_sock_sendto(s, big, 1472, &to, 0), ST_OK);
    assert_int_equal(udp_sock_sendto(s, big, 1473, &to, 0), ST_TOO_BIG);
    assert_int_equal(udp_sock_sendto(s, big, sizeof(big), &to, 0), ST_TOO_BIG);
    assert_int_equal(udp_sock_sendto(s, big, 1, &nowhere, 0), ST_INVALID);
    assert_int_equal(udp_sock_sendto(s, big, 1, &no_port, 0), ST_INVALID);
    assert_int_equal(udp_sock_connect(s, no_port), ST_INVALID);
    n->route_status = ST_NO_ROUTE;
    assert_int_equal(udp_sock_sendto(s, big, 1, &far, 0), ST_NO_ROUTE);
    n->route_status = ST_OK;
    assert_int_equal(udp_sock_sendto(s, big, 1, &far, 0), ST_OK); /* a failure is not remembered */
    n->output_status = ST_AGAIN;
    assert_int_equal(udp_sock_sendto(s, big, 1, &to, 0), ST_AGAIN);
    assert_int_equal(udp_get_counters(n->udp)->tx_failed, 2);
    n->pkts.limit = 1;
    n->pkts.live = 1;
    assert_int_equal(udp_sock_sendto(s, big, 1, &to, 0), ST_AGAIN);
    assert_int_equal(udp_get_counters(n->udp)->tx_no_buffer, 1);
    n->pkts.live = 0;
}

/* Tiny and empty datagrams use up the queue as well, and no packet buffer is held by it. */
static void the_queue_is_bounded(void **state)
{
    struct net *n = *state;
    struct udp_sock *s = sock_bound(n, 0, 53);
    uint8_t data[1000] = {0};
    size_t got, full;

    for (unsigned i = 0; i < 10; i++)
        arrive(n, 7, OURS, 53, data, sizeof(data));
    assert_int_equal(udp_get_counters(n->udp)->rx_datagrams, 4);
    assert_int_equal(udp_get_counters(n->udp)->drop_rcvbuf_full, 6);
    for (unsigned i = 0; i < 10000; i++)
        arrive(n, 7, OURS, 53, NULL, 0);
    assert_int_equal(udp_get_counters(n->udp)->rx_datagrams, 4 + 8);
    assert_int_equal(n->pkts.live, 0);
    while (udp_sock_recvfrom(s, data, sizeof(data), false, NULL, &got, &full) == ST_OK)
        ;
    arrive(n, 7, OURS, 53, data, sizeof(data));
    assert_true(udp_sock_readable(s));
}

static void bad_datagrams_are_counted(void **state)
{
    struct net *n = *state;
    struct ipv4_hdr ip = {.src = PEER, .dst = OURS, .proto = IP_PROTO_UDP};
    static const uint8_t bad_csum[] = {0, 7, 0, 53, 0, 9, 1, 2, 'x'}, bad_len[] = {0, 7, 0, 53, 0, 7, 0, 0};

    sock_bound(n, 0, 53);
    udp_input(n->udp, &ip, test_pkt_from(&n->pkts, bad_csum, 9), 0);
    udp_input(n->udp, &ip, test_pkt_from(&n->pkts, bad_len, 8), 0);
    udp_input(n->udp, &ip, test_pkt_from(&n->pkts, bad_len, 3), 0);
    assert_int_equal(udp_get_counters(n->udp)->drop_checksum, 1);
    assert_int_equal(udp_get_counters(n->udp)->drop_bad, 2);
    arrive(n, 7, OURS, 54, "x", 1);
    assert_int_equal(udp_get_counters(n->udp)->drop_no_port, 1);
    assert_int_equal(n->unreachable, 1);
}

static void sockets_are_limited(void **state)
{
    struct net *n = *state;
    struct udp_sock *s;
    struct udp_params bad = params;
    struct udp *udp;

    for (unsigned i = 0; i < 8; i++)
        sock_new(n);
    assert_int_equal(udp_sock_create(n->udp, NULL, &s), ST_NO_MEMORY);
    bad.ephemeral_first = 0;
    assert_int_equal(udp_create(&bad, &ops, n, &udp), ST_INVALID);
}

/* ---- moving ---- */

static bool odd_sources(void *ctx, struct udp_addr local, struct udp_addr from)
{
    (void)ctx;
    assert_int_equal(local.port, 53);
    assert_int_equal(from.addr, PEER);
    return from.port % 2 == 1;
}

static const struct udp_move_ops move_odd = {odd_sources};

/** Reads all; each datagram holds its number, and those of a source must rise. */
static unsigned read_all(struct udp_sock *s, unsigned parity)
{
    struct udp_addr from;
    size_t got, full;
    uint8_t buf[16];
    unsigned n = 0;
    int last[4] = {-1, -1, -1, -1};

    for (; udp_sock_recvfrom(s, buf, sizeof(buf), false, &from, &got, &full) == ST_OK; n++) {
        assert_int_equal(from.port % 2, parity);
        assert_int_equal(got, 1u + buf[0] % 3);
        assert_true(buf[0] > last[from.port % 4]);
        last[from.port % 4] = buf[0];
    }
    return n;
}

static void unread_datagrams_move_with_their_flow(void **state)
{
    struct net *n = *state, other = {.pkts.room = 1500};
    struct udp_sock *here = sock_bound(n, 0, 53), *there;
    struct udp_cargo *cargo;
    uint8_t data[3];

    assert_int_equal(udp_create(&params, &ops, &other, &other.udp), ST_OK);
    there = sock_bound(&other, 0, 53);
    assert_null(udp_detach(n->udp, &move_odd, NULL));
    for (unsigned i = 0; i < 60; i++) {
        data[0] = (uint8_t)i;
        arrive(n, (uint16_t)(1000 + i % 4), OURS, 53, data, 1 + i % 3);
    }
    cargo = udp_detach(n->udp, &move_odd, NULL);
    assert_non_null(cargo);
    assert_null(udp_detach(n->udp, &move_odd, NULL));
    udp_attach(other.udp, cargo);
    assert_int_equal(other.readable, 1);
    data[0] = 60; /* what came later comes out later */
    arrive(&other, 1001, OURS, 53, data, 1);
    assert_int_equal(read_all(here, 0), 30);
    assert_int_equal(read_all(there, 1), 31);
    assert_int_equal(udp_get_counters(n->udp)->moved_out, 30);
    assert_int_equal(udp_get_counters(other.udp)->moved_in, 30);
    udp_destroy(other.udp);
}

static void moved_datagrams_without_a_place_are_counted(void **state)
{
    struct net *n = *state, other = {.pkts.room = 1500};
    struct udp_sock *there;
    static uint8_t big[1400];

    sock_bound(n, 0, 53);
    assert_int_equal(udp_create(&params, &ops, &other, &other.udp), ST_OK);
    arrive(n, 1001, OURS, 53, big, 1);
    udp_attach(other.udp, udp_detach(n->udp, &move_odd, NULL));
    assert_int_equal(udp_get_counters(other.udp)->drop_no_port, 1);
    there = sock_bound(&other, 0, 53);
    for (unsigned i = 0; i < 3; i++) {
        arrive(n, 1001, OURS, 53, big, sizeof(big));
        if (i)
            arrive(&other, 1001, OURS, 53, big, sizeof(big));
    }
    udp_attach(other.udp, udp_detach(n->udp, &move_odd, NULL));
    assert_int_equal(udp_get_counters(other.udp)->drop_rcvbuf_full, 2);
    arrive(n, 1001, OURS, 53, big, 1);
    udp_cargo_free(udp_detach(n->udp, &move_odd, NULL));
    udp_cargo_free(NULL);
    udp_sock_destroy(there);
    udp_destroy(other.udp);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(receives_whole_datagrams_in_order),
        TEST(the_most_specific_socket_gets_it),
        TEST(ephemeral_ports_run_out_and_come_back),
        TEST(bound_ports_are_told),
        TEST(sends),
        TEST(refuses_what_cannot_be_sent),
        TEST(the_queue_is_bounded),
        TEST(bad_datagrams_are_counted),
        TEST(sockets_are_limited),
        TEST(unread_datagrams_move_with_their_flow),
        TEST(moved_datagrams_without_a_place_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
