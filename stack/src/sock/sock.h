/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Descriptors of one context and the sockets behind them: streams, listeners, datagram sockets, epoll sets.
 * Nothing here waits: what cannot be done now says ST_AGAIN, and the worker decides whether to poll on.
 * A struct sock stays where it is from sock_open() to sock_close(); TCP and UDP hold it as owner.
 * Invariant: an epoll item is in its set's ready list whenever its socket may have become ready since the
 * item was last found not ready; what is reported is always computed afresh from TCP and UDP. */
#ifndef SOCK_SOCK_H
#define SOCK_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/byte_ring.h"
#include "base/list.h"
#include "base/status.h"
#include "sock/idmap.h"
#include "tcp/tcp.h"
#include "udp/udp.h"

struct epoll_set;
struct socktab;

/** The values are those of the API's enum socket_type. */
enum sock_type {
    SOCK_TYPE_FREE = 0,
    SOCK_TYPE_STREAM = 1,
    SOCK_TYPE_LISTENER = 3,
    SOCK_TYPE_EPOLL = 4,
    SOCK_TYPE_DGRAM = 6,
    SOCK_TYPE_MOVED = 64, /**< its connection went to another worker; the user has not been told yet */
};

/** Readiness. The values are those of the API's MTCP_EPOLL*. */
enum sock_event {
    SOCK_EV_IN = 0x0001,
    SOCK_EV_OUT = 0x0004,
    SOCK_EV_ERR = 0x0008,
    SOCK_EV_HUP = 0x0010,
    SOCK_EV_RDNORM = 0x0040,
    SOCK_EV_WRNORM = 0x0100,
    SOCK_EV_RDHUP = 0x2000,
    SOCK_EV_MOVED = 0x10000,
};
#define SOCK_EV_ONESHOT (UINT32_C(1) << 30)
#define SOCK_EV_ET (UINT32_C(1) << 31)
#define SOCK_EV_READ (SOCK_EV_IN | SOCK_EV_RDNORM)
#define SOCK_EV_WRITE (SOCK_EV_OUT | SOCK_EV_WRNORM)
#define SOCK_EV_ALWAYS (SOCK_EV_ERR | SOCK_EV_HUP)

struct sock {
    struct socktab *tab;
    int id;
    enum sock_type type;
    bool nonblock, bound;
    bool rd_shut, wr_shut; /**< which directions of a stream the user has shut down */
    bool error_taken;      /**< the connection's error has been told to the user */
    bool no_delay, reuse_addr, reuse_port, movable; /**< options as set */
    struct tcp_endpoint local;                      /**< as bound; port 0 = none */
    struct list items;                              /**< epoll items that watch this socket */
    void *user_data;                                /**< the user's own; travels with a connection */
    union {
        struct tcp_conn *conn; /**< stream: NULL before connect */
        struct tcp_listener *listener;
        struct udp_sock *udp;
        struct epoll_set *epoll;
    };
};

/** What sockets need of the world around TCP and UDP. */
struct socktab_ops {
    bool (*is_local)(void *ctx, ipv4_addr_t addr);
    /** Whether a datagram could be handed to the device now. */
    bool (*can_send)(void *ctx);
};

struct socktab {
    struct idmap ids;
    struct sock *socks; /**< indexed by descriptor */
    struct tcp *tcp;
    struct udp *udp;
    const struct socktab_ops *ops;
    void *ctx;
    unsigned num_dgrams;
};

/** max_socks descriptors; tcp, udp and ops are borrowed. */
enum status socktab_init(struct socktab *tab, unsigned max_socks, struct tcp *tcp, struct udp *udp,
                         const struct socktab_ops *ops, void *ctx);
/** Closes every descriptor: streams send what is queued, then FIN. */
void socktab_close_all(struct socktab *tab, uint64_t now_us);
void socktab_fini(struct socktab *tab);
/** The socket of a descriptor, NULL when it is not open. */
struct sock *socktab_get(const struct socktab *tab, int id);
/** After datagrams were refused: the device has room again. */
void socktab_notify_send_room(struct socktab *tab);

/** A descriptor without an object behind it yet. ST_TABLE_FULL. */
enum status sock_alloc(struct socktab *tab, enum sock_type type, struct sock **out);
void sock_release(struct sock *s);

enum status sock_open(struct socktab *tab, enum sock_type type, struct sock **out);
void sock_close(struct sock *s, uint64_t now_us);
enum status sock_bind(struct sock *s, struct tcp_endpoint local);
enum status sock_local(const struct sock *s, struct tcp_endpoint *out);
enum status sock_peer(const struct sock *s, struct tcp_endpoint *out);

/* Streams. */
enum status sock_listen(struct sock *s, unsigned backlog);
enum status sock_accept(struct sock *s, struct sock **out);
/** ST_IN_PROGRESS when a handshake was started, ST_OK for datagrams. */
enum status sock_connect(struct sock *s, struct tcp_endpoint peer, uint64_t now_us);
/** How a started handshake stands: ST_OK, ST_AGAIN while under way, or why it failed. */
enum status sock_connect_result(struct sock *s);
enum status sock_read(struct sock *s, void *buf, size_t len, bool peek, uint64_t now_us, size_t *got);
enum status sock_write(struct sock *s, const void *buf, size_t len, uint64_t now_us, size_t *put);
/* Without a copy: see tcp_read_spans() and its relatives. */
enum status sock_read_spans(struct sock *s, struct byte_span out[2], size_t *n);
enum status sock_read_release(struct sock *s, size_t n);
enum status sock_write_claim(struct sock *s, size_t len, struct byte_span out[2], size_t *n);
enum status sock_write_commit(struct sock *s, size_t n);
enum status sock_shutdown(struct sock *s, bool rd, bool wr, uint64_t now_us);
enum status sock_abort(struct sock *s, uint64_t now_us);
void sock_set_no_delay(struct sock *s, bool on, uint64_t now_us);

/* Datagrams. */
enum status sock_sendto(struct sock *s, const void *buf, size_t len, const struct udp_addr *to,
                        uint64_t now_us);
enum status sock_recvfrom(struct sock *s, void *buf, size_t len, bool peek, struct udp_addr *from,
                          size_t *got, size_t *full);

/** Bytes that one read can take now (of a datagram socket: the next datagram). */
size_t sock_available(const struct sock *s);
/** The pending error, which is then told (SO_ERROR); ST_OK when there is none. */
enum status sock_take_error(struct sock *s);

/** Readiness as it is now, enum sock_event. */
uint32_t sock_poll(const struct sock *s);
/** The socket may have become ready for these events: its epoll items are looked at by the next wait. */
void sock_notify(struct sock *s, uint32_t events);

/* Moving to another worker, see sock_move.c. */
/** The user's connection is asked whether it may go now. True: it has been given its luggage, and the
 * descriptor is closed, but not free before its user has been told by every epoll set that watches it. */
bool sock_let_go(struct tcp_conn *c);
/** A fresh descriptor for a connection that may have come from another worker. */
void sock_take_luggage(struct sock *s, const struct sock *listener);

/* For the callbacks of TCP and UDP. */
void sock_on_tcp_event(struct tcp_conn *c, unsigned tcp_events);
void sock_on_acceptable(struct tcp_listener *l);
void sock_on_readable(struct udp_sock *u);

#endif
