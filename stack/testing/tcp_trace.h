/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP tests that read as packet traces: one host against a script that plays the peer, on a virtual clock.
 *
 *     struct host *h = conn_established(NULL);
 *     IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
 *     WAIT_MS(h, 40);
 *     OUT(h, ACK, .seq = 1, .ack = 101);
 *
 * Sequence numbers are relative: 0 is the SYN of either side. Payload bytes follow from their sequence number
 * and are checked wherever they pass. OUT() compares flags and len always, other fields when given. After
 * each IN() the host flushes, as a worker does once a round. host_free() demands that nothing is left over.
 */
#ifndef TESTING_TCP_TRACE_H
#define TESTING_TCP_TRACE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tcp/tcp.h"
#include "testing/test_pkt.h"
#include "wire/tcp.h"

/** A test: TRACE(test_what) { ... } */
#define TRACE(name) static void name(void **state __attribute__((unused)))

#define ANY (-1)
#define HOST_ADDR 0x0a000001u
#define PEER_ADDR 0x0a000002u
#define HOST_PORT 80
#define PEER_PORT 5000
#define MS 1000ull
#define SECOND 1000000ull

/* Names of the wire flags as traces want them. */
enum { FIN = TCP_FIN, SYN = TCP_SYN, RST = TCP_RST, PSH = TCP_PSH, ACK = TCP_ACK, URG = TCP_URG };

/** A segment as a trace says it; ANY = not compared (expected) or the default (injected). */
struct seg {
    unsigned flags;
    int64_t seq, ack;    /**< relative to the ISS of sender and receiver */
    int64_t len;         /**< payload bytes */
    int64_t win;         /**< the field, unscaled */
    int64_t mss, wscale; /**< options; -1 = none given (injected) or not compared (expected) */
    int64_t ts_val, ts_ecr;
    int64_t urgent;
    bool no_opts;      /**< expected: the segment carries no option; injected: send none */
    bool bad_checksum; /**< injected only */
};

/** What the script's side is like. All zero: MSS 1460, window 65535, no other option. */
struct host_opts {
    size_t rcvbuf, sndbuf;         /**< of the host; default 65536 */
    uint64_t time_wait_us;         /**< default 1 s; HOST_NO_TIME_WAIT = none */
    uint64_t user_timeout_us;      /**< default never */
    size_t max_conns;              /**< default 16 */
    unsigned backlog;              /**< default 8 */
    uint16_t mtu;                  /**< default 1500 */
    uint16_t port;                 /**< of the host; default HOST_PORT */
    bool nagle;                    /**< default: off, as for the applications */
    bool active;                   /**< the host opens; default: the script does */
    bool no_mss, ts, wscale;       /**< the peer's options: no MSS, with timestamps, with window scale 2^2 */
    uint16_t mss, win;             /**< the peer's; default 1460, 65535 */
    bool win_zero;                 /**< the peer's first window is 0 */
    bool no_timestamps, no_wscale; /**< of the host */
    seq_t peer_iss;                /**< default 0x10000000 */
    uint64_t start_us;             /**< of the clock, default 1 s; moves the host's ISS too */
};

#define HOST_NO_TIME_WAIT UINT64_MAX

struct host {
    struct tcp *tcp;
    struct tcp_listener *listener;
    struct tcp_conn *conn; /**< the connection of the trace once it has a user; NULL after close */
    unsigned events;       /**< enum tcp_event since the last look */
    uint64_t now_us;
    struct host_opts opts;
    struct test_pkts pkts;
    struct pkt *out_first, **out_last;
    seq_t iss, peer_iss; /**< what relative numbers mean */
    bool iss_known, ts_on;
    uint32_t ts_recent; /**< last timestamp of the host */
    uint16_t port, peer_port;
    ipv4_addr_t peer_addr;
    uint64_t written, read; /**< bytes of the streams so far */
    char log[65536];
    size_t log_len;
};

