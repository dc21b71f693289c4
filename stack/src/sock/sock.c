/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The descriptor table, what all kinds of sockets have in common, and readiness. */
#include "sock/sock.h"

#include <stdlib.h>

#include "sock/epoll_set.h"

enum status socktab_init(struct socktab *tab, unsigned max_socks, struct tcp *tcp, struct udp *udp,
                         const struct socktab_ops *ops, void *ctx)
{
    enum status st;

    *tab = (struct socktab){.tcp = tcp, .udp = udp, .ops = ops, .ctx = ctx};
    st = idmap_init(&tab->ids, max_socks);
    if (st != ST_OK)
        return st;
    tab->socks = calloc(max_socks, sizeof(*tab->socks));
    if (!tab->socks) {
        idmap_fini(&tab->ids);
        return ST_NO_MEMORY;
    }
    return ST_OK;
}

void socktab_close_all(struct socktab *tab, uint64_t now_us)
{
    for (unsigned i = 0; i < tab->ids.size && tab->ids.used > 0; i++)
        if (idmap_taken(&tab->ids, i))
            sock_close(&tab->socks[i], now_us);
}

void socktab_fini(struct socktab *tab)
{
    free(tab->socks);
    tab->socks = NULL;
    idmap_fini(&tab->ids);
}

struct sock *socktab_get(const struct socktab *tab, int id)
{
    if ((unsigned)id >= tab->ids.size || tab->socks[id].type == SOCK_TYPE_FREE ||
        tab->socks[id].type == SOCK_TYPE_MOVED)
        return NULL;
    return &tab->socks[id];
}

void socktab_notify_send_room(struct socktab *tab)
{
    unsigned left = tab->num_dgrams;

    for (unsigned i = 0; i < tab->ids.size && left > 0; i++) {
        if (tab->socks[i].type != SOCK_TYPE_DGRAM)
            continue;
        left--;
        sock_notify(&tab->socks[i], SOCK_EV_WRITE);
    }
}

enum status sock_alloc(struct socktab *tab, enum sock_type type, struct sock **out)
{
    int id = idmap_take(&tab->ids);
    struct sock *s;

    if (id < 0)
        return ST_TABLE_FULL;
    s = &tab->socks[id];
    *s = (struct sock){.tab = tab, .id = id, .type = type, .no_delay = true};
    list_init(&s->items);
    *out = s;
    return ST_OK;
}

void sock_release(struct sock *s)
{
    epoll_forget_sock(s);
    s->type = SOCK_TYPE_FREE;
    idmap_give(&s->tab->ids, (unsigned)s->id);
}

enum status sock_open(struct socktab *tab, enum sock_type type, struct sock **out)
{
    enum status st;

    if (type == SOCK_TYPE_EPOLL)
        return epoll_open(tab, out);
    st = sock_alloc(tab, type, out);
    if (st != ST_OK || type != SOCK_TYPE_DGRAM)
        return st;
    st = udp_sock_create(tab->udp, *out, &(*out)->udp);
    if (st != ST_OK) {
        sock_release(*out);
        return st;
    }
    tab->num_dgrams++;
    return ST_OK;
}

void sock_close(struct sock *s, uint64_t now_us)
{
    switch (s->type) {
    case SOCK_TYPE_STREAM:
        if (s->conn)
            tcp_close(s->conn, now_us);
        break;
    case SOCK_TYPE_LISTENER:
        tcp_listener_close(s->listener, now_us);
        break;
    case SOCK_TYPE_DGRAM:
        udp_sock_destroy(s->udp);
        s->tab->num_dgrams--;
        break;
    case SOCK_TYPE_EPOLL:
        epoll_set_free(s->epoll);
        break;
    case SOCK_TYPE_MOVED:
        break;
    case SOCK_TYPE_FREE:
        return;
    }
    sock_release(s);
}

enum status sock_bind(struct sock *s, struct tcp_endpoint local)
{
    enum status st;

