/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The internet layer from frame to frame: ARP exchanges, IPv4 checks, ICMP, routes. Every test ends with all
 * packets given back. */
#include "inet/inet.h"

#include "base/byteorder.h"
#include "base/prng.h"
#include "testing/inet_world.h"
#include "testing/unit.h"
#include "wire/icmp.h"

#define S 1000000u
#define PEER 0x0a000002u

static const struct eth_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static int setup(void **state)
{
    *state = inet_world_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    return inet_world_destroy(*state) == 0 ? 0 : -1;
}

static const struct inet_counters *counters(struct inet_world *w)
{
    return inet_worker_counters(w->port[0].iw);
}

static struct arp_pkt request_from(unsigned n, ipv4_addr_t target)
{
    return (struct arp_pkt){
        .op = ARP_REQUEST, .sender_mac = world_mac(n), .sender_addr = 0x0a000000 | n, .target_addr = target};
}

/* Whether a packet to addr goes out at once, and to which MAC. */
static bool goes_out(struct inet_world *w, ipv4_addr_t addr, struct eth_addr *to)
{
    inet_world_forget(w);
    assert_int_equal(world_output(w, 0, addr, 10), ST_OK);
    assert_int_equal(w->num_sent, 1);
    *to = w->sent[0].eth.dst;
    return w->sent[0].eth.type == ETH_TYPE_IPV4;
}

static void asks_queues_and_sends(void **state)
{
    struct inet_world *w = *state;

    assert_int_equal(world_output(w, 0, PEER, 100), ST_OK);
    assert_int_equal(world_output(w, 0, PEER, 101), ST_OK);
    assert_int_equal(w->num_sent, 1);
    assert_true(eth_addr_is_broadcast(w->sent[0].eth.dst));
    assert_int_equal(w->sent[0].arp.op, ARP_REQUEST);
    assert_int_equal(w->sent[0].arp.target_addr, PEER);
    assert_int_equal(w->sent[0].arp.sender_addr, WORLD_ADDR);
    inet_world_forget(w);
    world_input_reply(w, 0, 2);
    assert_int_equal(w->num_sent, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(eth_addr_equal(w->sent[i].eth.dst, world_mac(2)));
        assert_true(eth_addr_equal(w->sent[i].eth.src, world_mac(1)));
        assert_int_equal(w->sent[i].ip.total_len, 20 + 100 + i);
        assert_int_equal(w->sent[i].ip.src, WORLD_ADDR);
        assert_int_equal(w->sent[i].ip.ttl, 64);
    }
}

static void an_answer_to_another_worker_serves_too(void **state)
{
    struct inet_world *w = *state;

    world_output(w, 0, PEER, 100);
    inet_world_forget(w);
    world_input_reply(w, 1, 2);
    assert_int_equal(w->num_sent, 0);
    inet_world_run(w, 2000);
    assert_int_equal(w->num_sent, 1);
    assert_int_equal(w->sent[0].worker, 0);
}

static void a_dead_neighbour_is_reported(void **state)
{
    struct inet_world *w = *state;

    world_output(w, 0, PEER, 100);
    world_output(w, 0, PEER, 100);
    inet_world_run(w, 15 * S + S / 2);
    assert_int_equal(w->num_sent, 16);
    assert_int_equal(w->num_unreachable, 0);
    inet_world_run(w, S);
    assert_int_equal(w->num_sent, 16);
    assert_int_equal(w->num_unreachable, 1);
    assert_int_equal(w->last_unreachable, PEER);
    assert_int_equal(counters(w)->drop_arp_failed, 2);
    inet_world_run(w, 100 * S);
    assert_int_equal(w->num_sent, 16);
    world_output(w, 0, PEER, 100); /* the next packet tries again */
    assert_int_equal(w->num_sent, 17);
}

static void waiting_packets_are_bounded(void **state)
{
    struct inet_world *w = *state;

    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(world_output(w, 0, PEER, 10), ST_OK);
    assert_true(w->pkts.live < 150);
    assert_int_equal(counters(w)->drop_arp_queue_full, 5000 - 128);
    for (unsigned i = 0; i < 5000; i++)
        world_output(w, 0, 0x0a000003 + i % 200, 10);
    assert_in_range(w->pkts.live, 512, 512 + 64 + 25); /* waiting, requests sent, sent to the static entry */
    inet_world_run(w, 20 * S);
    inet_world_forget(w);
    assert_int_equal(w->pkts.live, 0);
}

