/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libmtcp: sockets of a user-level TCP/UDP stack, with the names and rules of the mTCP API.
 *
 * How it runs. mtcp_init() opens the interface; every application thread makes one context and uses only its
 * own. There is no thread of the stack's own: the thread that owns a context drives it inside
 * mtcp_epoll_wait() and inside calls that block. A thread that calls neither keeps its peers waiting.
 * Ownership. A descriptor belongs to its context, and a context to one thread at a time; mtcp_interrupt() is
 * the only call that another thread or a signal handler may make.
 * Errors. Calls return -1 and set errno, or as stated. EINVAL for a NULL or destroyed context, EBADF for a
 * descriptor that is not open and ENOTSOCK for one of the wrong kind are common to all and not repeated. */
#ifndef MTCP_API_H
#define MTCP_API_H

#include <stdint.h>
#include <stdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef UNUSED
#define UNUSED(x) (void)x
#endif
#ifndef INPORT_ANY
#define INPORT_ANY (uint16_t)0
#endif

/** What kind of object a descriptor is. */
enum socket_type {
    MTCP_SOCK_UNUSED = 0,
    MTCP_SOCK_STREAM = 1,
    MTCP_SOCK_PROXY = 2, /**< never made by this stack */
    MTCP_SOCK_LISTENER = 3,
    MTCP_SOCK_EPOLL = 4,
    MTCP_SOCK_PIPE = 5,
    MTCP_SOCK_DGRAM = 6,
};

/** Settings that a program may read and change. A field of 0 or less is "not set" and changes nothing. */
struct mtcp_conf {
    int num_cores;       /**< workers; takes effect only before mtcp_init() */
    int max_concurrency; /**< descriptors and connections of a context; descriptors are smaller than this */
    int max_num_buffers; /**< packet buffers of a context; takes effect only before mtcp_init() */
    int rcvbuf_size;     /**< receive buffer of a socket in bytes */
    int sndbuf_size;     /**< send buffer of a socket in bytes */
    int tcp_timewait;    /**< seconds in TIME-WAIT */
    int tcp_timeout;     /**< seconds that data may stay unacknowledged */
};

/** A context: one thread's share of the stack. */
struct mtcp_context {
    int cpu; /**< the core that mtcp_create_context() was given */
};
typedef struct mtcp_context *mctx_t;

typedef void (*mtcp_sighandler_t)(int);

/* ---- the stack ---- */

/** Reads the configuration file and opens the interface. Once a process; again after mtcp_destroy().
 * @return 0, or -1: EINVAL (file name NULL, bad file: the reason is logged), EALREADY (initialised already),
 *         ENODEV or EIO (interface), ENOMEM. */
int mtcp_init(const char *config_file);
/** Destroys what contexts there are and closes the interface. Every other thread must have left the API. */
void mtcp_destroy(void);
/** The settings in force. Before mtcp_init() only what mtcp_setconf() has set, other fields are 0.
 * @return 0, or -1/EINVAL for NULL. */
int mtcp_getconf(struct mtcp_conf *conf);
/** Changes the fields that are greater than 0. Before mtcp_init() they override the file; after it they hold
 * for contexts created from then on. @return 0, or -1/EINVAL for NULL. */
int mtcp_setconf(const struct mtcp_conf *conf);

/** Pins the calling thread to a core. @return 0, or -1: EINVAL (the process may not run there). */
int mtcp_core_affinitize(int cpu);
/** Takes the next free worker for the calling thread; cpu is only remembered: any core number will do. When
 * the configuration has a core_mask, the thread is pinned to the worker's CPU of it.
 * @return the context, or NULL: EINVAL (cpu < 0), EPERM (no mtcp_init()), ENFILE (as many contexts as
 *         workers exist already), ENOMEM. */
mctx_t mtcp_create_context(int cpu);
/** Closes every descriptor and gives the worker back. Data already written and FINs are still sent, for at
 * most one second; what is not finished then is reset. */
