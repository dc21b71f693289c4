/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Impair: delay, jitter, loss, duplication, reordering, corruption and a rate limit for what passes, by the
 * model of impair.h. What comes in by gate i leaves by gate i: the gates are the queues of one direction of
 * one port, and share one limiter and one set of generators.
 *
 * Frames that have to wait are held here and sent by the module's own task, by the TSC. They are buffers of
 * the process's pool and belong to no port, so a port may go while its frames wait. No more than
 * `limit_packets` are held here, and no more than half of the pool by all modules together; what is beyond is
 * dropped and counted. Destruction frees them.
 *
 * Threads: `lock` guards the model, taken once a batch. The task sends under it, so that a frame that need
 * not wait cannot overtake one that is just leaving; locks are taken in the order of the graph, which has no
 * loop. While nothing is impaired and nothing held, frames go past without the lock.
 *
 * args, and those of command `set`: see enum impair_arg. Queries: config (the same words), counters (in
 * the order of answer_counters).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ether.h>

#include "dataplane.h"
#include "impair.h"

#define MAX_LANES 128
#define N_COUNTERS 13

enum impair_arg {
    ARG_DELAY_NS,
    ARG_JITTER_NS,
    ARG_JITTER_KIND,
    ARG_LOSS, /* probabilities: parts of 10^9 */
    ARG_DUPLICATE,
    ARG_CORRUPT,
    ARG_REORDER,
    ARG_GAP,
    ARG_KEEP_ORDER,
    ARG_RATE_BPS,
    ARG_LIMIT_BYTES,
    ARG_LIMIT_PACKETS,
    ARG_SEED,
    N_ARGS
};

struct impair_slot {
    uint64_t packets, bytes;
} __rte_cache_aligned;

struct impair_module {
    struct dataplane *dp;
    double ns_per_tsc;
    uint64_t tsc_zero;
    int idle; /* read without the lock */
    pthread_mutex_t lock;
    struct impair model;
    uint64_t no_buffer; /* duplicates that were not made */
    struct impair_slot received[DP_MAX_WORKERS];
};

/* ---- configuration ---- */

static int read_config(const int64_t *args, unsigned n_args, struct impair_config *c)
{
    if (n_args != N_ARGS)
        return -EINVAL;
    for (unsigned i = 0; i < ARG_SEED; i++) {
        if (args[i] < 0)
            return -EINVAL;
    }
    for (unsigned i = ARG_LOSS; i <= ARG_REORDER; i++) {
        if (args[i] > IMPAIR_CERTAIN)
            return -EINVAL;
    }
    if (args[ARG_JITTER_KIND] > IMPAIR_NORMAL || args[ARG_GAP] > INT32_MAX ||
        args[ARG_LIMIT_PACKETS] > IMPAIR_MAX_PACKETS)
        return -EINVAL;
    *c = (struct impair_config){
        .delay_ns = args[ARG_DELAY_NS],
        .jitter_ns = args[ARG_JITTER_NS],
        .jitter_kind = args[ARG_JITTER_KIND],
        .loss = args[ARG_LOSS],
        .duplicate = args[ARG_DUPLICATE],
        .corrupt = args[ARG_CORRUPT],
        .reorder = args[ARG_REORDER],
        .gap = args[ARG_GAP],
        .keep_order = args[ARG_KEEP_ORDER] != 0,
        .rate_bps = args[ARG_RATE_BPS],
        .limit_bytes = args[ARG_LIMIT_BYTES],
        .limit_packets = args[ARG_LIMIT_PACKETS],
        .seed = args[ARG_SEED],
    };
    return 0;
}

static uint64_t now_ns(const struct impair_module *im)
{
    return (uint64_t)((double)(rte_rdtsc() - im->tsc_zero) * im->ns_per_tsc);
}

/* Under the lock. */
static void update_idle(struct impair_module *im)
{
    __atomic_store_n(&im->idle, impair_is_idle(&im->model), __ATOMIC_RELEASE);
}

static int impair_module_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    struct impair_module *im = m->priv;
    struct impair_config cfg;
    pthread_mutexattr_t attr;
    int ret = read_config(args, n_args, &cfg);

    if (ret == 0)
        ret = impair_init(&im->model, &cfg);
    if (ret != 0)
        return ret;
    im->dp = dp;
    im->ns_per_tsc = 1e9 / (double)rte_get_tsc_hz();
    im->tsc_zero = rte_rdtsc();
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&im->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    update_idle(im);
    m->n_tasks = 1;
    return 0;
}

