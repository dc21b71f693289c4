/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Modules and the links between them.
 *
 * Invariants: links and module state change only while no worker runs the module (the control plane pauses
 * them); workers only read them, so the packet path takes no lock. Whatever a worker does write has one slot
 * a worker. A packet sent to a gate without a peer is freed and counted in the module's deadends.
 */
#ifndef DP_MODULE_H
#define DP_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"

#define DP_MAX_WORKERS 64
#define DP_MAX_GATES 8192
#define DP_GATE_DROP 8192 /* "gate" that means: drop */
#define DP_MAX_DEPTH 64   /* modules that a packet may cross in one run */

struct dataplane;
struct module;
struct hook;

/* What a worker carries through the modules that it runs. */
struct run_ctx {
    unsigned slot; /* the worker's own index into per-worker counters */
    unsigned depth;
    struct rte_mempool *pool;
    uint64_t silent_drops;
    uint64_t wake_tsc; /* a task lowers it to when it has something to do; the worker sleeps no longer */
};

struct module_class {
    const char *name;
    uint16_t igates;
    uint16_t ogates;
    size_t priv_size;
    /* Each returns 0 or a negative errno. args and their meaning belong to the class. */
    int (*init)(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args);
    void (*deinit)(struct dataplane *dp, struct module *m);
    int (*command)(struct module *m, const char *name, const int64_t *args, unsigned n_args, int64_t *result);
    /* Answers with up to `max` words: how many, or a negative errno. */
    int (*query)(struct module *m, const char *name, const int64_t *args, unsigned n_args, int64_t *out,
                 unsigned max);
    /* Takes the batch over. NULL for a class without input. */
    void (*process)(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b);
    /* One round of a task; returns how many packets it moved. NULL for a class without tasks. */
    unsigned (*run_task)(struct run_ctx *ctx, struct module *m, unsigned task);
    /*
     * For a worker that is about to sleep until something happens: adds what tells that the task has work to
     * an epoll set. False, or NULL: nothing does, the task must be polled. `generation` changes when it must
     * be asked again; `disarm` ends it.
     */
    bool (*arm)(struct module *m, unsigned task, int epoll_fd);
    void (*disarm)(struct module *m, unsigned task);
    uint32_t (*generation)(const struct module *m);
};

struct gate_counters {
    uint64_t batches;
    uint64_t packets;
    uint64_t bytes; /* 0 unless asked for */
} __rte_cache_aligned;

struct ogate {
    struct module *peer; /* NULL: not connected */
    /* The peer's own, kept here to spare the packet path two loads. */
    void (*process)(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b);
    uint16_t peer_igate;
    bool hooked;                    /* here or at the peer's input gate there is more than a plain Track */
    struct gate_counters *counters; /* one a worker; NULL: untracked */
    struct hook *tracker;           /* whose counters those are; NULL: the link's own */
    struct hook *hooks;             /* see hook.h */
};

struct deadend_counter {
    uint64_t packets;
} __rte_cache_aligned;

struct module {
    const struct module_class *class;
    unsigned n_tasks;
    bool shared; /* several workers run it: output queues need their lock */
    uint16_t n_ogates;
    struct ogate *ogates;  /* [n_ogates], grown on demand */
    struct hook *in_hooks; /* of all input gates; see hook.h */
    struct deadend_counter deadends[DP_MAX_WORKERS];
    void *priv;
};

int module_create(struct dataplane *dp, const char *class_name, const int64_t *args, unsigned n_args,
                  struct module **out);
void module_destroy(struct dataplane *dp, struct module *m);
int module_connect(struct module *from, uint16_t ogate, struct module *to, uint16_t igate, bool track);
void module_disconnect(struct module *from, uint16_t ogate);
/* Zeroed, aligned to a cache line, for free(); NULL when there is no memory. */
void *module_alloc(size_t size);
void module_gate_counters(const struct module *m, uint16_t ogate, uint64_t *batches, uint64_t *packets);
uint64_t module_deadends(const struct module *m);

/* Packet path. All take the batch over. */
void module_send(struct run_ctx *ctx, struct module *m, uint16_t ogate, struct batch *b);
/* pkt[i] by gates[i], which may be DP_GATE_DROP: one batch a gate, in the order of the packets. */
void module_send_each(struct run_ctx *ctx, struct module *m, uint16_t *gates, struct batch *b);
void module_drop(struct run_ctx *ctx, struct module *m, struct batch *b);

/* The classes, each in a file of its own. */
extern const struct module_class hash_lb_class, impair_class, l2_forward_class, l2_switch_class, merge_class,
    port_inc_class, port_out_class, queue_inc_class, queue_out_class, replicate_class, sink_class,
    source_class;

#endif
