/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes and datagrams. A write to a connection that the peer has closed is EPIPE and never a signal, as with
 * libmtcp. */
#define _GNU_SOURCE
#include "kernel_priv.h"

#include <fcntl.h>
#include <unistd.h>

#define MAX_IOV 1024

ssize_t mtcp_recv(mctx_t mctx, int sockid, char *buf, size_t len, int flags)
{
    return kernel_ctx(mctx) ? recv(sockid, buf, len, flags) : -1;
}

/* read() and write(), not recv() and send(): the descriptor may be a pipe's. */
ssize_t mtcp_read(mctx_t mctx, int sockid, char *buf, size_t len)
{
    return kernel_ctx(mctx) ? read(sockid, buf, len) : -1;
}

ssize_t mtcp_send(mctx_t mctx, int sockid, const char *buf, size_t len, int flags)
{
    return kernel_ctx(mctx) ? send(sockid, buf, len, flags | MSG_NOSIGNAL) : -1;
}

ssize_t mtcp_write(mctx_t mctx, int sockid, const char *buf, size_t len)
{
    ssize_t n = mtcp_send(mctx, sockid, buf, len, 0);

    return n < 0 && mctx && errno == ENOTSOCK ? write(sockid, buf, len) : n;
}

static bool count_ok(int n)
{
    if (n >= 1 && n <= MAX_IOV)
        return true;
    errno = EINVAL;
    return false;
}

int mtcp_readv(mctx_t mctx, int sockid, const struct iovec *iov, int numIOV)
{
    return kernel_ctx(mctx) && count_ok(numIOV) ? (int)readv(sockid, iov, numIOV) : -1;
}

int mtcp_writev(mctx_t mctx, int sockid, const struct iovec *iov, int numIOV)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)numIOV};

    return kernel_ctx(mctx) && count_ok(numIOV) ? (int)sendmsg(sockid, &msg, MSG_NOSIGNAL) : -1;
}

ssize_t mtcp_recvfrom(mctx_t mctx, int sockid, void *buf, size_t len, int flags, struct sockaddr *addr,
                      socklen_t *addrlen)
{
    return kernel_ctx(mctx) ? recvfrom(sockid, buf, len, flags, addr, addrlen) : -1;
}

ssize_t mtcp_sendto(mctx_t mctx, int sockid, const void *buf, size_t len, int flags,
                    const struct sockaddr *addr, socklen_t addrlen)
{
    ssize_t n = kernel_ctx(mctx) ? sendto(sockid, buf, len, flags | MSG_NOSIGNAL, addr, addrlen) : -1;

    if (n < 0 && errno == ENOBUFS)
        errno = EAGAIN;
    return n;
}

ssize_t mudp_sendto(mctx_t mctx, int sockid, const void *buf, size_t len, int flags,
                    const struct sockaddr *to, socklen_t tolen)
{
    return mtcp_sendto(mctx, sockid, buf, len, flags | MSG_DONTWAIT, to, tolen) < 0 ? -1 : 0;
}

ssize_t mudp_recvfrom(mctx_t mctx, int sockid, void *buf, size_t len, int flags, struct sockaddr *src,
                      socklen_t *addrlen)
{
    ssize_t n = mtcp_recvfrom(mctx, sockid, buf, len, flags | MSG_DONTWAIT, src, addrlen);

    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* The kernel's buffers cannot be had in place. */
static int no_zero_copy(void)
{
    errno = ENOSYS;
    return -1;
}

ssize_t mtcp_recv_zc(mctx_t mctx, int sockid, struct iovec span[2], int flags)
{
    (void)mctx, (void)sockid, (void)span, (void)flags;
    return no_zero_copy();
}

int mtcp_recv_release(mctx_t mctx, int sockid, size_t len)
{
    (void)mctx, (void)sockid, (void)len;
    return no_zero_copy();
}

ssize_t mtcp_send_zc(mctx_t mctx, int sockid, size_t len, struct iovec span[2], int flags)
{
    (void)mctx, (void)sockid, (void)len, (void)span, (void)flags;
    return no_zero_copy();
}

int mtcp_send_commit(mctx_t mctx, int sockid, size_t len)
{
    (void)mctx, (void)sockid, (void)len;
    return no_zero_copy();
}

int mtcp_pipe(mctx_t mctx, int pipeid[2])
{
    struct kernel_ctx *c = kernel_ctx(mctx);

    if (!c || pipe2(pipeid, O_CLOEXEC) || kernel_keep(c, pipeid[0]) < 0 || kernel_keep(c, pipeid[1]) < 0)
        return -1;
    return 0;
}