static void impair_module_deinit(struct dataplane *dp, struct module *m)
{
    struct impair_module *im = m->priv;
    struct impair_held held;

    dataplane_let_go(dp, im->model.n_held);
    while (impair_release(&im->model, IMPAIR_NEVER, &held))
        rte_pktmbuf_free(held.frame);
    impair_free(&im->model);
    pthread_mutex_destroy(&im->lock);
}

static int impair_module_command(struct module *m, const char *name, const int64_t *args, unsigned n_args,
                                 int64_t *result)
{
    struct impair_module *im = m->priv;
    struct impair_config cfg;
    int ret;

    (void)result;
    if (strcmp(name, "set") != 0)
        return -EOPNOTSUPP;
    ret = read_config(args, n_args, &cfg);
    if (ret != 0)
        return ret;
    pthread_mutex_lock(&im->lock);
    ret = impair_set(&im->model, &cfg, now_ns(im));
    update_idle(im);
    pthread_mutex_unlock(&im->lock);
    return ret;
}

static int answer_counters(struct impair_module *im, int64_t *out)
{
    const struct impair_counters *n = &im->model.n;

    memset(out, 0, N_COUNTERS * sizeof(*out));
    for (unsigned w = 0; w < DP_MAX_WORKERS; w++) {
        out[0] += __atomic_load_n(&im->received[w].packets, __ATOMIC_RELAXED);
        out[1] += __atomic_load_n(&im->received[w].bytes, __ATOMIC_RELAXED);
    }
    pthread_mutex_lock(&im->lock);
    out[2] = n->lost;
    out[3] = n->limited;
    out[4] = n->delayed;
    out[5] = n->duplicated;
    out[6] = n->reordered;
    out[7] = n->corrupted;
    out[8] = n->released;
    out[9] = im->model.n_held;
    out[10] = im->no_buffer;
    out[11] = n->late_ns;
    out[12] = n->late_max_ns;
    pthread_mutex_unlock(&im->lock);
    return N_COUNTERS;
}

/* As `set` takes it, with defaults filled in. */
static int answer_config(struct impair_module *im, int64_t *out)
{
    struct impair_config c;

    pthread_mutex_lock(&im->lock);
    c = im->model.cfg;
    pthread_mutex_unlock(&im->lock);
    out[ARG_DELAY_NS] = c.delay_ns;
    out[ARG_JITTER_NS] = c.jitter_ns;
    out[ARG_JITTER_KIND] = c.jitter_kind;
    out[ARG_LOSS] = c.loss;
    out[ARG_DUPLICATE] = c.duplicate;
    out[ARG_CORRUPT] = c.corrupt;
    out[ARG_REORDER] = c.reorder;
    out[ARG_GAP] = c.gap;
    out[ARG_KEEP_ORDER] = c.keep_order;
    out[ARG_RATE_BPS] = c.rate_bps;
    out[ARG_LIMIT_BYTES] = c.limit_bytes;
    out[ARG_LIMIT_PACKETS] = c.limit_packets;
    out[ARG_SEED] = c.seed;
    return N_ARGS;
}

static int impair_module_query(struct module *m, const char *name, const int64_t *args, unsigned n_args,
                               int64_t *out, unsigned max)
{
    (void)args;
    if (n_args != 0)
        return -EINVAL;
    if (strcmp(name, "counters") == 0)
        return max < N_COUNTERS ? -EINVAL : answer_counters(m->priv, out);
    if (strcmp(name, "config") == 0)
        return max < N_ARGS ? -EINVAL : answer_config(m->priv, out);
    return -EOPNOTSUPP;
}

/* ---- packets ---- */

static void corrupt(struct impair *model, struct rte_mbuf *pkt)
{
    /* Beyond the Ethernet header: a frame for nobody would be a loss by another name. */
    int64_t bit = impair_corrupts(model, RTE_ETHER_HDR_LEN * 8, rte_pktmbuf_data_len(pkt));

    if (bit >= 0)
        *rte_pktmbuf_mtod_offset(pkt, uint8_t *, bit / 8) ^= 1 << (bit % 8);
}

/* The frame is held, sent with `pass`, or freed. */
static void admit(struct impair_module *im, struct rte_mbuf *pkt, uint16_t gate, uint64_t now,
                  struct batch *pass)
{
    if (!dataplane_hold(im->dp)) {
        impair_refuse(&im->model);
        rte_pktmbuf_free(pkt);
        return;
    }
    switch (impair_admit(&im->model, pkt, gate, rte_pktmbuf_pkt_len(pkt), now)) {
    case IMPAIR_HOLD:
        return;
    case IMPAIR_PASS:
        batch_add(pass, pkt);
        break;
    case IMPAIR_DROP:
        rte_pktmbuf_free(pkt);
        break;
    }
    dataplane_let_go(im->dp, 1);
}