#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
#define SEG(flags_, ...)              \
    (&(struct seg){.flags = (flags_), \
                   .seq = ANY,        \
                   .ack = ANY,        \
                   .len = 0,          \
                   .win = ANY,        \
                   .mss = ANY,        \
                   .wscale = ANY,     \
                   .ts_val = ANY,     \
                   .ts_ecr = ANY,     \
                   .urgent = ANY,     \
                   ##__VA_ARGS__})

/** The script sends. */
#define IN(h, flags_, ...) host_in(h, SEG(flags_, ##__VA_ARGS__), false)
/** The same several times in one round: the host flushes only after the next IN(). */
#define IN_MORE(h, flags_, ...) host_in(h, SEG(flags_, ##__VA_ARGS__), true)
/** The next segment the host has sent must be this. */
#define OUT(h, flags_, ...) host_out(h, SEG(flags_, ##__VA_ARGS__), __FILE__, __LINE__)
/** The host has sent nothing more. */
#define NO_OUT(h) host_no_out(h, __FILE__, __LINE__)
/** Time passes; timers run at their deadlines. */
#define WAIT_US(h, us) host_wait(h, us)
#define WAIT_MS(h, ms) host_wait(h, (ms)*MS)
#define STATE(h, name) host_state(h, name, __FILE__, __LINE__)
#define EVENTS(h, mask) host_events(h, mask, __FILE__, __LINE__)
/** A counter of the TCP layer has this value. */
#define COUNTED(h, name, n) assert_int_equal(tcp_get_counters((h)->tcp)->name, n)

/** True in a test that is linked with always_move.c. */
extern bool host_always_moves;

struct host *host_new(const struct host_opts *opts);
/** Another TCP like the host's, whose segments and events go to the same places. */
struct tcp *host_make_tcp(struct host *h);
/** All connections of the host move to another TCP, with the same options; false when one could not. */
bool host_move(struct host *h);
/** Ends everything; checks that no segment, packet or memory is left and no transition was refused. */
void host_free(struct host *h);
void host_in(struct host *h, const struct seg *s, bool more);
/** A segment of seq 0 with these very bytes as options; len is a multiple of 4. */
void host_in_options(struct host *h, unsigned flags, const uint8_t *options, uint32_t len);
void host_out(struct host *h, const struct seg *want, const char *file, int line);
void host_no_out(struct host *h, const char *file, int line);
void host_wait(struct host *h, uint64_t us);
void host_flush(struct host *h);
void host_state(struct host *h, const char *name, const char *file, int line);
void host_events(struct host *h, unsigned mask, const char *file, int line);
/** Throws away what the host has sent; returns how many segments. */
unsigned host_discard(struct host *h);

/** The user writes the next n bytes of his stream; returns how many were taken. Flushes. */
size_t host_write(struct host *h, size_t n);
/** The user reads up to n bytes and checks them; returns how many. Flushes. */
size_t host_read(struct host *h, size_t n);
struct tcp_info host_info(const struct host *h);
void host_close(struct host *h);
void host_shutdown(struct host *h);
void host_abort(struct host *h);
void host_connect(struct host *h);
void host_accept(struct host *h);

/* A host in a given state; opts may be NULL. Nothing is left to expect. Named by RFC 9293 3.3.2. */
struct host *conn_listen(const struct host_opts *opts);
struct host *conn_syn_sent(const struct host_opts *opts);
struct host *conn_syn_received(const struct host_opts *opts);
struct host *conn_established(const struct host_opts *opts); /**< has a user; both streams begin at 1 */
struct host *conn_close_wait(const struct host_opts *opts);  /**< the peer's FIN had seq 1 */
struct host *conn_last_ack(const struct host_opts *opts);    /**< our FIN has seq 1 */
struct host *conn_fin_wait_1(const struct host_opts *opts);
struct host *conn_fin_wait_2(const struct host_opts *opts);
struct host *conn_closing(const struct host_opts *opts);
struct host *conn_time_wait(const struct host_opts *opts);

#endif
