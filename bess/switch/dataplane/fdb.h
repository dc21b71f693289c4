/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding database of a learning switch: which MAC address was last heard at which port.
 *
 * Invariants: the memory is fixed at creation. An address lives in one set of FDB_WAYS slots that a secret
 * seed chooses, so nobody can aim at another's set. A port holds at most `port_limit` learned addresses, and
 * a new address never displaces another one that is still alive: a flood of made-up addresses costs the port
 * that sends it, and no other. (An address that appears at another port moves there, as it must.)
 *
 * Threads: a slot's key is one 64-bit word, so lookups run on any number of workers without a lock and see
 * an entry whole or not at all. Changes take `lock`; workers only ever try it (an address that could not be
 * learned is learned from the next frame), the control plane waits for it.
 */
#ifndef DP_FDB_H
#define DP_FDB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FDB_WAYS 8
#define FDB_MAX_PORTS 4096
#define FDB_NO_PORT UINT16_MAX
#define FDB_MAC_MASK 0xffffffffffffULL

/* key: bit 63 used, bit 62 static, bits 48-61 port, bits 0-47 the address in network order. */
#define FDB_USED (1ULL << 63)
#define FDB_STATIC (1ULL << 62)
#define FDB_PORT_SHIFT 48
#define FDB_PORT_MASK 0x3fffU

struct fdb_slot {
    uint64_t key;
    uint64_t seen_ms; /* of a learned entry; about right, see fdb_learn */
};

struct fdb {
    struct fdb_slot *slots; /* [n_sets * FDB_WAYS] */
    uint32_t n_sets;        /* power of two */
    uint32_t n_ports;
    uint32_t port_limit; /* learned entries a port */
    uint32_t static_limit;
    uint64_t age_ms; /* 0: entries do not age */
    uint64_t seed;
    pthread_mutex_t lock;
    /* under lock */
    uint32_t n_static;
    uint64_t swept_ms;
    uint32_t learned[FDB_MAX_PORTS]; /* by port: entries that it holds */
};

enum fdb_event {
    FDB_KNOWN,   /* nothing new */
    FDB_LEARNED, /* a new address */
    FDB_MOVED,   /* known at another port until now */
    FDB_PINNED,  /* a static entry says another port: stays */
    FDB_FULL,    /* no room for this port */
    FDB_BUSY,    /* somebody else changes the table: next time */
};

struct fdb_entry {
    uint64_t mac;
    uint16_t port;
    bool is_static;
    uint64_t age_ms; /* since it was last heard; 0 for a static one */
};

/* 0, -EINVAL, -ENOMEM */
int fdb_init(struct fdb *t, uint32_t n_ports, uint32_t port_limit, uint64_t age_ms, uint64_t seed);
void fdb_free(struct fdb *t);

/* The port of `mac`, or FDB_NO_PORT. */
uint16_t fdb_find(const struct fdb *t, uint64_t mac, uint64_t now_ms);
/* `mac` was heard at `port`. The time of a known address is renewed in steps of a sixteenth of its life. */
enum fdb_event fdb_learn(struct fdb *t, uint64_t mac, uint16_t port, uint64_t now_ms);

/* Control plane. A static entry replaces a learned one: 0, -EEXIST (static already), -ENOMEM. */
int fdb_add_static(struct fdb *t, uint64_t mac, uint16_t port);
/* Any entry: 0, -ENOENT. */
int fdb_delete(struct fdb *t, uint64_t mac);
/* Learned entries of one port, or of all (FDB_NO_PORT): how many went. */
uint32_t fdb_flush(struct fdb *t, uint16_t port);
void fdb_set_age(struct fdb *t, uint64_t age_ms);
/* Live entries from number `first` on, in no order: how many were written. */
uint32_t fdb_list(struct fdb *t, uint64_t now_ms, uint32_t first, struct fdb_entry *out, uint32_t max);
/* How many are alive, after what is too old has gone. */
uint32_t fdb_count(struct fdb *t, uint64_t now_ms);

#endif
