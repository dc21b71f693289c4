/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading and writing streams. */
#include <errno.h>

#include "api/api_priv.h"

#define IOV_LIMIT 1024

ssize_t mtcp_recv(mctx_t mctx, int sockid, char *buf, size_t len, int flags)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    enum status st;
    size_t got;

    if (!s || !api_check_buf(buf, len))
        return -1;
    if (s->type == SOCK_TYPE_DGRAM)
        return mtcp_recvfrom(mctx, sockid, buf, len, flags, NULL, NULL);
    if (flags & ~(MSG_PEEK | MSG_DONTWAIT))
        return api_result(ST_INVALID);
    st = worker_read(w, s, buf, len, (flags & MSG_PEEK) != 0, (flags & MSG_DONTWAIT) != 0, &got);
    return api_count(st, got);
}

ssize_t mtcp_read(mctx_t mctx, int sockid, char *buf, size_t len)
{
    return mtcp_recv(mctx, sockid, buf, len, 0);
}

ssize_t mtcp_send(mctx_t mctx, int sockid, const char *buf, size_t len, int flags)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    enum status st;
    size_t put;

    if (!s || !api_check_buf(buf, len))
        return -1;
    if (s->type == SOCK_TYPE_DGRAM)
        return mtcp_sendto(mctx, sockid, buf, len, flags, NULL, 0);
    if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL))
        return api_result(ST_INVALID);
    st = worker_write(w, s, buf, len, (flags & MSG_DONTWAIT) != 0, &put);
    return api_count(st, put);
}

ssize_t mtcp_write(mctx_t mctx, int sockid, const char *buf, size_t len)
{
    return mtcp_send(mctx, sockid, buf, len, 0);
}

/** The stream and the buffers of a vector call, NULL with errno. */
static struct sock *vector_sock(mctx_t mctx, int sockid, const struct iovec *iov, int n, struct worker **w)
{
    struct sock *s = api_sock(mctx, sockid, w);

    if (!s)
        return NULL;
    if (n < 1 || n > IOV_LIMIT || !iov) {
        errno = iov ? EINVAL : EFAULT;
        return NULL;
    }
    if (s->type == SOCK_TYPE_DGRAM) {
        errno = ENOTSOCK;
        return NULL;
    }
    for (int i = 0; i < n; i++)
        if (!api_check_buf(iov[i].iov_base, iov[i].iov_len))
            return NULL;
    return s;
}

/** Reads or writes the buffers one after the other, until one is not filled or taken whole. Only the first
 * part of a read waits: what is there is returned. */
static int vector_move(mctx_t mctx, int sockid, const struct iovec *iov, int n, bool reading)
{
    struct worker *w;
    struct sock *s = vector_sock(mctx, sockid, iov, n, &w);
    size_t total = 0, moved;

    if (!s)
        return -1;
    for (int i = 0; i < n; i++) {
        size_t len = iov[i].iov_len;
        enum status st;

        if (len == 0)
            continue;
        if (reading)
            st = worker_read(w, s, iov[i].iov_base, len, false, total > 0, &moved);
        else
            st = worker_write(w, s, iov[i].iov_base, len, false, &moved);
        if (st != ST_OK && total == 0)
            return api_result(st);
        if (st != ST_OK)
            break;
        total += moved;
        if (moved < len)
            break;
    }
    return (int)total;
}

int mtcp_readv(mctx_t mctx, int sockid, const struct iovec *iov, int numIOV)
{
    return vector_move(mctx, sockid, iov, numIOV, true);
}

int mtcp_writev(mctx_t mctx, int sockid, const struct iovec *iov, int numIOV)
{
    return vector_move(mctx, sockid, iov, numIOV, false);
}
