/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Readiness. Bits and operations have the kernel's values; the events differ in their padding only and are
 * spread in place. */
#include "kernel_priv.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

_Static_assert((int)MTCP_EPOLLIN == (int)EPOLLIN && (int)MTCP_EPOLLOUT == (int)EPOLLOUT &&
                   (int)MTCP_EPOLLERR == (int)EPOLLERR && (int)MTCP_EPOLLHUP == (int)EPOLLHUP &&
                   (int)MTCP_EPOLLRDHUP == (int)EPOLLRDHUP && (int)MTCP_EPOLLONESHOT == (int)EPOLLONESHOT &&
                   (uint32_t)MTCP_EPOLLET == (uint32_t)EPOLLET,
               "events are the kernel's");
_Static_assert((int)MTCP_EPOLL_CTL_ADD == EPOLL_CTL_ADD && (int)MTCP_EPOLL_CTL_MOD == EPOLL_CTL_MOD &&
                   (int)MTCP_EPOLL_CTL_DEL == EPOLL_CTL_DEL,
               "operations are the kernel's");
_Static_assert(sizeof(struct epoll_event) <= sizeof(struct mtcp_epoll_event), "they are spread in place");

/** What an epoll reports of the context's wake: an address that no application can have. */
static uint64_t wake_mark(const struct kernel_ctx *c)
{
    return (uintptr_t)&c->wake;
}

int mtcp_epoll_create1(mctx_t mctx, int flags)
{
    struct kernel_ctx *c = kernel_ctx(mctx);
    struct epoll_event ev = {.events = EPOLLIN};
    int fd;

    if (!c)
        return -1;
    if (flags != 0) {
        errno = EINVAL;
        return -1;
    }
    fd = kernel_keep(c, epoll_create1(EPOLL_CLOEXEC));
    ev.data.u64 = wake_mark(c);
    if (fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, c->wake, &ev)) {
        mtcp_close(mctx, fd);
        return -1;
    }
    return fd;
}

int mtcp_epoll_create(mctx_t mctx, int size)
{
    if (size <= 0 && mctx) {
        errno = EINVAL;
        return -1;
    }
    return mtcp_epoll_create1(mctx, 0);
}

int mtcp_epoll_ctl(mctx_t mctx, int epid, int op, int sockid, struct mtcp_epoll_event *event)
{
    struct epoll_event ev = {0};

    if (!kernel_ctx(mctx))
        return -1;
    if (!event && op != MTCP_EPOLL_CTL_DEL) {
        errno = EFAULT;
        return -1;
    }
    if (event) {
        ev.events = event->events;
        ev.data.u64 = event->data.u64;
    }
    return epoll_ctl(epid, op, sockid, &ev);
}

/** From the kernel's layout to the API's, in the same memory, from the end. Where the wake stands, or n. */
static int spread(struct mtcp_epoll_event *events, int n, uint64_t mark)
{
    const char *packed = (const char *)events;
    int wake = n;

    for (int i = n - 1; i >= 0; i--) {
        struct epoll_event ev;

        memcpy(&ev, packed + (size_t)i * sizeof(ev), sizeof(ev));
        events[i] = (struct mtcp_epoll_event){.events = ev.events, .data.u64 = ev.data.u64};
        if (ev.data.u64 == mark)
            wake = i;
    }
    return wake;
}

int mtcp_epoll_wait(mctx_t mctx, int epid, struct mtcp_epoll_event *events, int maxevents, int timeout)
{
    struct kernel_ctx *c = kernel_ctx(mctx);
    int n, wake;

    if (!c)
        return -1;
    n = epoll_wait(epid, (struct epoll_event *)(void *)events, maxevents, timeout);
    if (n < 0 && errno == EINTR)
        kernel_unwake(c); /* the signal's handler woke all contexts: this wait has heard of it */
    if (n <= 0)
        return n;
    wake = spread(events, n, wake_mark(c));
    if (wake == n)
        return n;
    if (n > 1) { /* what else is ready goes first; the wake stays for the next wait */
        memmove(&events[wake], &events[wake + 1], (size_t)(n - wake - 1) * sizeof(events[0]));
        return n - 1;
    }
    kernel_unwake(c);
    errno = EINTR;
    return -1;
}
