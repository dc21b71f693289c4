/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One open connection of talk.h. A server's does not know its flow until the header has come. */
#ifndef TESTING_DESIGNS_TALK_CONN_H
#define TESTING_DESIGNS_TALK_CONN_H

#include "testing/designs/talk.h"

#define TALK_STEP_MS 2 /**< between two looks at what no event tells */

struct talk_worker {
    struct talk *talk;
    struct twin_worker *tw;
    int listener;
    struct twin_handler on_listener;
    struct list slots;
    unsigned next;        /**< flow of the table that is looked at next */
    unsigned num_clients; /**< connections that this worker has opened and that are not done */
};

/** A descriptor of a worker. When the connection has gone to another worker, the slot is all that may still
 * be touched. */
struct talk_slot {
    struct twin_handler h;
    struct talk_worker *w;
    struct list link;
    struct talk_conn *c;
};

struct talk_conn {
    struct talk_worker *w;
    struct talk_slot *slot;
    struct talk_flow *flow; /**< NULL: the header has not come */
    struct talk_view *view;
    bool client;
    int fd;
    uint32_t watched;
    uint64_t sent, got, out_len, in_len; /**< the header included */
    uint8_t header[TALK_HEADER];
    uint64_t probes_before;
    bool connected, shut, eof, failed, again;
};

/** flow: of a client; NULL for what was accepted. */
void talk_conn_open(struct talk_worker *w, int fd, struct talk_flow *flow);
/** What was accepted comes from another worker. */
void talk_conn_arrive(struct talk_worker *w, int fd, struct talk_conn *c);
/** Before a wait; true when the connection must be looked at again soon. */
bool talk_conn_step(struct talk_conn *c);
/** The test is over, or the context ends. */
void talk_conn_drop(struct talk_conn *c);

#endif
