/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The connections of one thread of rpc_client and what they measure. Kept-alive connections are all opened
 * first; then comes the warm-up, then the window that counts. An answer counts in the window in which it
 * arrives. */
#ifndef APPS_RPC_LOAD_H
#define APPS_RPC_LOAD_H

#include <stdatomic.h>

#include "common/histogram.h"
#include "common/threads.h"
#include "rpc/pace.h"
#include "rpc/rpc.h"

/** The same for all threads. */
struct load_plan {
    struct app_options options;
    struct sockaddr_in to;
    bool is_short;    /**< a connection for each request */
    long connections; /**< at once, of all threads */
    long size, rate;  /**< bytes; requests a second of all threads, 0 = closed loop */
    long pause_ms;    /**< closed loop: from an answer to the next request of that connection */
    double warmup_s, duration_s;
    atomic_int ready; /**< threads whose connections are open */
};

struct load_conn {
    uint8_t state;        /**< enum conn_state */
    uint32_t got, unsent; /**< bytes of the answer; of the request */
    uint64_t since_ns;    /**< when the request was meant to leave; while idle: since when */
    uint64_t mark, answer_mark;
};

struct load_result {
    uint64_t answers, errors, stalls;
    uint64_t due;        /**< open loop: requests meant to leave in the window */
    uint64_t unanswered; /**< ... meant to leave before its end, and without an answer by then */
    uint64_t unsent;     /**< ... of these the ones that found no idle connection */
    struct histogram latency_ns;
};

struct load {
    struct thread *t;
    mctx_t mctx;
    struct load_plan *plan;
    struct load_result *result;
    int ep, max_conns;
    long share, open, connecting; /**< connections: wanted; that exist; of these not yet connected */
    uint32_t size;
    uint64_t next_mark, now_ns, begin_ns, end_ns; /**< of the window; 0 = not yet known */
    bool running;
    struct pace pace;
    int *idle; /**< descriptors in the order in which they became idle, as a ring */
    unsigned idle_size, idle_head, idle_tail;
    struct load_conn *conns;
    char in[RPC_MAX_SIZE], out[RPC_MAX_SIZE];
};

/** False after a message. */
bool load_init(struct load *l);
/** Runs until the window is over or the program stops. */
void load_run(struct load *l);
void load_fini(struct load *l);
void load_result_add(struct load_result *to, const struct load_result *from);

#endif
