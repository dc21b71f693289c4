/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP users for twins. Echo: clients keep a few datagrams under way, servers send back what they get, and
 * both ends see every datagram of a flow, in order. Flood: clients send as fast as they can and servers only
 * count: what arrives is in order, and what does not is in a counter. Datagrams begin with their number in
 * the flow and the flow's, as far as they are long enough. */
#ifndef TESTING_DESIGNS_ECHO_H
#define TESTING_DESIGNS_ECHO_H

#include "testing/designs/twin.h"

#define ECHO_PORT 6000
#define ECHO_HEADER 16u
#define ECHO_MAX_LEN 1472u
#define ECHO_ALL UINT32_MAX

struct echo_params {
    unsigned server_worker; /**< ECHO_ALL, or the only one that has a socket */
    unsigned datagrams;     /**< of each flow */
    unsigned window;        /**< under way at most, of each flow; 0 = flood */
    uint16_t len;           /**< of every datagram; 0 = all lengths there are */
    unsigned slow_us;       /**< worker 0 of side 1 sleeps so long at each event */
};

struct echo_flow {
    unsigned side, worker; /**< of the client */
    bool connected;        /**< the client's socket has a peer */
    _Atomic uint64_t sent, echoed;
    _Atomic uint64_t served; /**< number that the servers expect next */
    _Atomic unsigned port, server;
};

struct echo {
    struct echo_params p;
    struct echo_flow *flows;
    unsigned num_flows, room;
    _Atomic uint32_t by_port[2][65536];            /**< flow + 1 by the client's side and port */
    _Atomic uint64_t served[2][TWIN_MAX_WORKERS];  /**< datagrams, by side and worker of the server */
    _Atomic uint64_t received;                     /**< flood: datagrams that came out of sockets */
    _Atomic uint64_t dropped[2][TWIN_MAX_WORKERS]; /**< flood: datagrams, as the counters say */
    atomic_bool balanced;
};

void echo_init(struct echo *e, unsigned room, const struct echo_params *p);
void echo_fini(struct echo *e);
void echo_add(struct echo *e, unsigned side, unsigned worker);
uint64_t echo_work(const struct echo *e);

/** No flood is under way: every datagram of it has come, or is in a counter. */
bool echo_is_settled(const struct echo *e);

struct echo_worker;
struct echo_worker *echo_start(struct echo *e, struct twin_worker *tw);
int echo_step(struct echo_worker *w);
void echo_stop(struct echo_worker *w);
void echo_dump(const struct echo *e, FILE *out);

#endif
