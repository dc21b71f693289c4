/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A worker: one core's poll loop, run to completion by the application's own thread. A round takes a burst of
 * frames, hands it through inet to TCP and UDP, runs due timers, lets TCP send and hands the frames
 * gathered to the interface. Calls that may wait run rounds until they can go on. One thread at a time uses a
 * worker; only worker_interrupt() may be called from elsewhere. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "sock/sock.h"

struct worker;
struct config;

#define WORKER_FOREVER UINT64_MAX

struct socktab *worker_socks(struct worker *w);
/** The time of the last round: monotonic microseconds. */
uint64_t worker_now(const struct worker *w);
/** 0 .. number of workers - 1. */
unsigned worker_index(const struct worker *w);
/** max_concurrency of the worker: its descriptors are smaller than this. */
unsigned worker_max_socks(const struct worker *w);
const struct config *worker_config(const struct worker *w);

/** One round; true when it found something to do. */
bool worker_round(struct worker *w);
/** Runs rounds until ready(arg) is true (looked at after each round, at least once), timeout_us has passed
 * (ST_TIMED_OUT) or somebody interrupts (ST_INTERRUPTED). */
enum status worker_wait(struct worker *w, bool (*ready)(void *arg), void *arg, uint64_t timeout_us);
/** While on, connections that their users declared movable may leave the worker during a round: inside a wait
 * that tells the user of it. */
void worker_let_move(struct worker *w, bool on);
/** Makes the wait under way, or the next one, end with ST_INTERRUPTED. Any thread, async-signal-safe. */
void worker_interrupt(struct worker *w);

/* Socket calls that wait when the socket is blocking and dont_wait is false. */
enum status worker_accept(struct worker *w, struct sock *s, struct sock **out);
enum status worker_connect(struct worker *w, struct sock *s, struct tcp_endpoint peer);
enum status worker_read(struct worker *w, struct sock *s, void *buf, size_t len, bool peek, bool dont_wait,
                        size_t *got);
/** A blocking write returns when all is queued; *put is right in every case. */
enum status worker_write(struct worker *w, struct sock *s, const void *buf, size_t len, bool dont_wait,
                         size_t *put);
/** As sock_read_spans() and sock_write_claim(), waiting when there is nothing, or no room. */
enum status worker_read_spans(struct worker *w, struct sock *s, bool dont_wait, struct byte_span out[2],
                              size_t *n);
enum status worker_write_claim(struct worker *w, struct sock *s, size_t len, bool dont_wait,
                               struct byte_span out[2], size_t *n);
enum status worker_sendto(struct worker *w, struct sock *s, const void *buf, size_t len,
                          const struct udp_addr *to, bool dont_wait);
enum status worker_recvfrom(struct worker *w, struct sock *s, void *buf, size_t len, bool peek,
                            bool dont_wait, struct udp_addr *from, size_t *got, size_t *full);

/** Hands `layer.name value` lines of all counters that are not 0 to line(). */
void worker_print_counters(struct worker *w, void (*line)(void *ctx, const char *text), void *ctx);

#endif
