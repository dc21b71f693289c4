/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets: making, naming, connecting, options, closing. */
#define _GNU_SOURCE
#include "kernel_priv.h"

#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const int on = 1;

int mtcp_socket(mctx_t mctx, int domain, int type, int protocol)
{
    struct kernel_ctx *c = kernel_ctx(mctx);
    int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), fd;

    if (!c)
        return -1;
    if (domain != AF_INET) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM) {
        errno = EINVAL;
        return -1;
    }
    fd = kernel_keep(c, socket(domain, type, protocol));
    /* mTCP's applications expect small writes to leave at once; accepted sockets inherit it. */
    if (fd >= 0 && kind == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

int mtcp_bind(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen)
{
    if (!kernel_ctx(mctx))
        return -1;
    setsockopt(sockid, SOL_SOCKET, SO_REUSEADDR, &on,
               sizeof(on)); /* a stack that starts knows no TIME-WAIT */
    if (kernel_settings()->share_ports)
        setsockopt(sockid, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    return bind(sockid, addr, addrlen);
}

int mtcp_listen(mctx_t mctx, int sockid, int backlog)
{
    if (!kernel_ctx(mctx))
        return -1;
    if (backlog < 1) {
        errno = EINVAL;
        return -1;
    }
    return listen(sockid, backlog);
}

int mtcp_accept(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
    struct kernel_ctx *c = kernel_ctx(mctx);

    return c ? kernel_keep(c, accept4(sockid, addr, addrlen, 0)) : -1;
}

/** Whether the kernel would choose another source than key address for this destination. */
static bool source_differs(const struct sockaddr_in *to)
{
    struct sockaddr_in from = {0}, probe = *to;
    socklen_t len = sizeof(from);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool differs;

    probe.sin_port = htons(9); /* nothing is sent */
    differs = fd >= 0 && connect(fd, (struct sockaddr *)&probe, sizeof(probe)) == 0 &&
              getsockname(fd, (struct sockaddr *)&from, &len) == 0 &&
              from.sin_addr.s_addr != kernel_settings()->address.s_addr;
    if (fd >= 0)
        close(fd);
    return differs;
}

/** Connections leave with key address. Binding costs two calls, so it is done only where the kernel's own
 * choice is another; asked once for each destination. */
static int use_source(struct kernel_ctx *c, int fd, const struct sockaddr_in *to)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = kernel_settings()->address}, own;
    socklen_t len = sizeof(own);

    if (!c->probed || c->probed_for != to->sin_addr.s_addr) {
        c->bind_source = source_differs(to);
        c->probed_for = to->sin_addr.s_addr;
        c->probed = true;
    }
    if (!c->bind_source || getsockname(fd, (struct sockaddr *)&own, &len) ||
        own.sin_addr.s_addr != INADDR_ANY || own.sin_port != 0)
        return 0;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, (struct sockaddr *)&from, sizeof(from));
}

int mtcp_connect(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen)
{
    struct kernel_ctx *c = kernel_ctx(mctx);

    if (!c)
        return -1;
    if (addr && addrlen >= sizeof(struct sockaddr_in) && addr->sa_family == AF_INET &&
        use_source(c, sockid, (const struct sockaddr_in *)addr))
        return -1;
    return connect(sockid, addr, addrlen);
}

int mtcp_getsockname(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
    return kernel_ctx(mctx) ? getsockname(sockid, addr, addrlen) : -1;
}

int mtcp_getpeername(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
    return kernel_ctx(mctx) ? getpeername(sockid, addr, addrlen) : -1;
}

int mtcp_shutdown(mctx_t mctx, int sockid, int how)
{
    return kernel_ctx(mctx) ? shutdown(sockid, how) : -1;
}

int mtcp_close(mctx_t mctx, int sockid)
{
    struct kernel_ctx *c = kernel_ctx(mctx);

    if (!c)
        return -1;
    kernel_forget(c, sockid);
    return close(sockid);
}

int mudp_close(mctx_t mctx, int sockid)
{
    return mtcp_close(mctx, sockid);
}

int mtcp_abort(mctx_t mctx, int sockid)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (!kernel_ctx(mctx) || setsockopt(sockid, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
        return -1;
    return mtcp_close(mctx, sockid);
}

int mtcp_getsockopt(mctx_t mctx, int sockid, int level, int optname, void *optval, socklen_t *optlen)
{
    return kernel_ctx(mctx) ? getsockopt(sockid, level, optname, optval, optlen) : -1;
}

int mtcp_setsockopt(mctx_t mctx, int sockid, int level, int optname, const void *optval, socklen_t optlen)
{
    return kernel_ctx(mctx) ? setsockopt(sockid, level, optname, optval, optlen) : -1;
}

int mtcp_setsock_nonblock(mctx_t mctx, int sockid)
{
    int yes = 1;

    return mtcp_socket_ioctl(mctx, sockid, FIONBIO, &yes);
}

int mtcp_socket_ioctl(mctx_t mctx, int sockid, int request, void *argp)
{
    if (!kernel_ctx(mctx))
        return -1;
    if (request != FIONREAD && request != FIONBIO) {
        errno = EINVAL;
        return -1;
    }
    return ioctl(sockid, (unsigned long)request, argp);
}