    if (s->type == SOCK_TYPE_EPOLL)
        return ST_NOT_SOCKET;
    if (s->bound || s->type == SOCK_TYPE_LISTENER || (s->type == SOCK_TYPE_STREAM && s->conn))
        return ST_INVALID;
    if (local.addr != 0 && !s->tab->ops->is_local(s->tab->ctx, local.addr))
        return ST_NO_ADDRESS;
    if (s->type == SOCK_TYPE_DGRAM) {
        st = udp_sock_bind(s->udp, (struct udp_addr){local.addr, local.port});
        if (st != ST_OK)
            return st;
    }
    s->local = local;
    s->bound = true;
    return ST_OK;
}

enum status sock_local(const struct sock *s, struct tcp_endpoint *out)
{
    struct udp_addr a;

    switch (s->type) {
    case SOCK_TYPE_STREAM:
        if (s->conn)
            tcp_conn_local(s->conn, out);
        else
            *out = s->local;
        return ST_OK;
    case SOCK_TYPE_LISTENER:
        *out = s->local;
        return ST_OK;
    case SOCK_TYPE_DGRAM:
        udp_sock_local(s->udp, &a);
        *out = (struct tcp_endpoint){a.addr, a.port};
        return ST_OK;
    default:
        return ST_NOT_SOCKET;
    }
}

enum status sock_peer(const struct sock *s, struct tcp_endpoint *out)
{
    struct udp_addr a;

    if (s->type == SOCK_TYPE_EPOLL)
        return ST_NOT_SOCKET;
    if (s->type == SOCK_TYPE_STREAM && s->conn && tcp_connected(s->conn)) {
        tcp_conn_peer(s->conn, out);
        return ST_OK;
    }
    if (s->type == SOCK_TYPE_DGRAM && udp_sock_peer(s->udp, &a)) {
        *out = (struct tcp_endpoint){a.addr, a.port};
        return ST_OK;
    }
    return ST_NOT_CONNECTED;
}

size_t sock_available(const struct sock *s)
{
    if (s->type == SOCK_TYPE_DGRAM)
        return udp_sock_next_len(s->udp);
    if (s->type == SOCK_TYPE_STREAM && s->conn)
        return tcp_read_available(s->conn);
    return 0;
}

enum status sock_take_error(struct sock *s)
{
    enum status st;

    if (s->type != SOCK_TYPE_STREAM || !s->conn || s->error_taken)
        return ST_OK;
    st = tcp_error(s->conn);
    s->error_taken = st != ST_OK;
    return st;
}

static uint32_t stream_poll(const struct sock *s)
{
    unsigned is = s->conn ? tcp_readiness(s->conn) : 0;
    uint32_t ev = 0;

    if (is & TCP_IS_FAILED)
        return SOCK_EV_READ | SOCK_EV_WRITE | SOCK_EV_HUP | SOCK_EV_RDHUP |
               (s->error_taken ? 0 : SOCK_EV_ERR);
    if (!(is & TCP_IS_CONNECTED))
        return 0;
    if (is & TCP_IS_WRITABLE)
        ev |= SOCK_EV_WRITE;
    if (is & TCP_IS_READABLE)
        ev |= SOCK_EV_READ;
    if (is & TCP_IS_PEER_CLOSED || s->rd_shut)
        ev |= SOCK_EV_RDHUP | (s->wr_shut ? SOCK_EV_HUP : 0);
    if (s->rd_shut)
        ev |= SOCK_EV_READ;
    return ev;
}

uint32_t sock_poll(const struct sock *s)
{
    uint32_t ev = 0;

    switch (s->type) {
    case SOCK_TYPE_STREAM:
        return stream_poll(s);
    case SOCK_TYPE_LISTENER:
        return tcp_listener_acceptable(s->listener) ? SOCK_EV_READ : 0;
    case SOCK_TYPE_DGRAM:
        if (udp_sock_readable(s->udp))
            ev |= SOCK_EV_READ;
        if (s->tab->ops->can_send(s->tab->ctx))
            ev |= SOCK_EV_WRITE;
        return ev;
    case SOCK_TYPE_MOVED:
        return SOCK_EV_MOVED;
    default:
        return 0;
    }
}

void sock_on_readable(struct udp_sock *u)
{
    sock_notify(udp_sock_owner(u), SOCK_EV_READ);
}
