/* SPDX-License-Identifier: BSD-3-Clause */
/* HashLB: what belongs together stays together, the rest spreads evenly, and no frame makes it read too far.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "testkit.h"

enum { L2, L3, L4 };

#define CLIENT RTE_IPV4(10, 0, 0, 1)
#define SERVER RTE_IPV4(10, 0, 0, 2)
#define MF RTE_IPV4_HDR_MF_FLAG
#define NO_GATE UINT_MAX

/* Fields in the host's order. */
struct flow {
    uint32_t src, dst;
    uint8_t protocol;
    uint16_t sport, dport;
    uint8_t option_words;
    uint16_t fragment; /* as in the header: flags and offset */
    uint16_t id;
};

static const struct flow base = {
    .src = CLIENT, .dst = SERVER, .protocol = IPPROTO_TCP, .sport = 1, .dport = 80};

static struct rte_mbuf *flow_frame(const struct flow *f)
{
    struct rte_mbuf *pkt = frame(0x020000000001, 0);
    struct rte_ether_hdr *eth = rte_pktmbuf_mtod(pkt, struct rte_ether_hdr *);
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
    uint32_t ip_len = sizeof(*ip) + 4 * f->option_words;
    rte_be16_t ports[] = {rte_cpu_to_be_16(f->sport), rte_cpu_to_be_16(f->dport)};

    rte_pktmbuf_append(pkt, 4 * f->option_words);
    eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
    memset(ip, 0, ip_len);
    ip->version_ihl = RTE_IPV4_VHL_DEF + f->option_words;
    ip->packet_id = rte_cpu_to_be_16(f->id);
    ip->fragment_offset = rte_cpu_to_be_16(f->fragment);
    ip->next_proto_id = f->protocol;
    ip->src_addr = rte_cpu_to_be_32(f->src);
    ip->dst_addr = rte_cpu_to_be_32(f->dst);
    memcpy((uint8_t *)ip + ip_len, ports, sizeof(ports));
    return pkt;
}

/* Gates 0 to n_gates - 1, one share each. */
static struct module *spread_over(int mode, unsigned n_gates)
{
    int64_t args[1 + N_PROBES] = {mode};

    for (unsigned i = 0; i < n_gates; i++)
        args[1 + i] = i;
    return create_probed("HashLB", args, 1 + n_gates, n_gates);
}

/* The one gate by which the frame left. */
static unsigned gate_of(struct module *m, struct rte_mbuf *pkt)
{
    unsigned gate = NO_GATE;

    push_one(m, 0, pkt);
    for (unsigned g = 0; g < N_PROBES; g++) {
        if (probes[g].n == 0)
            continue;
        assert_int_equal(gate, NO_GATE);
        assert_int_equal(probes[g].n, 1);
        gate = g;
    }
    assert_int_not_equal(gate, NO_GATE);
    probes_clear();
    return gate;
}

static unsigned gate_of_flow(struct module *m, const struct flow *f)
{
    return gate_of(m, flow_frame(f));
}

/* A flow that does not leave by the first gate, so that "by the first gate" is told from "by the hash". */
static struct flow flow_aside(struct module *m)
{
    struct flow f = base;

    while (gate_of_flow(m, &f) == 0) {
        f.src++;
        assert_true(f.src < base.src + 100);
    }
    return f;
}

/* ---- how it spreads ---- */

static void consecutive_ports_spread_evenly(unsigned n_gates, bool of_client)
{
    struct module *m = spread_over(L4, n_gates);
    unsigned share = 1000 / n_gates;

    for (unsigned i = 0; i < 1000; i++) {
        struct flow f = base;

        *(of_client ? &f.sport : &f.dport) = 40000 + i;
        push_one(m, 0, flow_frame(&f));
    }
    for (unsigned g = 0; g < n_gates; g++)
        assert_in_range(probes[g].n, share * 8 / 10, share * 12 / 10);
    probes_clear();
    module_destroy(&dp, m);
}

static void a_thousand_ports_give_each_gate_its_share(void **state)
{
    static const unsigned n_gates[] = {2, 3, 4, 8};

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(n_gates); i++) {
        consecutive_ports_spread_evenly(n_gates[i], true);
        consecutive_ports_spread_evenly(n_gates[i], false);
    }
}

static void a_gate_that_is_listed_more_often_gets_more(void **state)
{
    struct module *m = create_probed("HashLB", (int64_t[]){L4, 0, 1, 1, 1}, 5, 2);

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct flow f = base;

        f.sport = i;
        push_one(m, 0, flow_frame(&f));
    }
    assert_in_range(probes[0].n, 200, 300);
    assert_int_equal(probes[0].n + probes[1].n, 1000);
    module_destroy(&dp, m);
}