static struct rte_mbuf *duplicate(struct run_ctx *ctx, struct impair_module *im, struct rte_mbuf *pkt)
{
    struct rte_mbuf *copy;

    if (!impair_duplicates(&im->model))
        return NULL;
    copy = rte_pktmbuf_copy(pkt, ctx->pool, 0, UINT32_MAX);
    if (copy == NULL)
        im->no_buffer++;
    else
        im->model.n.duplicated++;
    return copy;
}

/* At most half a batch, so that `pass` has room when each frame comes twice. */
static void impair_some(struct run_ctx *ctx, struct impair_module *im, uint16_t gate, struct rte_mbuf **pkts,
                        uint16_t n, struct batch *pass)
{
    uint64_t now = now_ns(im);

    for (uint16_t i = 0; i < n; i++) {
        struct rte_mbuf *copy;

        if (impair_loses(&im->model)) {
            rte_pktmbuf_free(pkts[i]);
            continue;
        }
        copy = duplicate(ctx, im, pkts[i]);
        corrupt(&im->model, pkts[i]);
        admit(im, pkts[i], gate, now, pass);
        if (copy != NULL)
            admit(im, copy, gate, now, pass);
    }
}

static void count(struct impair_slot *received, const struct batch *b)
{
    received->packets += b->n;
    for (uint16_t i = 0; i < b->n; i++)
        received->bytes += rte_pktmbuf_pkt_len(b->pkt[i]);
}

static void impair_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    struct impair_module *im = m->priv;

    count(&im->received[ctx->slot], b);
    if (__atomic_load_n(&im->idle, __ATOMIC_ACQUIRE)) {
        module_send(ctx, m, igate, b);
        return;
    }
    for (uint16_t i = 0; i < b->n; i += DP_BURST_MAX / 2) {
        struct batch pass = {.n = 0};
        uint16_t n = RTE_MIN(b->n - i, DP_BURST_MAX / 2);

        pthread_mutex_lock(&im->lock);
        impair_some(ctx, im, igate, &b->pkt[i], n, &pass);
        pthread_mutex_unlock(&im->lock);
        module_send(ctx, m, igate, &pass);
    }
    b->n = 0;
}

/* Under the lock: sends what is due, a batch for each run of frames of one gate. */
static unsigned release(struct run_ctx *ctx, struct module *m, struct impair_module *im)
{
    uint64_t now = now_ns(im);
    struct batch b = {.n = 0};
    struct impair_held held;
    uint16_t gate = 0;
    unsigned n = 0;

    while (n < DP_BURST_MAX && impair_release(&im->model, now, &held)) {
        if (held.gate != gate)
            module_send(ctx, m, gate, &b);
        gate = held.gate;
        batch_add(&b, held.frame);
        n++;
    }
    module_send(ctx, m, gate, &b);
    dataplane_let_go(im->dp, n);
    return n;
}

static void wake_at(struct run_ctx *ctx, const struct impair_module *im, uint64_t due_ns)
{
    uint64_t tsc;

    if (due_ns == IMPAIR_NEVER)
        return;
    tsc = im->tsc_zero + (uint64_t)((double)due_ns / im->ns_per_tsc);
    ctx->wake_tsc = RTE_MIN(ctx->wake_tsc, tsc);
}

static unsigned impair_run(struct run_ctx *ctx, struct module *m, unsigned task)
{
    struct impair_module *im = m->priv;
    unsigned n;

    (void)task;
    if (__atomic_load_n(&im->model.n_held, __ATOMIC_RELAXED) == 0)
        return 0;
    pthread_mutex_lock(&im->lock);
    n = release(ctx, m, im);
    update_idle(im);
    wake_at(ctx, im, impair_due_ns(&im->model));
    pthread_mutex_unlock(&im->lock);
    return n;
}

/* Its own clock wakes it (wake_tsc); frames come to it only while the worker is awake, if it is the only one.
 */
static bool impair_arm(struct module *m, unsigned task, int epoll_fd)
{
    (void)task;
    (void)epoll_fd;
    return !m->shared;
}

const struct module_class impair_class = {
    .name = "Impair",
    .igates = MAX_LANES,
    .ogates = MAX_LANES,
    .priv_size = sizeof(struct impair_module),
    .init = impair_module_init,
    .deinit = impair_module_deinit,
    .command = impair_module_command,
    .query = impair_module_query,
    .process = impair_process,
    .run_task = impair_run,
    .arm = impair_arm,
};
