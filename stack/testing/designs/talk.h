/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP users for twins: clients that open connections and servers that answer, every byte checked at both
 * ends. What happens on a connection is written down in a table that both ends share, so that each knows what
 * the other will do, and a run that hangs can be told. A client names the entry of the table in the first
 * bytes of its stream. */
#ifndef TESTING_DESIGNS_TALK_H
#define TESTING_DESIGNS_TALK_H

#include "testing/designs/twin.h"

#define TALK_PORT 80
#define TALK_HEADER 8u /**< bytes of the client's stream before its data */

/** How a connection goes. */
enum talk_kind {
    TALK_CLIENT_CLOSES, /**< when it has all; the server sees the end */
    TALK_SERVER_CLOSES,
    TALK_HALF_CLOSE,    /**< the answer begins after the client's FIN */
    TALK_CLIENT_RESETS, /**< in the middle of the answer */
    TALK_SERVER_RESETS, /**< in the middle of the request */
    TALK_STALL,         /**< the server does not read until the client has met a closed window */
    TALK_VANISHES,      /**< the client is gone again at once */
    TALK_KINDS,
};

/** One end's state, for who looks from outside. */
struct talk_view {
    _Atomic uint64_t sent, got;
    _Atomic unsigned worker, moves;
    _Atomic int fd;
    _Atomic int phase; /**< 0 not begun, 1 open, 2 done */
};

struct talk_flow {
    enum talk_kind kind;
    unsigned client_side, client_worker;
    uint64_t up, down; /**< bytes from the client, after the header, and from the server */
    uint64_t seed;
    atomic_bool gate; /**< TALK_STALL: the server may read */
    unsigned turns;   /**< how often it has begun again */
    struct talk_view client, server;
};

struct talk_params {
    unsigned listener_worker; /**< TALK_ALL, or the only one that listens */
    unsigned parallel;        /**< connections that a worker opens at once */
    bool movable;             /**< the servers' connections may move to other workers */
    bool forever;             /**< the test begins flows again, and counts the work itself */
};
#define TALK_ALL UINT32_MAX

/** All connections of a run. */
struct talk {
    struct talk_params p;
    struct talk_flow *flows;
    unsigned num_flows, room;
    atomic_uint moved;                         /**< connections that came from another worker */
    atomic_uint accepted[2][TWIN_MAX_WORKERS]; /**< by worker */
};

void talk_init(struct talk *k, unsigned room, const struct talk_params *p);
void talk_fini(struct talk *k);
/** One more connection, from a worker of a side; before the run. */
void talk_add(struct talk *k, enum talk_kind kind, unsigned side, unsigned worker, uint64_t up,
              uint64_t down);
/** Pieces of work of all connections, for twin.work. */
uint64_t talk_work(const struct talk *k);

/* For the twin_app. State of a worker is its own, made by start and freed by stop. */
struct talk_worker;
struct talk_worker *talk_start(struct talk *k, struct twin_worker *tw);
int talk_step(struct talk_worker *w);
/** Opens a flow that has not begun, or is to begin again. */
void talk_open(struct talk_worker *w, struct talk_flow *f);
/** Opens and accepts nothing any more; true when all that was open has ended. */
bool talk_close(struct talk_worker *w);
void talk_stop(struct talk_worker *w);
void talk_dump(const struct talk *k, FILE *out);

#endif
