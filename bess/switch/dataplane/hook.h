/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gate hooks: what looks at every batch that passes a gate and leaves it as it is.
 *
 * Invariants: hooks come and go only while no worker runs (the control plane pauses them). A gate runs its
 * hooks in the order in which they came. The first Track of an output gate that counts no bits is not in the
 * gate's list but counted inline by module_send, because every link has one.
 */
#ifndef DP_HOOK_H
#define DP_HOOK_H

#include "module.h"

struct hook;

/* Where a hook shall be, and what it is told. */
struct hook_config {
    struct module *module;
    bool igate; /* an input gate, else an output gate */
    uint16_t gate;
    bool bits;             /* Track: count bytes too */
    const char *fifo;      /* TcpDump, PcapNg: the named pipe; somebody must be reading */
    const char *interface; /* PcapNg: what the gate is called in the capture */
    uint8_t direction;     /* PcapNg: enum capture_direction */
};

struct hook_counters {
    uint64_t batches, packets, bytes;
    uint64_t dropped; /* packets that passed the gate but not the capture's reader */
    bool alive;       /* false: the reader of its pipe has gone */
};

struct hook_class {
    const char *name;
    size_t priv_size;
    int (*init)(struct hook *h, const struct hook_config *cfg, const char **why);
    void (*deinit)(struct hook *h);
    void (*process)(struct run_ctx *ctx, struct hook *h, const struct batch *b);
    void (*counters)(const struct hook *h, struct hook_counters *out);
    void (*reset)(struct hook *h); /* NULL: it counts nothing that could be reset */
};

struct hook {
    const struct hook_class *class;
    struct hook *next;     /* of the same gate, or of the same module's input gates */
    struct module *module; /* NULL once the gate has gone */
    bool igate;
    uint16_t gate;
    void *priv;
};

/* On failure `*why` names what failed. `dp` because links that lead to the input gate learn of the hook. */
int hook_create(struct dataplane *dp, const char *class_name, const struct hook_config *cfg,
                struct hook **out, const char **why);
void hook_destroy(struct dataplane *dp, struct hook *h);

/* A gate goes: its hooks stay with their owners, but see nothing any more. */
void hooks_forget_ogate(struct ogate *g);
void hooks_forget_igates(struct module *m);
bool hooks_at_igate(const struct module *m, uint16_t igate);

/* Packet path: the hooks of the output gate, then those of the input gate that it leads to. */
void hooks_run(struct run_ctx *ctx, const struct ogate *g, const struct batch *b);

/* Track's counters, one a worker; NULL for any other class, and for a Track that counts bits. */
struct gate_counters *track_inline_counters(const struct hook *h);

extern const struct hook_class track_class, tcpdump_class, pcapng_class;

#endif
