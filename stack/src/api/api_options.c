/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Socket options. What is not offered is refused: an option that is silently ignored misleads its user. */
#include <errno.h>
#include <string.h>

#include "api/api_priv.h"
#include "config/config.h"

/** The values of <netinet/tcp.h>, which cannot stand beside our own struct tcp_info. */
enum { TCP_NODELAY = 1, TCP_MAXSEG = 2 };

static enum status socket_option(struct worker *w, struct sock *s, int optname, int *value)
{
    switch (optname) {
    case SO_ERROR:
        *value = status_errno(sock_take_error(s));
        return ST_OK;
    case SO_TYPE:
        *value = s->type == SOCK_TYPE_DGRAM ? SOCK_DGRAM : SOCK_STREAM;
        return ST_OK;
    case SO_ACCEPTCONN:
        *value = s->type == SOCK_TYPE_LISTENER;
        return ST_OK;
    case SO_RCVBUF:
        *value = (int)worker_config(w)->rcvbuf;
        return ST_OK;
    case SO_SNDBUF:
        *value = (int)worker_config(w)->sndbuf;
        return ST_OK;
    case SO_REUSEADDR:
        *value = s->reuse_addr;
        return ST_OK;
    default:
        return ST_BAD_OPTION;
    }
}

static enum status tcp_option(struct sock *s, int optname, int *value)
{
    struct tcp_info info = {0};

    if (s->type != SOCK_TYPE_STREAM && s->type != SOCK_TYPE_LISTENER)
        return ST_BAD_OPTION;
    switch (optname) {
    case TCP_NODELAY:
        *value = s->no_delay;
        return ST_OK;
    case TCP_MAXSEG:
        if (s->type != SOCK_TYPE_STREAM || !s->conn)
            return ST_NOT_CONNECTED;
        tcp_conn_info(s->conn, &info);
        *value = (int)info.mss;
        return ST_OK;
    default:
        return ST_BAD_OPTION;
    }
}

int mtcp_getsockopt(mctx_t mctx, int sockid, int level, int optname, void *optval, socklen_t *optlen)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    enum status st = ST_BAD_OPTION;
    int value = 0;

    if (!s)
        return -1;
    if (!optval || !optlen) {
        errno = EFAULT;
        return -1;
    }
    if (s->type == SOCK_TYPE_EPOLL)
        return api_result(ST_NOT_SOCKET);
    if (*optlen < sizeof(value))
        return api_result(ST_INVALID);
    if (level == SOL_SOCKET)
        st = socket_option(w, s, optname, &value);
    else if (level == IPPROTO_TCP)
        st = tcp_option(s, optname, &value);
    if (st != ST_OK)
        return api_result(st);
    memcpy(optval, &value, sizeof(value));
    *optlen = sizeof(value);
    return 0;
}

int mtcp_setsockopt(mctx_t mctx, int sockid, int level, int optname, const void *optval, socklen_t optlen)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    bool tcp_sock;
    int value;

    if (!s)
        return -1;
    if (!optval) {
        errno = EFAULT;
        return -1;
    }
    if (s->type == SOCK_TYPE_EPOLL)
        return api_result(ST_NOT_SOCKET);
    if (optlen < sizeof(value))
        return api_result(ST_INVALID);
    memcpy(&value, optval, sizeof(value));
    tcp_sock = s->type == SOCK_TYPE_STREAM || s->type == SOCK_TYPE_LISTENER;
    if (level == SOL_SOCKET && optname == SO_REUSEADDR)
        s->reuse_addr = value != 0;
    else if (level == IPPROTO_TCP && optname == TCP_NODELAY && tcp_sock)
        sock_set_no_delay(s, value != 0, worker_now(w));
    else
        return api_result(ST_BAD_OPTION);
    return 0;
}
