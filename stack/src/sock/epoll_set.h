/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Epoll sets: interest in sockets of the same context, and the list of those that may be ready.
 * Level-triggered items stay in the list while they are ready, edge-triggered ones leave it when reported and
 * come back with the next event, one-shot ones are disarmed until they are modified. */
#ifndef SOCK_EPOLL_SET_H
#define SOCK_EPOLL_SET_H

#include "sock/sock.h"

/** Makes an epoll descriptor. */
enum status epoll_open(struct socktab *tab, struct sock **out);
/** Called by sock_close(). */
void epoll_set_free(struct epoll_set *set);
/** Called by sock_close(): forgets a socket in all sets. */
void epoll_forget_sock(struct sock *s);
/** The socket is of type SOCK_TYPE_MOVED now: each set that watches it reports that once, before anything
 * else and whatever the interest, and forgets it; the last one releases the descriptor. */
void epoll_report_moved(struct sock *s);

/** ST_EXISTS, ST_INVALID (an epoll inside an epoll), ST_NO_MEMORY. */
enum status epoll_add(struct sock *ep, struct sock *s, uint32_t events, uint64_t data);
/** ST_NOT_FOUND. Arms a one-shot item again. */
enum status epoll_modify(struct sock *ep, struct sock *s, uint32_t events, uint64_t data);
enum status epoll_remove(struct sock *ep, struct sock *s);

/** Walks over what is ready, each socket once: begin, then next until it says false or enough are found, end.
 * Between begin and end nothing else may happen to the set. */
struct epoll_walk {
    struct epoll_set *set;
    struct list *at; /**< the next item to look at */
};
struct epoll_walk epoll_walk_begin(struct sock *ep);
bool epoll_walk_next(struct epoll_walk *walk, uint32_t *events, uint64_t *data);
/** The next walk begins where this one has stopped. */
void epoll_walk_end(struct epoll_walk *walk);

#endif
