/* SPDX-License-Identifier: BSD-3-Clause */
/* Track: counts batches and packets, and bytes when told to (each frame with Ethernet's own 24 bytes). */
#include <string.h>

#include "hook.h"

#define ETHERNET_OVERHEAD 24 /* preamble, start, FCS, gap: as bessd counts */

struct track {
    bool bits;
    struct gate_counters counters[DP_MAX_WORKERS];
};

static int track_init(struct hook *h, const struct hook_config *cfg, const char **why)
{
    (void)why;
    ((struct track *)h->priv)->bits = cfg->bits;
    return 0;
}

static void track_deinit(struct hook *h)
{
    (void)h;
}

static void track_process(struct run_ctx *ctx, struct hook *h, const struct batch *b)
{
    struct track *t = h->priv;
    struct gate_counters *c = &t->counters[ctx->slot];

    c->batches++;
    c->packets += b->n;
    for (uint16_t i = 0; t->bits && i < b->n; i++)
        c->bytes += b->pkt[i]->pkt_len + ETHERNET_OVERHEAD;
}

static void track_counters(const struct hook *h, struct hook_counters *out)
{
    const struct track *t = h->priv;

    out->alive = true;
    for (unsigned i = 0; i < DP_MAX_WORKERS; i++) {
        out->batches += __atomic_load_n(&t->counters[i].batches, __ATOMIC_RELAXED);
        out->packets += __atomic_load_n(&t->counters[i].packets, __ATOMIC_RELAXED);
        out->bytes += __atomic_load_n(&t->counters[i].bytes, __ATOMIC_RELAXED);
    }
}

static void track_reset(struct hook *h)
{
    struct track *t = h->priv;

    memset(t->counters, 0, sizeof(t->counters));
}

const struct hook_class track_class = {
    .name = "Track",
    .priv_size = sizeof(struct track),
    .init = track_init,
    .deinit = track_deinit,
    .process = track_process,
    .counters = track_counters,
    .reset = track_reset,
};

struct gate_counters *track_inline_counters(const struct hook *h)
{
    struct track *t = h->priv;

    return h->class == &track_class && !t->bits ? t->counters : NULL;
}
