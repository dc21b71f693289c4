/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Datagrams, with the return values of POSIX (mtcp_*) and of the modified mTCP (mudp_*). */
#include <errno.h>

#include "api/api_priv.h"

ssize_t mtcp_recvfrom(mctx_t mctx, int sockid, void *buf, size_t len, int flags, struct sockaddr *addr,
                      socklen_t *addrlen)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    struct udp_addr from = {0};
    size_t got, full;
    enum status st;

    if (!s || !api_check_buf(buf, len))
        return -1;
    if (addr && !addrlen) {
        errno = EFAULT;
        return -1;
    }
    if (s->type == SOCK_TYPE_STREAM)
        return mtcp_recv(mctx, sockid, buf, len, flags);
    if (flags & ~(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC))
        return api_result(ST_INVALID);
    st = worker_recvfrom(w, s, buf, len, (flags & MSG_PEEK) != 0, (flags & MSG_DONTWAIT) != 0, &from, &got,
                         &full);
    if (st == ST_OK)
        api_put_addr((struct tcp_endpoint){from.addr, from.port}, addr, addrlen);
    return api_count(st, (flags & MSG_TRUNC) ? full : got);
}

ssize_t mtcp_sendto(mctx_t mctx, int sockid, const void *buf, size_t len, int flags,
                    const struct sockaddr *addr, socklen_t addrlen)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    struct tcp_endpoint ep = {0};
    struct udp_addr to;
    enum status st;

    if (!s || !api_check_buf(buf, len))
        return -1;
    if (s->type == SOCK_TYPE_STREAM)
        return mtcp_send(mctx, sockid, buf, len, flags);
    if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL))
        return api_result(ST_INVALID);
    if (addr && !api_get_addr(addr, addrlen, &ep))
        return -1;
    to = (struct udp_addr){ep.addr, ep.port};
    st = worker_sendto(w, s, buf, len, addr ? &to : NULL, (flags & MSG_DONTWAIT) != 0);
    return api_count(st, len);
}

/** Whether the descriptor is a datagram socket; false with errno. */
static bool is_dgram(mctx_t mctx, int sockid)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    if (s && s->type != SOCK_TYPE_DGRAM)
        errno = ENOTSOCK;
    return s && s->type == SOCK_TYPE_DGRAM;
}

ssize_t mudp_sendto(mctx_t mctx, int sockid, const void *buf, size_t len, int flags,
                    const struct sockaddr *to, socklen_t tolen)
{
    if (!is_dgram(mctx, sockid))
        return -1;
    return mtcp_sendto(mctx, sockid, buf, len, flags | MSG_DONTWAIT, to, tolen) < 0 ? -1 : 0;
}

ssize_t mudp_recvfrom(mctx_t mctx, int sockid, void *buf, size_t len, int flags, struct sockaddr *src,
                      socklen_t *addrlen)
{
    ssize_t n;

    if (!is_dgram(mctx, sockid))
        return -1;
    n = mtcp_recvfrom(mctx, sockid, buf, len, flags | MSG_DONTWAIT, src, addrlen);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

int mudp_close(mctx_t mctx, int sockid)
{
    return is_dgram(mctx, sockid) ? mtcp_close(mctx, sockid) : -1;
}
