/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The one stack of the process that the mTCP API implies, its settings and its contexts. The only global
 * state of the library is `instance` here and the handlers in api_signal.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"

#include "api/api_priv.h"
#include "base/log.h"
#include "config/config.h"

#define LINGER_US UINT64_C(1000000)

static struct {
    pthread_mutex_t lock;
    struct mtcp_conf wishes; /**< what mtcp_setconf() asked for before mtcp_init() */
    bool ready, contexts_ready;
    struct config cfg;
    struct mtcp_stack *stack;
    struct log log; /**< here, because the interface speaks through it until it is closed */
    struct list contexts;
} instance = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- settings ---- */

static void apply(struct config *cfg, const struct mtcp_conf *c)
{
    if (c->max_concurrency > 0)
        cfg->max_concurrency = (unsigned)c->max_concurrency;
    if (c->max_num_buffers > 0)
        cfg->max_num_buffers = (unsigned)c->max_num_buffers;
    if (c->rcvbuf_size > 0)
        cfg->rcvbuf = (size_t)c->rcvbuf_size;
    if (c->sndbuf_size > 0)
        cfg->sndbuf = (size_t)c->sndbuf_size;
    if (c->tcp_timewait > 0)
        cfg->tcp_timewait = c->tcp_timewait;
    if (c->tcp_timeout > 0)
        cfg->tcp_timeout = c->tcp_timeout;
}

static void merge(int *into, int value)
{
    if (value > 0)
        *into = value;
}

int mtcp_setconf(const struct mtcp_conf *conf)
{
    struct mtcp_conf *w = &instance.wishes;

    if (!conf)
        return api_result(ST_INVALID);
    pthread_mutex_lock(&instance.lock);
    if (instance.ready) {
        apply(&instance.cfg, conf);
    } else {
        merge(&w->num_cores, conf->num_cores);
        merge(&w->max_concurrency, conf->max_concurrency);
        merge(&w->max_num_buffers, conf->max_num_buffers);
        merge(&w->rcvbuf_size, conf->rcvbuf_size);
        merge(&w->sndbuf_size, conf->sndbuf_size);
        merge(&w->tcp_timewait, conf->tcp_timewait);
        merge(&w->tcp_timeout, conf->tcp_timeout);
    }
    pthread_mutex_unlock(&instance.lock);
    return 0;
}

int mtcp_getconf(struct mtcp_conf *conf)
{
    const struct config *cfg = &instance.cfg;

    if (!conf)
        return api_result(ST_INVALID);
    pthread_mutex_lock(&instance.lock);
    *conf = instance.wishes;
    if (instance.ready)
        *conf = (struct mtcp_conf){
            .num_cores = (int)stack_num_workers(instance.stack),
            .max_concurrency = (int)cfg->max_concurrency,
            .max_num_buffers = (int)cfg->max_num_buffers,
            .rcvbuf_size = (int)cfg->rcvbuf,
            .sndbuf_size = (int)cfg->sndbuf,
            .tcp_timewait = cfg->tcp_timewait,
            .tcp_timeout = cfg->tcp_timeout,
        };
    pthread_mutex_unlock(&instance.lock);
    return 0;
}

/* ---- the stack ---- */

/** Cores that the configuration asks for: num_cores, else those of core_mask, else all CPUs. */
static unsigned wanted_cores(const struct config *cfg)
{
    cpu_set_t allowed;

    if (cfg->num_cores > 0)
        return cfg->num_cores;
    if (cfg->core_mask != 0)
        return (unsigned)__builtin_popcountll(cfg->core_mask);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&allowed);
}

static enum status start(const char *config_file, struct log *log)
{
    char error[CONFIG_ERROR_LEN] = "";
    struct config *cfg = &instance.cfg;
    struct netif *nif;
    enum status rc = config_read(config_file, cfg, error);

    if (rc != ST_OK) {
        log_say(log, LOG_ERROR, "%s", error);
        return ST_INVALID;
    }
    log->level = (enum log_level)cfg->log_level;
    apply(cfg, &instance.wishes);
    if (instance.wishes.num_cores > 0)
        cfg->num_cores = (unsigned)instance.wishes.num_cores;
    cfg->num_cores = wanted_cores(cfg);
    rc = stack_open_netif(cfg, cfg->num_cores, log, &nif);
    if (rc != ST_OK)
        return rc;
    return stack_create(cfg, nif, log, &instance.stack);
}

int mtcp_init(const char *config_file)
{
    struct log log = {.level = LOG_INFO, .sink = log_stderr};
    enum status rc = ST_ALREADY;

    if (!config_file) {
        log_say(&log, LOG_ERROR, "mtcp_init: no configuration file given");
        return api_result(ST_INVALID);
    }
    pthread_mutex_lock(&instance.lock);
    if (!instance.ready) {
        instance.log = log;
        if (!instance.contexts_ready)
            list_init(&instance.contexts);
        instance.contexts_ready = true;
        rc = start(config_file, &instance.log);
        instance.ready = rc == ST_OK;
        if (rc != ST_OK)
            config_free(&instance.cfg);
        else
            api_signal_set_stack(instance.stack);
    }
    pthread_mutex_unlock(&instance.lock);
    if (rc == ST_ALREADY)
        log_say(&log, LOG_ERROR, "mtcp_init: the stack is initialised already");
    return api_result(rc);
}

