/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of the API share: contexts, and from statuses to errno. */
#ifndef API_PRIV_H
#define API_PRIV_H

#include "mtcp_epoll.h"
#include "mudp_api.h"

#include "base/list.h"
#include "base/status.h"
#include "worker/stack.h"
#include "worker/worker.h"

/** What a mctx_t points to. */
struct api_ctx {
    struct mtcp_context pub; /**< first: applications see this */
    struct worker *worker;
    struct list link; /**< of all contexts of the process */
};

/** A context on a stack; also for stacks that tests make by themselves. */
enum status api_ctx_create(struct mtcp_stack *st, int cpu, mctx_t *out);
/** linger_us bounds how long what is pending may take. */
void api_ctx_destroy(mctx_t mctx, uint64_t linger_us);

/** The worker of a context, NULL with errno. */
struct worker *api_worker(mctx_t mctx);
/** The socket of a descriptor, NULL with errno. */
struct sock *api_sock(mctx_t mctx, int sockid, struct worker **w);
/** 0, or -1 with errno. */
int api_result(enum status st);
/** n, or -1 with errno. */
ssize_t api_count(enum status st, size_t n);

/** Reads an AF_INET address. ST_OK, or -1's errno is in the result of api_result(): EFAULT has no status, so
 * this one sets errno itself and returns false. */
bool api_get_addr(const struct sockaddr *addr, socklen_t len, struct tcp_endpoint *out);
/** Stores an address; addr may be NULL. False with errno. */
bool api_put_addr(struct tcp_endpoint ep, struct sockaddr *addr, socklen_t *len);
/** False with EFAULT when the buffer is missing. */
bool api_check_buf(const void *buf, size_t len);

/** Which stack a signal interrupts; NULL = none. */
void api_signal_set_stack(struct mtcp_stack *st);

#endif