static void answers_requests_on_any_worker_and_learns_the_asker(void **state)
{
    struct inet_world *w = *state;
    struct arp_pkt req = request_from(2, WORLD_ADDR);
    struct eth_addr to;

    for (unsigned worker = 0; worker < WORLD_WORKERS; worker++) {
        world_input_arp(w, worker, &req, broadcast);
        assert_int_equal(w->num_sent, 1);
        assert_int_equal(w->sent[0].worker, worker);
        assert_int_equal(w->sent[0].arp.op, ARP_REPLY);
        assert_int_equal(w->sent[0].arp.sender_addr, WORLD_ADDR);
        assert_true(eth_addr_equal(w->sent[0].arp.sender_mac, world_mac(1)));
        assert_true(eth_addr_equal(w->sent[0].eth.dst, world_mac(2)));
        inet_world_forget(w);
    }
    assert_true(goes_out(w, PEER, &to));
    assert_true(eth_addr_equal(to, world_mac(2)));
}

static void does_not_learn_what_is_not_for_us(void **state)
{
    struct inet_world *w = *state;
    struct arp_pkt other = request_from(3, 0x0a000009), probe = request_from(5, WORLD_ADDR);
    struct arp_pkt foreign = request_from(6, WORLD_ADDR);
    struct eth_addr to;

    world_input_arp(w, 0, &other, broadcast);
    world_input_reply(w, 0, 4); /* nobody asked */
    assert_int_equal(w->num_sent, 0);
    probe.sender_addr = 0;
    world_input_arp(w, 0, &probe, broadcast);
    assert_int_equal(w->num_sent, 1); /* a probe is answered */
    foreign.sender_addr = 0xc0a80001;
    world_input_arp(w, 0, &foreign, broadcast); /* not a neighbour: answered, not learned */
    assert_false(goes_out(w, 0x0a000003, &to));
    assert_false(goes_out(w, 0x0a000004, &to));
    assert_false(goes_out(w, 0x0a000005, &to));
}

static void refuses_liars(void **state)
{
    struct inet_world *w = *state;
    struct arp_pkt arp = request_from(2, WORLD_ADDR);
    uint8_t frame[ETH_HDR_LEN + ARP_PKT_LEN];
    struct eth_hdr eth = {broadcast, world_mac(7), ETH_TYPE_ARP};

    eth_emit(frame, &eth); /* another source in the Ethernet header */
    arp_emit(frame + ETH_HDR_LEN, &arp);
    world_input(w, 0, frame, sizeof(frame));
    arp.sender_addr = 0x0a0000ff; /* the broadcast address */
    world_input_arp(w, 0, &arp, broadcast);
    arp.sender_addr = 0xe0000001;
    world_input_arp(w, 0, &arp, broadcast);
    arp.sender_addr = PEER;
    arp.sender_mac = broadcast;
    world_input_arp(w, 0, &arp, broadcast);
    assert_int_equal(counters(w)->drop_arp_bad, 4);
    arp = request_from(2, WORLD_ADDR);
    arp.sender_addr = WORLD_ADDR; /* somebody claims our address */
    world_input_arp(w, 0, &arp, broadcast);
    assert_int_equal(counters(w)->drop_arp_conflict, 1);
    assert_int_equal(w->num_sent, 0);
}

static void a_static_entry_withstands_a_spoofer(void **state)
{
    struct inet_world *w = *state;
    struct arp_pkt spoof = request_from(66, WORLD_ADDR);
    struct eth_addr to;

    spoof.sender_addr = WORLD_STATIC;
    world_input_arp(w, 0, &spoof, broadcast);
    assert_int_equal(counters(w)->drop_arp_static, 1);
    assert_true(goes_out(w, WORLD_STATIC, &to));
    assert_true(eth_addr_equal(to, world_mac(99)));
    inet_world_run(w, 1000 * (uint64_t)S);
    assert_true(goes_out(w, WORLD_STATIC, &to));
}

