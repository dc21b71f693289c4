/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Datagram sockets over UDP. */
#include "sock/sock.h"

enum status sock_sendto(struct sock *s, const void *buf, size_t len, const struct udp_addr *to,
                        uint64_t now_us)
{
    if (s->type != SOCK_TYPE_DGRAM)
        return ST_NOT_SOCKET;
    if (to && to->port == 0)
        return ST_INVALID;
    return udp_sock_sendto(s->udp, buf, len, to, now_us);
}

enum status sock_recvfrom(struct sock *s, void *buf, size_t len, bool peek, struct udp_addr *from,
                          size_t *got, size_t *full)
{
    if (s->type != SOCK_TYPE_DGRAM)
        return ST_NOT_SOCKET;
    return udp_sock_recvfrom(s->udp, buf, len, peek, from, got, full);
}