void mtcp_destroy_context(mctx_t mctx);
/** Installs handler for a signal. When it comes, waits of all contexts end with EINTR and handler is called.
 * A second SIGINT more than a second after the first ends the process.
 * @return the handler before, or SIG_ERR with errno of sigaction(). */
mtcp_sighandler_t mtcp_register_signal(int signum, mtcp_sighandler_t handler);
/** Makes the wait of a context, or its next one, return -1/EINTR. Safe from other threads and from signal
 * handlers. @return 0 */
int mtcp_interrupt(mctx_t mctx);
/** Hint which port range and peers a client will use. Accepted for compatibility: the stack chooses source
 * ports itself. Addresses and port in network order. @return 0, or -1/EINVAL when num_addr < 1. */
int mtcp_init_rss(mctx_t mctx, in_addr_t saddr_base, int num_addr, in_addr_t daddr, in_addr_t dport);
/** Prints the counters of the context, `name value` a line, those that are not zero. */
void mtcp_print_counters(mctx_t mctx, FILE *out);

/* ---- sockets ---- */

/** Makes a blocking socket. type may carry SOCK_NONBLOCK.
 * @param domain AF_INET  @param type SOCK_STREAM or SOCK_DGRAM  @param protocol 0, or that of the type
 * @return a descriptor (the lowest free one), or -1: EAFNOSUPPORT, EINVAL (type), EPROTONOSUPPORT, ENFILE
 *         (max_concurrency), ENOMEM. */
int mtcp_socket(mctx_t mctx, int domain, int type, int protocol);
/** Sets the local address; 0.0.0.0 is any, port 0 chooses one when it is needed. A port that is taken is
 * refused here for datagrams, by mtcp_listen() and mtcp_connect() for streams.
 * @return 0, or -1: EINVAL (address length, bound already), EFAULT (addr NULL), EAFNOSUPPORT, EADDRNOTAVAIL,
 *         EADDRINUSE. */
int mtcp_bind(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen);
/** Makes a bound stream socket accept connections.
 * @param backlog connections that may wait, 1 to max_concurrency
 * @return 0, or -1: EINVAL (backlog, not bound, connected), EADDRINUSE, ENOMEM. */
int mtcp_listen(mctx_t mctx, int sockid, int backlog);
/** Takes the next connection; it is blocking. addr may be NULL.
 * @return its descriptor, or -1: EINVAL (not listening), EAGAIN (non-blocking and none), EINTR, ENFILE,
 *         EFAULT. */
int mtcp_accept(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen);
/** Opens a connection, or sets the peer of a datagram socket. A non-blocking stream gives EINPROGRESS and
 * reports MTCP_EPOLLOUT when it is open, MTCP_EPOLLERR when it failed (SO_ERROR says why).
 * @return 0, or -1: EINPROGRESS, EALREADY, EISCONN, EAFNOSUPPORT, EINVAL, EFAULT, ENETUNREACH, EADDRNOTAVAIL,
 *         EADDRINUSE, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, EINTR, ENOMEM. */
int mtcp_connect(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen);
/** Local address. @return 0, or -1/EFAULT. */
int mtcp_getsockname(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen);
/** Peer's address. @return 0, or -1: ENOTCONN, EFAULT. */
int mtcp_getpeername(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen);
/** Ends one or both directions of a connection (SHUT_RD, SHUT_WR, SHUT_RDWR).
 * @return 0, or -1: EINVAL, ENOTCONN. */
int mtcp_shutdown(mctx_t mctx, int sockid, int how);
/** Lets go of any descriptor. A connection still sends what was written, then FIN; with unread data it is
 * reset (RFC 2525 2.17). @return 0, or -1. */
int mtcp_close(mctx_t mctx, int sockid);
/** Resets a connection and frees the descriptor. @return 0, or -1: ENOTCONN. */
int mtcp_abort(mctx_t mctx, int sockid);

