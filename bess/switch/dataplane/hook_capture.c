/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TcpDump and PcapNg: every packet of the gate into a named pipe, as classic pcap and as pcapng. Hooks that
 * name the same pipe write one capture, in the order of time: so both directions of a port, or all ports of a
 * link, come out of one pipe.
 */
#include "capture.h"
#include "hook.h"

struct capture_hook {
    struct capture *capture;
    unsigned interface;
    enum capture_direction direction;
    struct gate_counters passed[DP_MAX_WORKERS];
};

static int capture_hook_init(struct hook *h, const struct hook_config *cfg, const char **why,
                             const struct capture_format *format)
{
    struct capture_hook *t = h->priv;
    int ret = capture_open(cfg->fifo, format, &t->capture, why);

    if (ret != 0)
        return ret;
    *why = "The reader of the FIFO does not keep up, or too many gates write to it";
    ret = capture_interface(t->capture, cfg->interface);
    if (ret < 0) {
        capture_close(t->capture);
        return ret;
    }
    t->interface = ret;
    t->direction = cfg->direction;
    return 0;
}

static int tcpdump_init(struct hook *h, const struct hook_config *cfg, const char **why)
{
    return capture_hook_init(h, cfg, why, &pcap_format);
}

static int pcapng_init(struct hook *h, const struct hook_config *cfg, const char **why)
{
    return capture_hook_init(h, cfg, why, &pcapng_format);
}

static void capture_hook_deinit(struct hook *h)
{
    capture_close(((struct capture_hook *)h->priv)->capture);
}

static void capture_hook_process(struct run_ctx *ctx, struct hook *h, const struct batch *b)
{
    struct capture_hook *t = h->priv;

    t->passed[ctx->slot].batches++;
    t->passed[ctx->slot].packets += b->n;
    capture_batch(t->capture, t->interface, t->direction, b);
}

static void capture_hook_counters(const struct hook *h, struct hook_counters *out)
{
    const struct capture_hook *t = h->priv;

    for (unsigned i = 0; i < DP_MAX_WORKERS; i++) {
        out->batches += __atomic_load_n(&t->passed[i].batches, __ATOMIC_RELAXED);
        out->packets += __atomic_load_n(&t->passed[i].packets, __ATOMIC_RELAXED);
    }
    out->dropped = capture_dropped(t->capture, t->interface);
    out->alive = capture_alive(t->capture);
}

const struct hook_class tcpdump_class = {
    .name = "TcpDump",
    .priv_size = sizeof(struct capture_hook),
    .init = tcpdump_init,
    .deinit = capture_hook_deinit,
    .process = capture_hook_process,
    .counters = capture_hook_counters,
};

const struct hook_class pcapng_class = {
    .name = "PcapNg",
    .priv_size = sizeof(struct capture_hook),
    .init = pcapng_init,
    .deinit = capture_hook_deinit,
    .process = capture_hook_process,
    .counters = capture_hook_counters,
};
