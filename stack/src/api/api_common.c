/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks and conversions that every call of the API needs. */
#include <errno.h>
#include <string.h>

#include "api/api_priv.h"

struct worker *api_worker(mctx_t mctx)
{
    if (!mctx) {
        errno = EINVAL;
        return NULL;
    }
    return ((struct api_ctx *)mctx)->worker;
}

struct sock *api_sock(mctx_t mctx, int sockid, struct worker **w)
{
    struct sock *s;

    *w = api_worker(mctx);
    if (!*w)
        return NULL;
    s = socktab_get(worker_socks(*w), sockid);
    if (!s)
        errno = EBADF;
    return s;
}

int api_result(enum status st)
{
    if (st == ST_OK)
        return 0;
    errno = status_errno(st);
    return -1;
}

ssize_t api_count(enum status st, size_t n)
{
    return st == ST_OK ? (ssize_t)n : api_result(st);
}

bool api_get_addr(const struct sockaddr *addr, socklen_t len, struct tcp_endpoint *out)
{
    struct sockaddr_in in;

    if (!addr || len < sizeof(in)) {
        errno = addr ? EINVAL : EFAULT;
        return false;
    }
    memcpy(&in, addr, sizeof(in));
    if (in.sin_family != AF_INET) {
        errno = EAFNOSUPPORT;
        return false;
    }
    *out = (struct tcp_endpoint){ntohl(in.sin_addr.s_addr), ntohs(in.sin_port)};
    return true;
}

bool api_put_addr(struct tcp_endpoint ep, struct sockaddr *addr, socklen_t *len)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET,
        .sin_port = htons(ep.port),
        .sin_addr.s_addr = htonl(ep.addr),
    };

    if (!addr)
        return true;
    if (!len) {
        errno = EFAULT;
        return false;
    }
    memcpy(addr, &in, *len < sizeof(in) ? *len : sizeof(in));
    *len = sizeof(in);
    return true;
}

bool api_check_buf(const void *buf, size_t len)
{
    if (buf || len == 0)
        return true;
    errno = EFAULT;
    return false;
}