static void a_moved_neighbour_is_followed(void **state)
{
    struct inet_world *w = *state;
    struct arp_pkt announce = request_from(2, PEER);
    struct eth_addr to;

    world_output(w, 0, PEER, 1);
    world_input_reply(w, 0, 2);
    announce.sender_mac = world_mac(77);
    world_input_arp(w, 0, &announce, broadcast);
    assert_int_equal(counters(w)->arp_changed, 1);
    assert_true(goes_out(w, PEER, &to));
    assert_true(eth_addr_equal(to, world_mac(77)));
}

static void a_used_neighbour_is_confirmed_by_unicast(void **state)
{
    struct inet_world *w = *state;

    world_output(w, 0, PEER, 1);
    world_input_reply(w, 0, 2);
    inet_world_run(w, 59 * S);
    world_output(w, 0, PEER, 1);
    inet_world_forget(w);
    inet_world_run(w, 2 * S);
    assert_true(w->num_sent >= 1);
    assert_int_equal(w->sent[0].arp.op, ARP_REQUEST);
    assert_true(eth_addr_equal(w->sent[0].eth.dst, world_mac(2)));
}

static void our_own_frames_that_come_back_are_ignored(void **state)
{
    struct inet_world *w = *state;
    struct arp_pkt ours = request_from(1, PEER);

    world_input_arp(w, 0, &ours, broadcast);
    assert_int_equal(counters(w)->drop_eth_own, 1);
    assert_int_equal(counters(w)->drop_arp_conflict, 0);
}

static void frames_for_others_are_dropped(void **state)
{
    struct inet_world *w = *state;
    uint8_t frame[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 2, 8, 0};

    world_input(w, 0, frame, sizeof(frame));
    assert_int_equal(counters(w)->drop_eth_dst, 1);
    frame[5] = 1;
    frame[12] = 0x86;
    frame[13] = 0xdd;
    world_input(w, 0, frame, sizeof(frame));
    assert_int_equal(counters(w)->drop_eth_type, 1);
    world_input(w, 0, frame, 13);
    assert_int_equal(counters(w)->drop_eth_short, 1);
    assert_int_equal(counters(w)->rx_frames, 3);
}

static void delivers_what_is_ours_without_padding(void **state)
{
    struct inet_world *w = *state;
    struct ipv4_hdr ip = {.src = PEER, .dst = WORLD_ADDR, .ttl = 1, .proto = IP_PROTO_TCP};
    uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};

    ip.total_len = 25;
    ipv4_emit(frame + 14, &ip);
    world_input(w, 1, frame, sizeof(frame));
    assert_int_equal(w->num_delivered, 1);
    assert_int_equal(w->delivered[0].worker, 1);
    assert_int_equal(w->delivered[0].pkt->len, 5);
    assert_int_equal(w->delivered[0].ip.src, PEER);
    assert_ptr_equal(w->delivered[0].pkt->data, w->delivered[0].pkt->buf + PKT_HEADROOM + 34);
}

static void ipv4_is_checked(void **state)
{
    struct inet_world *w = *state;
    const struct inet_counters *c = counters(w);
    const struct {
        struct ipv4_hdr ip;
        const uint64_t *counter;
    } cases[] = {
        {{.src = 0x7f000001, .dst = WORLD_ADDR, .proto = 17}, &c->drop_ip_src},
        {{.src = 0xe0000001, .dst = WORLD_ADDR, .proto = 17}, &c->drop_ip_src},
        {{.src = 0xffffffff, .dst = WORLD_ADDR, .proto = 17}, &c->drop_ip_src},
        {{.src = 0x0a0000ff, .dst = WORLD_ADDR, .proto = 17}, &c->drop_ip_src},
        {{.src = 0, .dst = WORLD_ADDR, .proto = 17}, &c->drop_ip_src},
        {{.src = WORLD_ADDR, .dst = WORLD_ADDR, .proto = 17}, &c->drop_ip_src},
        {{.src = PEER, .dst = 0x0a000005, .proto = 17}, &c->drop_ip_dst},
        {{.src = PEER, .dst = 0xe0000001, .proto = 17}, &c->drop_ip_dst},
        {{.src = PEER, .dst = 0x0a0000ff, .proto = 6}, &c->drop_ip_broadcast},
        {{.src = PEER, .dst = 0xffffffff, .proto = 1}, &c->drop_ip_broadcast},
        {{.src = PEER, .dst = WORLD_ADDR, .proto = 17, .more_frags = true}, &c->drop_frag_bad},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t before = *cases[i].counter;

        world_input_ip(w, 0, cases[i].ip, "x", 1);
        assert_int_equal(*cases[i].counter, before + 1);
    }
    assert_int_equal(w->num_delivered, 0);
    world_input_ip(w, 0, (struct ipv4_hdr){.src = PEER, .dst = 0x0a0000ff, .proto = 17}, "x", 1);
    assert_int_equal(w->num_delivered, 1); /* UDP may be broadcast */
}