/* Connections that move. With key `rebalance` the stack moves flows between its workers so that all have the
 * same load. A connection in use follows only when it is movable (MTCP_MOVABLE, inherited from the listener),
 * some epoll set watches it, and the other worker has a listener for its port; all others stay where they
 * are for life, only new ones go to the new worker. How a movable connection moves:
 * - It leaves only while the thread that has it is inside mtcp_epoll_wait(). When that returns, those that
 *   left are reported first, each with MTCP_EPOLLMOVED alone and the data of its item, once by each set that
 *   watched it. When maxevents was too small for all, the next wait returns the rest at once. Their
 *   descriptors are closed already and not given out again before they have been reported.
 * - It comes out of mtcp_accept() of the listener of its port at the other worker, whatever the backlog: with
 *   everything that was unread or unsent, TCP_NODELAY, shut directions and MTCP_USER_DATA as they were; but
 *   blocking, and in no epoll set. It may have ended on its way: then reading says how.
 * - MTCP_USER_DATA tells it from a new connection, for which it is NULL. What the pointer points to is the
 *   new thread's from the moment at which the old one has entered the wait: the old thread must not touch
 *   that memory from MTCP_EPOLLMOVED on, not even to unlink it from a list. Between a wait that was cut short
 *   by maxevents and the next one it may touch only what belongs to a descriptor that was reported ready.
 * - A listener that closes resets those that nobody has accepted, and what their user data point to is lost:
 *   accept until EAGAIN before closing it. */
#define SOL_MTCP 0x6d74
#define MTCP_MOVABLE 1   /**< int: the connection, or those that the listener will accept, may move */
#define MTCP_USER_DATA 2 /**< void *: the program's own, of a connection; NULL at first */

/** Options: SOL_SOCKET SO_ERROR, SO_TYPE, SO_ACCEPTCONN, SO_RCVBUF, SO_SNDBUF, SO_REUSEADDR, SO_REUSEPORT;
 * IPPROTO_TCP TCP_NODELAY, TCP_MAXSEG; SOL_MTCP MTCP_MOVABLE, MTCP_USER_DATA.
 * @return 0, or -1: ENOPROTOOPT, EINVAL (length), EFAULT. */
int mtcp_getsockopt(mctx_t mctx, int sockid, int level, int optname, void *optval, socklen_t *optlen);
/** Options: SOL_SOCKET SO_REUSEADDR and SO_REUSEPORT (accepted without effect: listeners and datagram sockets
 * of one port, one a context, are always allowed), IPPROTO_TCP TCP_NODELAY, SOL_MTCP MTCP_MOVABLE,
 * MTCP_USER_DATA (the latter two of streams only). All others are refused rather than ignored. @return 0, or
 * -1: ENOPROTOOPT, EINVAL, EFAULT. */
int mtcp_setsockopt(mctx_t mctx, int sockid, int level, int optname, const void *optval, socklen_t optlen);
/** Makes calls on the socket return EAGAIN or EINPROGRESS instead of waiting. @return 0, or -1. */
int mtcp_setsock_nonblock(mctx_t mctx, int sockid);
/** FIONREAD: bytes that can be read (of a datagram socket: length of the next one) into *(int *)argp.
 * FIONBIO: non-blocking when *(int *)argp is not 0. @return 0, or -1: EINVAL (request), EFAULT. */
int mtcp_socket_ioctl(mctx_t mctx, int sockid, int request, void *argp);

/** Reads up to len bytes. @return bytes, 0 at the end of the stream, or -1: EAGAIN, ENOTCONN, ECONNRESET,
 * ETIMEDOUT, EFAULT, EINTR. */
