/* SPDX-License-Identifier: BSD-3-Clause */
/* See testkit.h. */
#include "testkit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "eal.h"

struct dataplane dp;
struct run_ctx ctx;
struct probe probes[N_PROBES];

static void probe_process(struct run_ctx *c, struct module *m, uint16_t igate, struct batch *b)
{
    (void)c;
    (void)igate;
    for (int i = 0; i < N_PROBES; i++) {
        if (m != &probes[i].module)
            continue;
        assert_true(probes[i].n + b->n <= PROBE_ROOM);
        memcpy(&probes[i].pkt[probes[i].n], b->pkt, b->n * sizeof(b->pkt[0]));
        probes[i].n += b->n;
    }
    b->n = 0;
}

static const struct module_class probe_class = {.name = "Probe", .igates = 1, .process = probe_process};

bool kit_start(void)
{
    char prefix[32];
    struct eal_config cfg = {.file_prefix = prefix, .mem_mb = 64, .n_buffers = N_BUFFERS, .log_fd = -1};
    const char *why;

    snprintf(prefix, sizeof(prefix), "vportd-unit-%d", getpid());
    if (eal_start(&cfg, &dp.pool, &why) == 0)
        return true;
    fprintf(stderr, "%s\n", why);
    return false;
}

int kit_stop(int result)
{
    eal_stop();
    return result;
}

int setup(void **state)
{
    (void)state;
    memset(&probes, 0, sizeof(probes));
    memset(&ctx, 0, sizeof(ctx));
    ctx.pool = dp.pool;
    ctx.wake_tsc = UINT64_MAX;
    for (int i = 0; i < N_PROBES; i++)
        probes[i].module.class = &probe_class;
    return 0;
}

void probes_clear(void)
{
    for (int i = 0; i < N_PROBES; i++) {
        if (probes[i].n > 0)
            rte_pktmbuf_free_bulk(probes[i].pkt, probes[i].n);
        probes[i].n = 0;
    }
}

int teardown(void **state)
{
    (void)state;
    probes_clear();
    return rte_mempool_in_use_count(dp.pool) == 0 && dp.held_packets == 0 ? 0 : -1;
}

struct module *create(const char *class_name, const int64_t *args, unsigned n)
{
    struct module *m = NULL;

    assert_int_equal(module_create(&dp, class_name, args, n, &m), 0);
    return m;
}

struct module *create_probed(const char *class_name, const int64_t *args, unsigned n, unsigned n_gates)
{
    struct module *m = create(class_name, args, n);

    for (unsigned g = 0; g < n_gates; g++)
        assert_int_equal(module_connect(m, g, &probes[g].module, 0, true), 0);
    return m;
}

static void put_mac(uint8_t *data, uint64_t mac)
{
    for (int i = 0; i < 6; i++)
        data[i] = mac >> (40 - 8 * i);
}

struct rte_mbuf *frame_from(uint64_t dst, uint64_t src, uint8_t mark)
{
    struct rte_mbuf *pkt = rte_pktmbuf_alloc(dp.pool);
    uint8_t *data;

    assert_non_null(pkt);
    data = (uint8_t *)rte_pktmbuf_append(pkt, 60);
    memset(data, 0, 60);
    put_mac(data, dst);
    put_mac(data + 6, src);
    data[14] = mark;
    return pkt;
}

struct rte_mbuf *frame(uint64_t dst, uint8_t mark)
{
    return frame_from(dst, 0x0200000000ff, mark);
}

uint8_t mark_of(const struct rte_mbuf *pkt)
{
    return *rte_pktmbuf_mtod_offset(pkt, const uint8_t *, 14);
}

void push(struct module *m, struct batch *b)
{
    m->class->process(&ctx, m, 0, b);
}

void push_one(struct module *m, uint16_t igate, struct rte_mbuf *pkt)
{
    struct batch b = {.n = 1, .pkt = {pkt}};

    m->class->process(&ctx, m, igate, &b);
}