static void bad_headers_are_counted(void **state)
{
    struct inet_world *w = *state;
    struct ipv4_hdr ip = {.src = PEER, .dst = WORLD_ADDR, .total_len = 20, .proto = 17};
    uint8_t frame[34] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};

    ipv4_emit(frame + 14, &ip);
    world_input(w, 0, frame, 33);
    assert_int_equal(counters(w)->drop_ip_bad, 1);
    frame[22] ^= 1;
    world_input(w, 0, frame, 34);
    assert_int_equal(counters(w)->drop_ip_checksum, 1);
}

static void answers_echo_up_to_the_mtu(void **state)
{
    struct inet_world *w = *state;
    struct ipv4_hdr ip = {.src = PEER, .dst = WORLD_ADDR, .proto = IP_PROTO_ICMP};
    struct icmp_hdr req = {.type = ICMP_ECHO_REQUEST, .rest = 0xabcd0007}, back;
    struct arp_pkt arp = request_from(2, WORLD_ADDR);
    uint8_t msg[1480];

    world_input_arp(w, 0, &arp, broadcast);
    for (uint32_t len = 8; len <= sizeof(msg); len += 184) {
        inet_world_forget(w);
        memset(msg, (int)len, sizeof(msg));
        icmp_emit(msg, &req, len - 8);
        world_input_ip(w, 0, ip, msg, len);
        assert_int_equal(w->num_sent, 1);
        assert_int_equal(w->sent[0].ip.src, WORLD_ADDR);
        assert_int_equal(w->sent[0].ip.dst, PEER);
        assert_int_equal(icmp_parse(w->sent[0].pkt->data + 34, len, &back), ST_OK);
        assert_true(back.type == ICMP_ECHO_REPLY && back.rest == req.rest);
        assert_memory_equal(w->sent[0].pkt->data + 42, msg + 8, len - 8);
    }
}

static void bad_icmp_is_not_answered(void **state)
{
    struct inet_world *w = *state;
    struct ipv4_hdr ip = {.src = PEER, .dst = WORLD_ADDR, .proto = IP_PROTO_ICMP};
    struct icmp_hdr req = {.type = ICMP_ECHO_REQUEST};
    uint8_t msg[16] = {0};

    icmp_emit(msg, &req, 8);
    world_input_ip(w, 0, ip, msg, 7);
    msg[9] ^= 1;
    world_input_ip(w, 0, ip, msg, 16);
    assert_int_equal(counters(w)->drop_icmp_bad, 2);
    req.type = 13;
    icmp_emit(msg, &req, 8);
    world_input_ip(w, 0, ip, msg, 16);
    assert_int_equal(counters(w)->drop_icmp_type, 1);
    assert_int_equal(w->num_sent, 0);
}