/* Marked in the IP header's type of service, which no mode looks at. */
static void frames_of_a_gate_keep_their_order(void **state)
{
    struct module *m = spread_over(L4, 4);
    struct batch b = {.n = 0};
    uint64_t batches, packets;
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < DP_BURST_MAX; i++) {
        struct flow f = base;
        struct rte_mbuf *pkt;

        f.sport = i % 16;
        pkt = flow_frame(&f);
        *rte_pktmbuf_mtod_offset(pkt, uint8_t *, RTE_ETHER_HDR_LEN + 1) = i;
        batch_add(&b, pkt);
    }
    push(m, &b);
    assert_int_equal(b.n, 0);
    for (unsigned g = 0; g < 4; g++) {
        for (unsigned i = 1; i < probes[g].n; i++)
            assert_true(rte_pktmbuf_mtod(probes[g].pkt[i - 1], uint8_t *)[RTE_ETHER_HDR_LEN + 1] <
                        rte_pktmbuf_mtod(probes[g].pkt[i], uint8_t *)[RTE_ETHER_HDR_LEN + 1]);
        n += probes[g].n;
        module_gate_counters(m, g, &batches, &packets);
        assert_int_equal(batches, 1);
    }
    assert_int_equal(n, DP_BURST_MAX);
    module_destroy(&dp, m);
}

/* ---- what a flow is ---- */

/* How many of the 8 gates frames leave by, when `vary` changes one thing of them a hundred times. */
static unsigned gates_used(int mode, void (*vary)(struct flow *f, unsigned i))
{
    struct module *m = spread_over(mode, 8);
    unsigned used = 0;

    for (unsigned i = 0; i < 100; i++) {
        struct flow f = base;

        vary(&f, i);
        push_one(m, 0, flow_frame(&f));
    }
    for (unsigned g = 0; g < 8; g++)
        used += probes[g].n > 0;
    probes_clear();
    module_destroy(&dp, m);
    return used;
}

static void vary_src(struct flow *f, unsigned i)
{
    f->src += i;
}

static void vary_dst(struct flow *f, unsigned i)
{
    f->dst += i;
}

static void vary_protocol(struct flow *f, unsigned i)
{
    f->protocol = i;
    f->sport = f->dport = 0;
}

static void vary_sport(struct flow *f, unsigned i)
{
    f->sport = i;
}

static void vary_dport(struct flow *f, unsigned i)
{
    f->dport = i;
}

static void vary_udp_port(struct flow *f, unsigned i)
{
    f->protocol = IPPROTO_UDP;
    f->sport = i;
}

static void vary_sctp_port(struct flow *f, unsigned i)
{
    f->protocol = IPPROTO_SCTP;
    f->sport = i;
}

/* An echo's type, code and checksum stand where others have ports. */
static void vary_icmp(struct flow *f, unsigned i)
{
    f->protocol = IPPROTO_ICMP;
    f->dport = i;
}

static void vary_options(struct flow *f, unsigned i)
{
    f->option_words = i % 11;
}

static void vary_id(struct flow *f, unsigned i)
{
    f->id = i;
}

static void modes_look_at_what_they_say(void **state)
{
    static const struct {
        void (*vary)(struct flow *f, unsigned i);
        unsigned gates[3]; /* in modes l2, l3, l4 */
    } cases[] = {
        {vary_src, {1, 8, 8}},       {vary_dst, {1, 8, 8}},   {vary_protocol, {1, 1, 8}},
        {vary_sport, {1, 1, 8}},     {vary_dport, {1, 1, 8}}, {vary_udp_port, {1, 1, 8}},
        {vary_sctp_port, {1, 1, 8}}, {vary_icmp, {1, 1, 1}},  {vary_options, {1, 1, 1}},
        {vary_id, {1, 1, 1}},
    };

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        for (int mode = L2; mode <= L4; mode++)
            assert_int_equal(gates_used(mode, cases[i].vary), cases[i].gates[mode]);
    }
}

static void mode_l2_looks_at_both_addresses_of_any_frame(void **state)
{
    struct module *m = spread_over(L2, 8);

    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        for (uint64_t i = 0; i < 100; i++)
            push_one(m, 0, frame_from(turn == 0 ? i : 1, turn == 0 ? 1 : i, i));
        for (unsigned g = 0; g < 8; g++)
            assert_true(probes[g].n > 0);
        probes_clear();
    }
    module_destroy(&dp, m);
}

