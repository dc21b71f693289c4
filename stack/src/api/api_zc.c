/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Streams without a copy: the buffers of TCP in place. */
#include <errno.h>

#include "api/api_priv.h"

/** The stream of a call, NULL with errno. */
static struct sock *stream_sock(mctx_t mctx, int sockid, const struct iovec *span, int flags,
                                struct worker **w)
{
    struct sock *s = api_sock(mctx, sockid, w);

    if (!s)
        return NULL;
    if (s->type == SOCK_TYPE_DGRAM)
        errno = ENOTSOCK;
    else if (!span)
        errno = EFAULT;
    else if (flags & ~MSG_DONTWAIT)
        errno = EINVAL;
    else
        return s;
    return NULL;
}

static void give(const struct byte_span from[2], struct iovec to[2])
{
    for (unsigned i = 0; i < 2; i++)
        to[i] = (struct iovec){(void *)from[i].data, from[i].len};
}

ssize_t mtcp_recv_zc(mctx_t mctx, int sockid, struct iovec span[2], int flags)
{
    struct byte_span at[2] = {{NULL, 0}, {NULL, 0}};
    struct worker *w;
    struct sock *s = stream_sock(mctx, sockid, span, flags, &w);
    enum status st;
    size_t n;

    if (!s)
        return -1;
    st = worker_read_spans(w, s, (flags & MSG_DONTWAIT) != 0, at, &n);
    give(at, span);
    return api_count(st, n);
}

ssize_t mtcp_send_zc(mctx_t mctx, int sockid, size_t len, struct iovec span[2], int flags)
{
    struct byte_span at[2] = {{NULL, 0}, {NULL, 0}};
    struct worker *w;
    struct sock *s = stream_sock(mctx, sockid, span, flags, &w);
    enum status st;
    size_t n;

    if (!s)
        return -1;
    st = worker_write_claim(w, s, len, (flags & MSG_DONTWAIT) != 0, at, &n);
    give(at, span);
    return api_count(st, n);
}

int mtcp_recv_release(mctx_t mctx, int sockid, size_t len)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    return s ? api_result(sock_read_release(s, len)) : -1;
}

int mtcp_send_commit(mctx_t mctx, int sockid, size_t len)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);

    return s ? api_result(sock_write_commit(s, len)) : -1;
}
