/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moves all connections of a TCP to a fresh one, as a worker's go to another worker: for tests that must not
 * notice it. */
#ifndef TESTING_MOVER_H
#define TESTING_MOVER_H

#include "tcp/tcp.h"

struct mover {
    struct tcp **tcp;               /**< the TCP in use; replaced */
    struct tcp_listener **listener; /**< its listener, *listener may be NULL */
    struct tcp_conn **conn;         /**< the one connection that has a user, *conn may be NULL */
};

/** True: `fresh` is in use now and the old TCP destroyed. False when a connection could not move (closed, of
 * another user, opening, TIME-WAIT with its user), or there is another listener: nothing has changed and
 * `fresh` is destroyed. */
bool mover_move(const struct mover *m, struct tcp *fresh, uint64_t now_us);

#endif