void mtcp_destroy(void)
{
    pthread_mutex_lock(&instance.lock);
    if (instance.ready) {
        api_signal_set_stack(NULL);
        list_for_each_safe(node, &instance.contexts)
            api_ctx_destroy(&container_of(node, struct api_ctx, link)->pub, LINGER_US);
        list_init(&instance.contexts);
        stack_destroy(instance.stack);
        config_free(&instance.cfg);
        instance.stack = NULL;
        instance.ready = false;
        memset(&instance.wishes, 0, sizeof(instance.wishes));
    }
    pthread_mutex_unlock(&instance.lock);
}

/* ---- contexts ---- */

enum status api_ctx_create(struct mtcp_stack *st, int cpu, mctx_t *out)
{
    struct api_ctx *c = calloc(1, sizeof(*c));
    enum status rc;

    *out = NULL;
    if (!c)
        return ST_NO_MEMORY;
    rc = stack_take_worker(st, &c->worker);
    if (rc != ST_OK) {
        free(c);
        return rc;
    }
    c->pub.cpu = cpu;
    list_init(&c->link);
    *out = &c->pub;
    return ST_OK;
}

void api_ctx_destroy(mctx_t mctx, uint64_t linger_us)
{
    struct api_ctx *c = (struct api_ctx *)mctx;

    stack_give_worker(c->worker, linger_us);
    free(c);
}

/** Key core_mask says which CPUs run the stack, and it is the caller that runs it: worker i gets the i-th of
 * them. */
static void pin_to_mask(const struct api_ctx *c, struct log *log)
{
    uint64_t mask = instance.cfg.core_mask;
    int cpu;

    if (mask == 0)
        return;
    for (unsigned i = worker_index(c->worker) % (unsigned)__builtin_popcountll(mask); i > 0; i--)
        mask &= mask - 1;
    cpu = __builtin_ctzll(mask);
    if (CoreAffinitize(cpu) != 0)
        log_say(log, LOG_WARN, "worker %u stays where it is: CPU %d of core_mask cannot be used",
                worker_index(c->worker), cpu);
}

mctx_t mtcp_create_context(int cpu)
{
    struct log log = {.level = LOG_INFO, .sink = log_stderr};
    mctx_t mctx = NULL;
    enum status rc = ST_OK;

    if (cpu < 0) {
        errno = EINVAL;
        return NULL;
    }
    pthread_mutex_lock(&instance.lock);
    if (instance.ready) {
        rc = api_ctx_create(instance.stack, cpu, &mctx);
        if (rc == ST_OK) {
            pin_to_mask((struct api_ctx *)mctx, &log);
            list_push_back(&instance.contexts, &((struct api_ctx *)mctx)->link);
        } else if (rc == ST_TABLE_FULL)
            log_say(&log, LOG_ERROR,
                    "mtcp_create_context(%d): all %u worker(s) have a context already (key num_cores)", cpu,
                    stack_num_workers(instance.stack));
        if (rc != ST_OK)
            errno = status_errno(rc);
    } else {
        log_say(&log, LOG_ERROR, "mtcp_create_context(%d): call mtcp_init() first", cpu);
        errno = EPERM;
    }
    pthread_mutex_unlock(&instance.lock);
    return mctx;
}

void mtcp_destroy_context(mctx_t mctx)
{
    struct api_ctx *c = (struct api_ctx *)mctx;

    if (!c)
        return;
    pthread_mutex_lock(&instance.lock);
    list_remove(&c->link);
    pthread_mutex_unlock(&instance.lock);
    api_ctx_destroy(mctx, LINGER_US);
}

int mtcp_interrupt(mctx_t mctx)
{
    struct worker *w = api_worker(mctx);

    if (!w)
        return -1;
    worker_interrupt(w);
    return 0;
}

int mtcp_init_rss(mctx_t mctx, in_addr_t saddr_base, int num_addr, in_addr_t daddr, in_addr_t dport)
{
    (void)saddr_base;
    (void)daddr;
    (void)dport;
    if (!api_worker(mctx))
        return -1;
    return api_result(num_addr < 1 ? ST_INVALID : ST_OK);
}

static void print_line(void *ctx, const char *text)
{
    fprintf(ctx, "%s\n", text);
}

void mtcp_print_counters(mctx_t mctx, FILE *out)
{
    struct worker *w = api_worker(mctx);

    if (w && out)
        worker_print_counters(w, print_line, out);
}

int mtcp_core_affinitize(int cpu)
{
    return CoreAffinitize(cpu);
}
