/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Epoll descriptors. */
#include <errno.h>

#include "api/api_priv.h"
#include "sock/epoll_set.h"

_Static_assert((int)MTCP_EPOLLIN == (int)SOCK_EV_IN && (int)MTCP_EPOLLOUT == (int)SOCK_EV_OUT &&
                   (int)MTCP_EPOLLERR == (int)SOCK_EV_ERR && (int)MTCP_EPOLLHUP == (int)SOCK_EV_HUP &&
                   (int)MTCP_EPOLLRDNORM == (int)SOCK_EV_RDNORM &&
                   (int)MTCP_EPOLLWRNORM == (int)SOCK_EV_WRNORM &&
                   (int)MTCP_EPOLLRDHUP == (int)SOCK_EV_RDHUP && (int)MTCP_EPOLLMOVED == (int)SOCK_EV_MOVED,
               "the layers below use the API's values");

#define USEC_PER_MSEC UINT64_C(1000)

int mtcp_epoll_create1(mctx_t mctx, int flags)
{
    struct worker *w = api_worker(mctx);
    struct sock *ep;
    enum status st;

    if (!w)
        return -1;
    if (flags != 0)
        return api_result(ST_INVALID);
    st = epoll_open(worker_socks(w), &ep);
    return st == ST_OK ? ep->id : api_result(st);
}

int mtcp_epoll_create(mctx_t mctx, int size)
{
    if (size <= 0 && mctx)
        return api_result(ST_INVALID);
    return mtcp_epoll_create1(mctx, 0);
}

int mtcp_epoll_ctl(mctx_t mctx, int epid, int op, int sockid, struct mtcp_epoll_event *event)
{
    struct worker *w;
    struct sock *ep = api_sock(mctx, epid, &w);
    struct sock *s = ep ? api_sock(mctx, sockid, &w) : NULL;

    if (!ep || !s)
        return -1;
    if (ep->type != SOCK_TYPE_EPOLL ||
        (op != MTCP_EPOLL_CTL_ADD && op != MTCP_EPOLL_CTL_MOD && op != MTCP_EPOLL_CTL_DEL))
        return api_result(ST_INVALID);
    if (op == MTCP_EPOLL_CTL_DEL)
        return api_result(epoll_remove(ep, s));
    if (!event) {
        errno = EFAULT;
        return -1;
    }
    if (op == MTCP_EPOLL_CTL_ADD)
        return api_result(epoll_add(ep, s, event->events, event->data.u64));
    return api_result(epoll_modify(ep, s, event->events, event->data.u64));
}

struct collector {
    struct sock *ep;
    struct mtcp_epoll_event *events;
    int max, count;
};

static bool collect(void *arg)
{
    struct collector *c = arg;
    struct epoll_walk walk = epoll_walk_begin(c->ep);

    while (c->count < c->max) {
        struct mtcp_epoll_event *ev = &c->events[c->count];

        if (!epoll_walk_next(&walk, &ev->events, &ev->data.u64))
            break;
        c->count++;
    }
    epoll_walk_end(&walk);
    return c->count > 0;
}

int mtcp_epoll_wait(mctx_t mctx, int epid, struct mtcp_epoll_event *events, int maxevents, int timeout)
{
    struct worker *w;
    struct sock *ep = api_sock(mctx, epid, &w);
    struct collector c = {.ep = ep, .events = events, .max = maxevents};
    enum status st;

    if (!ep)
        return -1;
    if (ep->type != SOCK_TYPE_EPOLL || maxevents <= 0)
        return api_result(ST_INVALID);
    if (!events) {
        errno = EFAULT;
        return -1;
    }
    worker_let_move(w, true);
    st = worker_wait(w, collect, &c, timeout < 0 ? WORKER_FOREVER : (uint64_t)timeout * USEC_PER_MSEC);
    worker_let_move(w, false);
    if (st == ST_TIMED_OUT)
        return 0;
    return st == ST_OK ? c.count : api_result(st);
}
