/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets: making, naming, connecting, closing. */
#include <errno.h>
#include <sys/ioctl.h>

#include "api/api_priv.h"

int mtcp_socket(mctx_t mctx, int domain, int type, int protocol)
{
    struct worker *w = api_worker(mctx);
    int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    int own = kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    struct sock *s;
    enum status st;

    if (!w)
        return -1;
    if (domain != AF_INET)
        return api_result(ST_BAD_FAMILY);
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM)
        return api_result(ST_INVALID);
    if (protocol != 0 && protocol != own)
        return api_result(ST_BAD_PROTOCOL);
    st = sock_open(worker_socks(w), kind == SOCK_STREAM ? SOCK_TYPE_STREAM : SOCK_TYPE_DGRAM, &s);
    if (st != ST_OK)
        return api_result(st);
    s->nonblock = (type & SOCK_NONBLOCK) != 0;
    return s->id;
}

int mtcp_bind(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    struct tcp_endpoint ep;

    if (!s || !api_get_addr(addr, addrlen, &ep))
        return -1;
    return api_result(sock_bind(s, ep));
}

int mtcp_listen(mctx_t mctx, int sockid, int backlog)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    if (!s)
        return -1;
    if (backlog < 1 || (unsigned)backlog > worker_max_socks(w))
        return api_result(ST_INVALID);
    return api_result(sock_listen(s, (unsigned)backlog));
}

int mtcp_accept(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w), *conn;
    struct tcp_endpoint peer = {0};
    enum status st;

    if (!s)
        return -1;
    if (addr && !addrlen) {
        errno = EFAULT;
        return -1;
    }
    st = worker_accept(w, s, &conn);
    if (st != ST_OK)
        return api_result(st);
    sock_peer(conn, &peer);
    api_put_addr(peer, addr, addrlen);
    return conn->id;
}

int mtcp_connect(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    struct tcp_endpoint ep;

    if (!s || !api_get_addr(addr, addrlen, &ep))
        return -1;
    return api_result(worker_connect(w, s, ep));
}

/** Stores what sock_local() or sock_peer() says. */
static int store_name(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen,
                      enum status (*name)(const struct sock *, struct tcp_endpoint *))
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    struct tcp_endpoint ep;
    enum status st;

    if (!s)
        return -1;
    if (!addr || !addrlen) {
        errno = EFAULT;
        return -1;
    }
    st = name(s, &ep);
    if (st != ST_OK)
        return api_result(st);
    return api_put_addr(ep, addr, addrlen) ? 0 : -1;
}

int mtcp_getsockname(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
    return store_name(mctx, sockid, addr, addrlen, sock_local);
}

int mtcp_getpeername(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
    return store_name(mctx, sockid, addr, addrlen, sock_peer);
}

int mtcp_shutdown(mctx_t mctx, int sockid, int how)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    if (!s)
        return -1;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return api_result(ST_INVALID);
    return api_result(sock_shutdown(s, how != SHUT_WR, how != SHUT_RD, worker_now(w)));
}

int mtcp_close(mctx_t mctx, int sockid)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    if (!s)
        return -1;
    sock_close(s, worker_now(w));
    return 0;
}

int mtcp_abort(mctx_t mctx, int sockid)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    if (!s)
        return -1;
    return api_result(sock_abort(s, worker_now(w)));
}

int mtcp_setsock_nonblock(mctx_t mctx, int sockid)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    if (!s)
        return -1;
    s->nonblock = true;
    return 0;
}

int mtcp_socket_ioctl(mctx_t mctx, int sockid, int request, void *argp)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    if (!s)
        return -1;
    if (request != FIONREAD && request != FIONBIO)
        return api_result(ST_INVALID);
    if (!argp) {
        errno = EFAULT;
        return -1;
    }
    if (request == FIONBIO)
        s->nonblock = *(int *)argp != 0;
    else if (s->type == SOCK_TYPE_EPOLL)
        return api_result(ST_NOT_SOCKET);
    else
        *(int *)argp = (int)sock_available(s);
    return 0;
}

int mtcp_pipe(mctx_t mctx, int pipeid[2])
{
    if (!api_worker(mctx))
        return -1;
    if (!pipeid) {
        errno = EFAULT;
        return -1;
    }
    return api_result(ST_NO_SUPPORT);
}