ssize_t mtcp_read(mctx_t mctx, int sockid, char *buf, size_t len);
/** The same with MSG_PEEK (the bytes stay) and MSG_DONTWAIT; another flag is EINVAL. */
ssize_t mtcp_recv(mctx_t mctx, int sockid, char *buf, size_t len, int flags);
/** Fills the buffers in order. @return as mtcp_read(); EINVAL for numIOV < 1 or > 1024. */
int mtcp_readv(mctx_t mctx, int sockid, const struct iovec *iov, int numIOV);
/** Queues up to len bytes for sending; all of them in blocking mode. @return bytes taken, or -1: EAGAIN,
 * ENOTCONN, EPIPE (after shutdown), ECONNRESET, ETIMEDOUT, EFAULT, EINTR. */
ssize_t mtcp_write(mctx_t mctx, int sockid, const char *buf, size_t len);
/** The same with MSG_DONTWAIT and MSG_NOSIGNAL; another flag is EINVAL. */
ssize_t mtcp_send(mctx_t mctx, int sockid, const char *buf, size_t len, int flags);
/** Sends the buffers in order. @return as mtcp_write(); EINVAL for numIOV < 1 or > 1024. */
int mtcp_writev(mctx_t mctx, int sockid, const struct iovec *iov, int numIOV);

/* Without a copy: the application works in the stack's own buffers. They belong to the stack; the application
 * may use the pieces that it was given until the next call with this context that is mtcp_epoll_wait(),
 * waits, or answers EAGAIN (those let the stack work), or that reads from, writes to or closes this socket.
 * Afterwards the pieces are invalid, but nothing is lost: what was not released is received again, what was
 * not committed was never written. Stream sockets only (ENOTSOCK). */

/** What has arrived, in place: at most two pieces, read in order, not to be changed. Unused pieces have
 * length 0. flags: MSG_DONTWAIT or 0.
 * @return bytes in both pieces, 0 at the end of the stream, or -1 as mtcp_recv(). */
ssize_t mtcp_recv_zc(mctx_t mctx, int sockid, struct iovec span[2], int flags);
/** The first len bytes are done with. The other pieces' bytes stay, and stay where they are.
 * @return 0, or -1: EINVAL (fewer bytes are there), ENOTCONN. */
int mtcp_recv_release(mctx_t mctx, int sockid, size_t len);
/** Room for up to len bytes of the send buffer, at most two pieces, to be filled in order. Less than len when
 * the buffer has less room. flags: MSG_DONTWAIT or 0.
 * @return bytes in both pieces, or -1 as mtcp_send(). */
ssize_t mtcp_send_zc(mctx_t mctx, int sockid, size_t len, struct iovec span[2], int flags);
/** Sends the first len bytes of the pieces that the last mtcp_send_zc() gave, and gives the rest back.
 * @return 0, or -1: EINVAL (more than there was, or the pieces have become invalid), and as mtcp_send(). */
int mtcp_send_commit(mctx_t mctx, int sockid, size_t len);

/** Receives one datagram, or from a stream as mtcp_recv(). addr may be NULL. MSG_PEEK, MSG_DONTWAIT,
 * MSG_TRUNC. @return bytes copied (with MSG_TRUNC the real length), or -1: EAGAIN, EINVAL, EFAULT, EINTR. */
ssize_t mtcp_recvfrom(mctx_t mctx, int sockid, void *buf, size_t len, int flags, struct sockaddr *addr,
                      socklen_t *addrlen);
/** Sends one datagram. addr may be NULL on a connected socket.
 * @return len, or -1: EAGAIN (no buffer), EMSGSIZE, ENETUNREACH, ENOTCONN (no address), EFAULT, EINVAL. */
ssize_t mtcp_sendto(mctx_t mctx, int sockid, const void *buf, size_t len, int flags,
                    const struct sockaddr *addr, socklen_t addrlen);

/** A pipe inside the context: pipeid[0] is read, pipeid[1] written. @return -1/ENOSYS in this version. */
int mtcp_pipe(mctx_t mctx, int pipeid[2]);

#ifdef __cplusplus
}
#endif

#endif
