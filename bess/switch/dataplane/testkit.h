/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For the tests of modules: real buffers but no guest; frames are pushed in, and probes at the gates keep
 * what comes out. Needs DPDK's environment, without hugepages.
 */
#ifndef DP_TESTKIT_H
#define DP_TESTKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane.h"

#define N_BUFFERS 2048
#define N_PROBES 8
#define PROBE_ROOM N_BUFFERS

struct probe {
    struct module module;
    unsigned n;
    struct rte_mbuf *pkt[PROBE_ROOM];
};

extern struct dataplane dp;
extern struct run_ctx ctx;
extern struct probe probes[N_PROBES];

/* DPDK and the pool of N_BUFFERS; false, with a message, when it does not start. */
bool kit_start(void);
/* Passes the tests' result on. */
int kit_stop(int result);

/* Of each case: empty probes before, and afterwards all buffers are back. */
int setup(void **state);
int teardown(void **state);
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

struct module *create(const char *class_name, const int64_t *args, unsigned n);
/* Its gates 0 to n_gates - 1 lead to the probes. */
struct module *create_probed(const char *class_name, const int64_t *args, unsigned n, unsigned n_gates);

/* A frame of 60 bytes to `dst`, from 02:00:00:00:00:ff, marked with `mark`. */
struct rte_mbuf *frame(uint64_t dst, uint8_t mark);
struct rte_mbuf *frame_from(uint64_t dst, uint64_t src, uint8_t mark);
uint8_t mark_of(const struct rte_mbuf *pkt);
void push(struct module *m, struct batch *b);
/* One frame by one gate. */
void push_one(struct module *m, uint16_t igate, struct rte_mbuf *pkt);
/* Frees what the probes have. */
void probes_clear(void);

#endif
