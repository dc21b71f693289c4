/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Datagram calls with the return values of the modified mTCP: sockets are made by
 * mtcp_socket(mctx, AF_INET, SOCK_DGRAM, 0) and bound by mtcp_bind(). These calls never wait.
 * mtcp_sendto() and mtcp_recvfrom() are the same with the return values of POSIX. */
#ifndef MUDP_API_H
#define MUDP_API_H

#include "mtcp_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Sends one datagram. @return **0 on success**, or -1: EAGAIN (no room now), EMSGSIZE, ENETUNREACH,
 * ENOTCONN, EFAULT, EINVAL (flags, address). */
ssize_t mudp_sendto(mctx_t mctx, int sockid, const void *buf, size_t len, int flags,
                    const struct sockaddr *to, socklen_t tolen);
/** Receives one datagram; what does not fit into buf is lost.
 * @return bytes copied, **0 when there is none**, or -1: EINVAL, EFAULT. */
ssize_t mudp_recvfrom(mctx_t mctx, int sockid, void *buf, size_t len, int flags, struct sockaddr *src,
                      socklen_t *addrlen);
/** Closes a datagram socket. @return 0, or -1. */
int mudp_close(mctx_t mctx, int sockid);

#ifdef __cplusplus
}
#endif

#endif
