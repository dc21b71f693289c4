/* SPDX-License-Identifier: BSD-3-Clause */
/* Life of a module, links between modules, and the one way by which packets pass from module to module. */
#include "module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hook.h"

static const struct module_class *const classes[] = {
    &hash_lb_class,  &impair_class,    &l2_forward_class, &l2_switch_class, &merge_class, &port_inc_class,
    &port_out_class, &queue_inc_class, &queue_out_class,  &replicate_class, &sink_class,  &source_class,
};

static const struct module_class *class_find(const char *name)
{
    for (size_t i = 0; i < RTE_DIM(classes); i++) {
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    }
    return NULL;
}

void *module_alloc(size_t size)
{
    void *p = NULL;

    if (posix_memalign(&p, RTE_CACHE_LINE_SIZE, size) != 0)
        return NULL;
    memset(p, 0, size);
    return p;
}

int module_create(struct dataplane *dp, const char *class_name, const int64_t *args, unsigned n_args,
                  struct module **out)
{
    const struct module_class *class = class_find(class_name);
    struct module *m;
    int ret = 0;

    if (class == NULL)
        return -ENOENT;
    m = module_alloc(sizeof(*m));
    if (m == NULL)
        return -ENOMEM;
    m->class = class;
    if (class->priv_size > 0) {
        m->priv = module_alloc(class->priv_size);
        if (m->priv == NULL)
            ret = -ENOMEM;
    }
    if (ret == 0 && class->init != NULL)
        ret = class->init(dp, m, args, n_args);
    if (ret != 0) {
        free(m->priv);
        free(m);
        return ret;
    }
    *out = m;
    return 0;
}

/* The caller has disconnected every gate that leads here. */
void module_destroy(struct dataplane *dp, struct module *m)
{
    if (m->class->deinit != NULL)
        m->class->deinit(dp, m);
    for (unsigned i = 0; i < m->n_ogates; i++)
        module_disconnect(m, i);
    hooks_forget_igates(m);
    free(m->ogates);
    free(m->priv);
    free(m);
}

static int ogates_grow(struct module *m, uint16_t n)
{
    struct ogate *grown = realloc(m->ogates, n * sizeof(*grown));

    if (grown == NULL)
        return -ENOMEM;
    memset(&grown[m->n_ogates], 0, (n - m->n_ogates) * sizeof(*grown));
    m->ogates = grown;
    m->n_ogates = n;
    return 0;
}

int module_connect(struct module *from, uint16_t ogate, struct module *to, uint16_t igate, bool track)
{
    struct ogate *g;
    int ret;

    if (ogate >= from->class->ogates || igate >= to->class->igates)
        return -EINVAL;
    if (ogate >= from->n_ogates) {
        ret = ogates_grow(from, ogate + 1);
        if (ret != 0)
            return ret;
    }
    g = &from->ogates[ogate];
    if (g->peer != NULL)
        return -EBUSY;
    if (track) {
        g->counters = module_alloc(DP_MAX_WORKERS * sizeof(*g->counters));
        if (g->counters == NULL)
            return -ENOMEM;
    }
    g->hooked = hooks_at_igate(to, igate);
    g->process = to->class->process;
    g->peer_igate = igate;
    g->peer = to;
    return 0;
}

void module_disconnect(struct module *from, uint16_t ogate)
{
    struct ogate *g;

    if (ogate >= from->n_ogates)
        return;
    g = &from->ogates[ogate];
    if (g->tracker == NULL)
        free(g->counters);
    hooks_forget_ogate(g);
    memset(g, 0, sizeof(*g));
}

void module_gate_counters(const struct module *m, uint16_t ogate, uint64_t *batches, uint64_t *packets)
{
    *batches = 0;
    *packets = 0;
    if (ogate >= m->n_ogates || m->ogates[ogate].counters == NULL)
        return;
    for (unsigned i = 0; i < DP_MAX_WORKERS; i++) {
        const struct gate_counters *c = &m->ogates[ogate].counters[i];
        *batches += __atomic_load_n(&c->batches, __ATOMIC_RELAXED);
        *packets += __atomic_load_n(&c->packets, __ATOMIC_RELAXED);
    }
}

uint64_t module_deadends(const struct module *m)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < DP_MAX_WORKERS; i++)
        sum += __atomic_load_n(&m->deadends[i].packets, __ATOMIC_RELAXED);
    return sum;
}

void module_drop(struct run_ctx *ctx, struct module *m, struct batch *b)
{
    m->deadends[ctx->slot].packets += b->n;
    batch_free(b);
}

void module_send(struct run_ctx *ctx, struct module *m, uint16_t ogate, struct batch *b)
{
    struct ogate *g;

    if (b->n == 0)
        return;
    if (ogate >= m->n_ogates || m->ogates[ogate].peer == NULL || ctx->depth >= DP_MAX_DEPTH) {
        ctx->silent_drops += b->n;
        module_drop(ctx, m, b);
        return;
    }
    g = &m->ogates[ogate];
    if (g->counters != NULL) {
        g->counters[ctx->slot].batches++;
        g->counters[ctx->slot].packets += b->n;
    }
    if (unlikely(g->hooked))
        hooks_run(ctx, g, b);
    ctx->depth++;
    g->process(ctx, g->peer, g->peer_igate, b);
    ctx->depth--;
}

void module_send_each(struct run_ctx *ctx, struct module *m, uint16_t *gates, struct batch *b)
{
    struct batch out;

    while (b->n > 0) {
        uint16_t gate = batch_take_way(b, gates, &out);

        if (gate == DP_GATE_DROP)
            module_drop(ctx, m, &out);
        else
            module_send(ctx, m, gate, &out);
    }
}
