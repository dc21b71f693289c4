/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of libmtcp_kernel share. The mTCP API on the Linux kernel's sockets and epoll: a descriptor
 * is the kernel's own, a context is a set of descriptors and a way to wake its waits. It exists to compare:
 * the same application source, linked with libmtcp or with this. Every call adds as little as it can. */
#ifndef KERNEL_PRIV_H
#define KERNEL_PRIV_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "mtcp_epoll.h"
#include "mudp_api.h"

#define KERNEL_MAX_CONTEXTS 64

struct kernel_ctx {
    struct mtcp_context pub; /**< first: applications see this */
    unsigned index;          /**< among the contexts */
    int wake;                /**< eventfd, in every epoll of the context */
    unsigned max_fds;        /**< of the process; descriptors are smaller */
    uint64_t *open;          /**< one bit a descriptor that this context made */
    in_addr_t probed_for;    /**< the destination that bind_source was found out for, network order */
    bool probed, bind_source;
};

/** What mtcp_init() read, as far as sockets need it. */
struct kernel_settings {
    struct in_addr address; /**< our own, network order */
    bool share_ports;       /**< several contexts listen on one port */
};
const struct kernel_settings *kernel_settings(void);

/** The context behind a handle, NULL with EINVAL. */
static inline struct kernel_ctx *kernel_ctx(mctx_t mctx)
{
    if (!mctx)
        errno = EINVAL;
    return (struct kernel_ctx *)mctx;
}

/** Notes a descriptor as the context's own. Returns it; a table that is full is ENFILE, as in libmtcp. */
static inline int kernel_keep(struct kernel_ctx *c, int fd)
{
    if (fd >= 0)
        c->open[fd / 64] |= UINT64_C(1) << fd % 64;
    else if (errno == EMFILE)
        errno = ENFILE;
    return fd;
}

static inline void kernel_forget(struct kernel_ctx *c, int fd)
{
    if (fd >= 0 && (unsigned)fd < c->max_fds)
        c->open[fd / 64] &= ~(UINT64_C(1) << fd % 64);
}

/** Takes back a wake that was not needed any more. */
void kernel_unwake(struct kernel_ctx *c);

#endif
