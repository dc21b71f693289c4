/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A server that is a thread of a worker: it answers numbered messages over TCP and UDP, and checks their
 * order. Its memory of a connection is plain memory that goes with it from thread to thread. For tests. */
#ifndef API_NUMBERED_SERVER_H
#define API_NUMBERED_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mtcp_api.h"
#include "tcp/tcp.h"
#include "udp/udp.h"

#define NUMBERED_WINDOW 4u /**< messages of a flow under way at once, at most */
#define NUMBERED_MAX_FDS 1024

struct message {
    uint64_t flow, seq;
};

/** The server's memory of a flow. */
struct flow_state {
    uint64_t next;
    size_t part; /**< bytes of a message that is not complete */
    struct message msg;
};

/** What all servers of a stack share. */
struct servers {
    uint16_t tcp_port, udp_port;
    struct flow_state *datagrams; /**< of each flow: it has no connection to go with */
    unsigned num_flows;
    atomic_uint ready; /**< servers that answer */
    atomic_bool stop;
};

struct server {
    pthread_t id;
    struct servers *all;
    mctx_t ctx;
    int ep, listener, udp;
    struct flow_state *by_fd[NUMBERED_MAX_FDS];
    uint64_t messages, moved;
    struct tcp_counters tcp;
    struct udp_counters udp_counters;
    _Atomic uint64_t sleep_us; /**< in each event */
    char failed[128];          /**< asserts belong to the main thread */
    atomic_bool has_failed;
};

/** Runs the server in a thread of its own, until all->stop. s->ctx is its context, which ends with it. False:
 * no thread. */
bool server_start(struct server *s, struct servers *all);

#endif
