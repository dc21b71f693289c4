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
    case SO_REUSEPORT:
        *value = s->reuse_port;
        return ST_OK;
    default:
        return ST_BAD_OPTION;
    }
}

static bool is_tcp(const struct sock *s)
{
    return s->type == SOCK_TYPE_STREAM || s->type == SOCK_TYPE_LISTENER;
}

static enum status tcp_option(struct sock *s, int optname, int *value)
{
    struct tcp_info info = {0};

    if (!is_tcp(s))
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

static int get_user_data(const struct sock *s, void *optval, socklen_t *optlen)
{
    if (s->type != SOCK_TYPE_STREAM)
        return api_result(ST_BAD_OPTION);
    if (*optlen < sizeof(s->user_data))
        return api_result(ST_INVALID);
    memcpy(optval, &s->user_data, sizeof(s->user_data));
    *optlen = sizeof(s->user_data);
    return 0;
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
    if (level == SOL_MTCP && optname == MTCP_USER_DATA)
        return get_user_data(s, optval, optlen);
    if (*optlen < sizeof(value))
        return api_result(ST_INVALID);
    if (level == SOL_SOCKET)
        st = socket_option(w, s, optname, &value);
    else if (level == IPPROTO_TCP)
        st = tcp_option(s, optname, &value);
    else if (level == SOL_MTCP && optname == MTCP_MOVABLE && is_tcp(s)) {
        value = s->movable;
        st = ST_OK;
    }
    if (st != ST_OK)
        return api_result(st);
    memcpy(optval, &value, sizeof(value));
    *optlen = sizeof(value);
    return 0;
}

static int set_user_data(struct sock *s, const void *optval, socklen_t optlen)
{
    if (s->type != SOCK_TYPE_STREAM)
        return api_result(ST_BAD_OPTION);
    if (optlen < sizeof(s->user_data))
        return api_result(ST_INVALID);
    memcpy(&s->user_data, optval, sizeof(s->user_data));
    return 0;
}

static enum status set_flag(struct worker *w, struct sock *s, int level, int optname, bool on)
{
    if (level == SOL_SOCKET && optname == SO_REUSEADDR)
        s->reuse_addr = on;
    else if (level == SOL_SOCKET && optname == SO_REUSEPORT)
        s->reuse_port = on;
    else if (level == IPPROTO_TCP && optname == TCP_NODELAY && is_tcp(s))
        sock_set_no_delay(s, on, worker_now(w));
    else if (level == SOL_MTCP && optname == MTCP_MOVABLE && is_tcp(s))
        s->movable = on;
    else
        return ST_BAD_OPTION;
    return ST_OK;
}

int mtcp_setsockopt(mctx_t mctx, int sockid, int level, int optname, const void *optval, socklen_t optlen)
{
    struct worker *w;
    struct sock *s = api_sock(mctx, sockid, &w);
    int value;

    if (!s)
        return -1;
    if (!optval) {
        errno = EFAULT;
        return -1;
    }
    if (s->type == SOCK_TYPE_EPOLL)
        return api_result(ST_NOT_SOCKET);
    if (level == SOL_MTCP && optname == MTCP_USER_DATA)
        return set_user_data(s, optval, optlen);
    if (optlen < sizeof(value))
        return api_result(ST_INVALID);
    memcpy(&value, optval, sizeof(value));
    return api_result(set_flag(w, s, level, optname, value != 0));
}
