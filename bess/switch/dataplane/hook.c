/* SPDX-License-Identifier: BSD-3-Clause */
/* Life of a hook: made, linked to its gate, unlinked, freed. See hook.h. */
#include "hook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane.h"

static const struct hook_class *const classes[] = {&track_class, &tcpdump_class, &pcapng_class};

static const struct hook_class *class_find(const char *name)
{
    for (size_t i = 0; i < RTE_DIM(classes); i++) {
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    }
    return NULL;
}

static void list_append(struct hook **list, struct hook *h)
{
    while (*list != NULL)
        list = &(*list)->next;
    h->next = NULL;
    *list = h;
}

static void list_remove(struct hook **list, const struct hook *h)
{
    while (*list != NULL && *list != h)
        list = &(*list)->next;
    if (*list != NULL)
        *list = h->next;
}

bool hooks_at_igate(const struct module *m, uint16_t igate)
{
    for (const struct hook *h = m->in_hooks; h != NULL; h = h->next) {
        if (h->gate == igate)
            return true;
    }
    return false;
}

/* Tells every link into the input gate whether it has to run hooks. */
static void refresh_links(struct dataplane *dp, const struct module *to, uint16_t igate)
{
    bool hooked = hooks_at_igate(to, igate);

    for (unsigned i = 0; i < DP_MAX_MODULES; i++) {
        struct module *m = dp->modules[i];

        for (unsigned o = 0; m != NULL && o < m->n_ogates; o++) {
            struct ogate *g = &m->ogates[o];

            if (g->peer == to && g->peer_igate == igate)
                g->hooked = hooked || g->hooks != NULL;
        }
    }
}

static int link_hook(struct dataplane *dp, struct hook *h)
{
    struct gate_counters *counters = track_inline_counters(h);
    struct ogate *g;

    if (h->igate) {
        if (h->gate >= h->module->class->igates)
            return -EINVAL;
        list_append(&h->module->in_hooks, h);
        refresh_links(dp, h->module, h->gate);
        return 0;
    }
    if (h->gate >= h->module->n_ogates || h->module->ogates[h->gate].peer == NULL)
        return -EINVAL;
    g = &h->module->ogates[h->gate];
    if (counters != NULL && g->counters == NULL) {
        g->counters = counters;
        g->tracker = h;
        return 0;
    }
    list_append(&g->hooks, h);
    g->hooked = true;
    return 0;
}

static void unlink_hook(struct dataplane *dp, struct hook *h)
{
    struct ogate *g;

    if (h->module == NULL)
        return;
    if (h->igate) {
        list_remove(&h->module->in_hooks, h);
        refresh_links(dp, h->module, h->gate);
        return;
    }
    g = &h->module->ogates[h->gate];
    if (g->tracker == h) {
        g->tracker = NULL;
        g->counters = NULL;
    }
    list_remove(&g->hooks, h);
    g->hooked = g->hooks != NULL || hooks_at_igate(g->peer, g->peer_igate);
}

static void hook_free(struct hook *h)
{
    free(h->priv);
    free(h);
}

int hook_create(struct dataplane *dp, const char *class_name, const struct hook_config *cfg,
                struct hook **out, const char **why)
{
    const struct hook_class *class = class_find(class_name);
    struct hook *h;
    int ret;

    *why = "No such gate hook";
    if (class == NULL)
        return -ENOENT;
    *why = "out of memory";
    h = calloc(1, sizeof(*h));
    if (h == NULL)
        return -ENOMEM;
    *h = (struct hook){.class = class, .module = cfg->module, .igate = cfg->igate, .gate = cfg->gate};
    h->priv = module_alloc(class->priv_size);
    ret = h->priv == NULL ? -ENOMEM : class->init(h, cfg, why);
    if (ret != 0) {
        hook_free(h);
        return ret;
    }
    *why = "no such gate";
    ret = link_hook(dp, h);
    if (ret != 0) {
        class->deinit(h);
        hook_free(h);
        return ret;
    }
    *out = h;
    return 0;
}

void hook_destroy(struct dataplane *dp, struct hook *h)
{
    unlink_hook(dp, h);
    h->class->deinit(h);
    hook_free(h);
}

void hooks_forget_ogate(struct ogate *g)
{
    if (g->tracker != NULL)
        g->tracker->module = NULL;
    while (g->hooks != NULL) {
        g->hooks->module = NULL;
        g->hooks = g->hooks->next;
    }
}

void hooks_forget_igates(struct module *m)
{
    while (m->in_hooks != NULL) {
        m->in_hooks->module = NULL;
        m->in_hooks = m->in_hooks->next;
    }
}

void hooks_run(struct run_ctx *ctx, const struct ogate *g, const struct batch *b)
{
    for (struct hook *h = g->hooks; h != NULL; h = h->next)
        h->class->process(ctx, h, b);
    for (struct hook *h = g->peer->in_hooks; h != NULL; h = h->next) {
        if (h->gate == g->peer_igate)
            h->class->process(ctx, h, b);
    }
}