static void all_fragments_of_a_datagram_leave_by_one_gate(void **state)
{
    struct module *m = spread_over(L4, 8);
    unsigned gates = 0;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct flow first = {.src = CLIENT + i, .dst = SERVER, .protocol = IPPROTO_UDP, .fragment = MF};
        struct flow middle = first, last = first;
        unsigned gate;

        first.sport = i; /* the others have data there */
        middle.sport = 7 * i;
        middle.fragment = MF | 185;
        last.sport = 11 * i;
        last.fragment = 370;
        gate = gate_of_flow(m, &first);
        gates |= 1 << gate;
        assert_int_equal(gate_of_flow(m, &middle), gate);
        assert_int_equal(gate_of_flow(m, &last), gate);
    }
    assert_int_equal(gates, 0xff); /* still by their addresses */
    module_destroy(&dp, m);
}

/* ---- what it cannot read ---- */

static void other_protocols_leave_by_the_first_gate_listed(void **state)
{
    static const uint16_t types[] = {RTE_ETHER_TYPE_ARP, RTE_ETHER_TYPE_VLAN, RTE_ETHER_TYPE_IPV6, 46};
    struct module *m = create_probed("HashLB", (int64_t[]){L4, 5, 0, 1, 2, 3, 4, 6, 7}, 9, 8);
    int64_t unused;

    (void)state;
    for (int mode = L3; mode <= L4; mode++) {
        assert_int_equal(m->class->command(m, "set_mode", (int64_t[]){mode}, 1, &unused), 0);
        for (unsigned i = 0; i < 100; i++) {
            struct flow f = base;
            struct rte_mbuf *pkt;

            f.src += i;
            pkt = flow_frame(&f);
            rte_pktmbuf_mtod(pkt, struct rte_ether_hdr *)->ether_type =
                rte_cpu_to_be_16(types[i % RTE_DIM(types)]);
            assert_int_equal(gate_of(m, pkt), 5);
        }
    }
    module_destroy(&dp, m);
}

static void headers_that_lie_about_their_length_leave_by_the_first_gate(void **state)
{
    static const uint8_t version_ihl[] = {0x00, 0x40, 0x44, 0x4f, 0x55, 0x65};
    struct module *m = spread_over(L4, 8);
    struct flow f = flow_aside(m);

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(version_ihl); i++) {
        struct rte_mbuf *pkt = flow_frame(&f);

        rte_pktmbuf_mtod_offset(pkt, uint8_t *, RTE_ETHER_HDR_LEN)[0] = version_ihl[i];
        assert_int_equal(gate_of(m, pkt), 0);
    }
    module_destroy(&dp, m);
}

/*
 * TRIMMED, CHAINED: what is cut off stays behind the end in the buffer, where a reader that goes too far
 * finds it, and comes in a second buffer or not at all. ALONE: the memory ends with the frame, which the
 * sanitizer sees.
 */
enum cut { TRIMMED, CHAINED, ALONE, N_CUTS };

static void free_memory(void *memory, void *info)
{
    free(memory);
    free(info);
}

static struct rte_mbuf *alone(struct rte_mbuf *pkt)
{
    struct rte_mbuf *copy = rte_pktmbuf_alloc(dp.pool);
    struct rte_mbuf_ext_shared_info *info = calloc(1, sizeof(*info));
    uint16_t len = rte_pktmbuf_data_len(pkt);
    void *memory = malloc(len);

    assert_non_null(info);
    assert_non_null(memory);
    info->free_cb = free_memory;
    info->fcb_opaque = info;
    rte_mbuf_ext_refcnt_set(info, 1);
    rte_pktmbuf_attach_extbuf(copy, memory, RTE_BAD_IOVA, len, info);
    memcpy(rte_pktmbuf_append(copy, len), rte_pktmbuf_mtod(pkt, void *), len);
    rte_pktmbuf_free(pkt);
    return copy;
}

static unsigned gate_of_cut(struct module *m, const struct flow *f, uint16_t len, enum cut cut)
{
    struct rte_mbuf *head = flow_frame(f), *rest;

    rte_pktmbuf_trim(head, rte_pktmbuf_data_len(head) - len);
    if (cut == CHAINED) {
        rest = flow_frame(f);
        rte_pktmbuf_adj(rest, len);
        assert_int_equal(rte_pktmbuf_chain(head, rest), 0);
    }
    return gate_of(m, cut == ALONE ? alone(head) : head);
}

