/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Readiness of the descriptors of a context, with the rules of epoll(7): level-triggered unless MTCP_EPOLLET,
 * MTCP_EPOLLERR and MTCP_EPOLLHUP are reported unasked, MTCP_EPOLLRDHUP only when asked for. A context may
 * have many epoll descriptors, and a socket may be in several. Readiness is looked at again when a wait
 * returns, so an event is never reported for what would give EAGAIN. A stream that opens reports
 * MTCP_EPOLLOUT alone; one that failed has MTCP_EPOLLERR and its reason in SO_ERROR. Connections that were
 * declared movable may leave for another worker during a wait: see MTCP_MOVABLE in mtcp_api.h. */
#ifndef MTCP_EPOLL_H
#define MTCP_EPOLL_H

#include "mtcp_api.h"

#ifdef __cplusplus
extern "C" {
#endif

enum mtcp_epoll_op {
    MTCP_EPOLL_CTL_ADD = 1,
    MTCP_EPOLL_CTL_DEL = 2,
    MTCP_EPOLL_CTL_MOD = 3,
};

enum mtcp_event_type {
    MTCP_EPOLLNONE = 0x0000,
    MTCP_EPOLLIN = 0x0001,
    MTCP_EPOLLPRI = 0x0002, /**< never reported: urgent data is delivered in line */
    MTCP_EPOLLOUT = 0x0004,
    MTCP_EPOLLRDNORM = 0x0040,
    MTCP_EPOLLRDBAND = 0x0080,
    MTCP_EPOLLWRNORM = 0x0100,
    MTCP_EPOLLWRBAND = 0x0200,
    MTCP_EPOLLMSG = 0x0400,
    MTCP_EPOLLERR = 0x0008,
    MTCP_EPOLLHUP = 0x0010,   /**< both directions have ended */
    MTCP_EPOLLRDHUP = 0x2000, /**< the peer will send nothing more */
    MTCP_EPOLLMOVED =
        0x10000, /**< the connection has gone to another worker: reported once, unasked and alone */
    MTCP_EPOLLONESHOT = (1 << 30),
    MTCP_EPOLLET = (1 << 31),
};

typedef union mtcp_epoll_data {
    void *ptr;
    int sockid;
    uint32_t u32;
    uint64_t u64;
} mtcp_epoll_data_t;

/** 16 bytes, data at offset 8 (unlike the packed struct epoll_event of Linux on x86-64). */
struct mtcp_epoll_event {
    uint32_t events; /**< enum mtcp_event_type */
    mtcp_epoll_data_t data;
};

/** @param size greater than 0, otherwise without meaning
 * @return an epoll descriptor, or -1: EINVAL, ENFILE, ENOMEM. */
int mtcp_epoll_create(mctx_t mctx, int size);
/** @param flags 0 (EINVAL otherwise) */
int mtcp_epoll_create1(mctx_t mctx, int flags);
/** Adds, changes or removes the interest in a descriptor. Closing a descriptor removes it from every set.
 * @return 0, or -1: EBADF, EINVAL (epid is no epoll, op, sockid is an epoll), EEXIST, ENOENT, EFAULT (event
 * NULL for ADD and MOD), ENOMEM. */
int mtcp_epoll_ctl(mctx_t mctx, int epid, int op, int sockid, struct mtcp_epoll_event *event);
/** Runs the stack until something is ready.
 * @param maxevents room in events, greater than 0
 * @param timeout milliseconds; 0 runs one round and returns, -1 waits for ever
 * @return events stored, 0 after the timeout, or -1: EINVAL, EFAULT, EINTR (mtcp_interrupt(), signal). */
int mtcp_epoll_wait(mctx_t mctx, int epid, struct mtcp_epoll_event *events, int maxevents, int timeout);
/** Names of the bits, e.g. "MTCP_EPOLLIN|MTCP_EPOLLERR"; the text holds until the thread's next call. */
char *EventToString(uint32_t event);

#ifdef __cplusplus
}
#endif

#endif