static void port_unreachable_quotes_and_is_rate_limited(void **state)
{
    struct inet_world *w = *state;
    struct ipv4_hdr quoted, ip = {.src = PEER, .dst = WORLD_ADDR, .proto = IP_PROTO_UDP};
    struct arp_pkt arp = request_from(2, WORLD_ADDR);
    const uint8_t *icmp;

    world_input_arp(w, 0, &arp, broadcast);
    inet_world_forget(w);
    world_input_ip(w, 0, ip, "datagram", 8);
    inet_port_unreachable(w->port[0].iw, &w->delivered[0].ip, w->delivered[0].pkt, w->now_us);
    assert_int_equal(w->num_sent, 1);
    icmp = w->sent[0].pkt->data + 34;
    assert_int_equal(icmp[0], 3);
    assert_int_equal(icmp[1], 3);
    assert_int_equal(ipv4_parse(icmp + 8, 28, false, &quoted), ST_OK);
    assert_int_equal(quoted.src, PEER);
    assert_memory_equal(icmp + 28, "datagram", 8);
    for (unsigned i = 0; i < 500; i++)
        inet_port_unreachable(w->port[0].iw, &w->delivered[0].ip, w->delivered[0].pkt, w->now_us);
    assert_int_equal(counters(w)->tx_icmp_unreachable, 20);
    assert_int_equal(counters(w)->drop_icmp_rate, 481);
    w->now_us += 50000;
    for (unsigned i = 0; i < 500; i++)
        inet_port_unreachable(w->port[0].iw, &w->delivered[0].ip, w->delivered[0].pkt, w->now_us);
    assert_int_equal(counters(w)->tx_icmp_unreachable, 25);
    ip.dst = 0x0a0000ff; /* never about a broadcast */
    inet_port_unreachable(w->port[0].iw, &ip, w->delivered[0].pkt, w->now_us + S);
    assert_int_equal(counters(w)->tx_icmp_unreachable, 25);
}

static void the_way_out(void **state)
{
    struct inet_world *w = *state;
    ipv4_addr_t src;
    uint16_t mtu;

    assert_int_equal(world_output(w, 0, 0x08080808, 10), ST_OK);
    assert_int_equal(w->sent[0].arp.target_addr, WORLD_GATEWAY);
    inet_world_forget(w);
    assert_int_equal(world_output(w, 0, 0x0a0000ff, 10), ST_OK);
    assert_true(eth_addr_is_broadcast(w->sent[0].eth.dst));
    assert_int_equal(world_output(w, 0, 0xe1818283, 10), ST_OK);
    assert_memory_equal(w->sent[1].eth.dst.b, "\x01\x00\x5e\x01\x82\x83", 6);
    assert_int_equal(world_output(w, 0, 0x7f000001, 10), ST_NO_ROUTE);
    assert_int_equal(world_output(w, 0, PEER, 1481), ST_TOO_BIG);
    assert_int_equal(world_output(w, 0, PEER, 1480), ST_OK);
    assert_int_equal(inet_route_lookup(w->inet, PEER, &src, &mtu), ST_OK);
    assert_true(src == WORLD_ADDR && mtu == 1500);
    assert_int_equal(inet_route_lookup(w->inet, 0, &src, &mtu), ST_NO_ROUTE);
    assert_true(inet_is_local(w->inet, WORLD_ADDR) && !inet_is_local(w->inet, PEER));
}

static void packets_to_ourselves_come_back(void **state)
{
    struct inet_world *w = *state;

    for (unsigned i = 0; i < 300; i++)
        world_output(w, 0, WORLD_ADDR, 10);
    assert_int_equal(w->num_delivered, 0);
    inet_world_run(w, 0);
    assert_int_equal(w->num_delivered, 256);
    assert_int_equal(counters(w)->drop_local_queue_full, 44);
    assert_int_equal(w->delivered[0].pkt->len, 10);
    assert_true(w->delivered[0].pkt->flags & PKT_RX_L4_CSUM_OK);
}

static void lives_without_buffers(void **state)
{
    struct inet_world *w = *state;
    struct arp_pkt req = request_from(2, WORLD_ADDR);

    w->pkts.limit = 1; /* the request itself, whose buffer serves the answer */
    world_input_arp(w, 0, &req, broadcast);
    assert_int_equal(w->num_sent, 1);
    inet_world_forget(w);
    assert_int_equal(world_output(w, 0, 0x0a000003, 10), ST_OK); /* the packet waits; no buffer to ask with */
    assert_int_equal(w->num_sent, 0);
    assert_int_equal(counters(w)->drop_no_buffer, 1);
    w->pkts.limit = 0;
    inet_world_run(w, S);
    assert_int_equal(w->num_sent, 1); /* the retry */
}