static void frames_cut_within_their_headers_leave_by_the_first_gate(void **state)
{
    static const unsigned needed[] = {[L2] = 14, [L3] = 34, [L4] = 34};

    (void)state;
    for (int mode = L2; mode <= L4; mode++) {
        struct module *m = spread_over(mode, 8);
        struct flow f = flow_aside(m);

        for (int cut = 0; cut < N_CUTS; cut++) {
            for (unsigned len = 0; len < needed[mode]; len++)
                assert_int_equal(gate_of_cut(m, &f, len, cut), 0);
            if (mode != L4)
                assert_int_equal(gate_of_cut(m, &f, needed[mode], cut), gate_of_flow(m, &f));
        }
        module_destroy(&dp, m);
    }
}

static void frames_cut_before_their_ports_go_by_their_addresses(void **state)
{
    struct module *m = spread_over(L4, 8);
    unsigned portless = gate_of_cut(m, &base, 34, TRIMMED);

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct flow f = base;

        f.sport = i;
        for (unsigned len = 34; len < 38; len++)
            assert_int_equal(gate_of_cut(m, &f, len, i % N_CUTS), portless);
        assert_int_equal(gate_of_cut(m, &f, 38, i % N_CUTS), gate_of_flow(m, &f));
    }
    module_destroy(&dp, m);
}

static void options_that_are_cut_leave_by_the_first_gate(void **state)
{
    struct module *m = spread_over(L4, 8);
    struct flow f = flow_aside(m);
    unsigned gate = gate_of_flow(m, &f);

    (void)state;
    f.option_words = 10; /* the header ends at 74, its ports at 78 */
    for (int cut = 0; cut < N_CUTS; cut++) {
        for (unsigned len = 34; len < 74; len++)
            assert_int_equal(gate_of_cut(m, &f, len, cut), 0);
        assert_int_equal(gate_of_cut(m, &f, 78, cut), gate);
    }
    module_destroy(&dp, m);
}

/* ---- arguments ---- */

static void refuses_bad_modes_and_gates(void **state)
{
    int64_t many[1 + 129] = {L4}, unused;
    struct module *m;

    (void)state;
    assert_int_equal(module_create(&dp, "HashLB", NULL, 0, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "HashLB", (int64_t[]){L4}, 1, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "HashLB", (int64_t[]){3, 0}, 2, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "HashLB", (int64_t[]){-1, 0}, 2, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "HashLB", (int64_t[]){L4, 0, -1}, 3, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "HashLB", (int64_t[]){L4, 0, DP_MAX_GATES}, 3, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "HashLB", many, 130, &m), -EINVAL);
    m = create("HashLB", many, 129);
    assert_int_equal(m->class->command(m, "set_mode", (int64_t[]){3}, 1, &unused), -EINVAL);
    assert_int_equal(m->class->command(m, "set_mode", NULL, 0, &unused), -EOPNOTSUPP);
    assert_int_equal(m->class->command(m, "populate", NULL, 0, &unused), -EOPNOTSUPP);
    module_destroy(&dp, m);
}

static void refused_gates_leave_the_old_ones(void **state)
{
    struct module *m = create_probed("HashLB", (int64_t[]){L4, 1}, 2, 3);
    int64_t unused;

    (void)state;
    assert_int_equal(m->class->command(m, "set_gates", (int64_t[]){2, 8192}, 2, &unused), -EINVAL);
    assert_int_equal(m->class->command(m, "set_gates", NULL, 0, &unused), -EINVAL);
    assert_int_equal(gate_of_flow(m, &base), 1);
    assert_int_equal(m->class->command(m, "set_gates", (int64_t[]){2}, 1, &unused), 0);
    assert_int_equal(gate_of_flow(m, &base), 2);
    module_destroy(&dp, m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_thousand_ports_give_each_gate_its_share),
        CASE(a_gate_that_is_listed_more_often_gets_more),
        CASE(frames_of_a_gate_keep_their_order),
        CASE(modes_look_at_what_they_say),
        CASE(mode_l2_looks_at_both_addresses_of_any_frame),
        CASE(all_fragments_of_a_datagram_leave_by_one_gate),
        CASE(other_protocols_leave_by_the_first_gate_listed),
        CASE(headers_that_lie_about_their_length_leave_by_the_first_gate),
        CASE(frames_cut_within_their_headers_leave_by_the_first_gate),
        CASE(frames_cut_before_their_ports_go_by_their_addresses),
        CASE(options_that_are_cut_leave_by_the_first_gate),
        CASE(refuses_bad_modes_and_gates),
        CASE(refused_gates_leave_the_old_ones),
    };

    return kit_start() ? kit_stop(cmocka_run_group_tests_name("dataplane/mod_hash_lb", tests, NULL, NULL))
                       : 1;
}