static void bad_parameters_are_refused(void **state)
{
    struct inet_route route = {0, 0, 0x0b000001};
    struct inet_arp_entry twice[2] = {{PEER, world_mac(2)}, {PEER, world_mac(3)}};
    struct inet_params good = {.mac = world_mac(1), .addr = WORLD_ADDR, .prefix_len = 24, .mtu = 1500}, p;
    struct inet *inet;

    (void)state;
    p = good, p.addr = 0x7f000001;
    assert_int_equal(inet_create(&p, &inet), ST_INVALID);
    p = good, p.prefix_len = 33;
    assert_int_equal(inet_create(&p, &inet), ST_INVALID);
    p = good, p.mtu = 60;
    assert_int_equal(inet_create(&p, &inet), ST_INVALID);
    p = good, p.routes = &route, p.num_routes = 1; /* the gateway is elsewhere */
    assert_int_equal(inet_create(&p, &inet), ST_INVALID);
    p = good, p.static_arp = twice, p.num_static_arp = 2;
    assert_int_equal(inet_create(&p, &inet), ST_EXISTS);
}

static void the_longest_prefix_wins(void **state)
{
    const struct inet_route routes[] = {
        {0, 0, 0x0a000001}, {0xc0000000, 8, 0x0a000002}, {0xc0a80000, 16, 0x0a000003}, {0xc0a80100, 24, 0}};
    struct route_case {
        ipv4_addr_t dst, hop;
    } cases[] = {{0x08080808, 0x0a000001},
                 {0xc0000001, 0x0a000002},
                 {0xc0a80201, 0x0a000003},
                 {0xc0a80105, 0xc0a80105}};
    struct inet_params p = {.mac = world_mac(1),
                            .addr = 0x0a000009,
                            .prefix_len = 24,
                            .mtu = 1500,
                            .routes = routes,
                            .num_routes = 4};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct inet_world *w = inet_world_create_with(&p);

        world_output(w, 0, cases[i].dst, 1);
        assert_int_equal(w->sent[0].arp.target_addr, cases[i].hop);
        assert_int_equal(inet_world_destroy(w), 0);
    }
}

/* Any bytes in, no leak, no endless work; the sanitizers watch. */
static void survives_random_frames(void **state)
{
    struct inet_world *w = *state;
    struct prng g = {.state = 9};

    for (unsigned round = 0; round < 50000; round++) {
        uint8_t frame[80] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0, 0x45};
        size_t len = prng_below(&g, sizeof(frame) + 1);

        for (size_t i = 15; i < len; i++)
            frame[i] = (uint8_t)prng_next(&g);
        if (prng_below(&g, 2))
            put_be16(frame + 16, (uint16_t)(len - 14));
        frame[prng_below(&g, 16)] ^= (uint8_t)(prng_below(&g, 3) * 6);
        world_input(w, round % WORLD_WORKERS, frame, len);
        if (round % 64 == 0) {
            inet_world_run(w, prng_below(&g, S));
            inet_world_forget(w);
        }
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(asks_queues_and_sends),
        TEST(an_answer_to_another_worker_serves_too),
        TEST(a_dead_neighbour_is_reported),
        TEST(waiting_packets_are_bounded),
        TEST(answers_requests_on_any_worker_and_learns_the_asker),
        TEST(does_not_learn_what_is_not_for_us),
        TEST(refuses_liars),
        TEST(a_static_entry_withstands_a_spoofer),
        TEST(a_moved_neighbour_is_followed),
        TEST(a_used_neighbour_is_confirmed_by_unicast),
        TEST(our_own_frames_that_come_back_are_ignored),
        TEST(frames_for_others_are_dropped),
        TEST(delivers_what_is_ours_without_padding),
        TEST(ipv4_is_checked),
        TEST(bad_headers_are_counted),
        TEST(answers_echo_up_to_the_mtu),
        TEST(bad_icmp_is_not_answered),
        TEST(port_unreachable_quotes_and_is_rate_limited),
        TEST(the_way_out),
        TEST(packets_to_ourselves_come_back),
        TEST(lives_without_buffers),
        cmocka_unit_test(bad_parameters_are_refused),
        cmocka_unit_test(the_longest_prefix_wins),
        TEST(survives_random_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
