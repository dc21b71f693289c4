/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stream sockets and listeners over TCP. */
#include "sock/sock.h"

#include "sock/epoll_set.h"

/** A stream with a connection that has been opened, or why not. */
static enum status stream_check(const struct sock *s)
{
    if (s->type == SOCK_TYPE_LISTENER)
        return ST_NOT_CONNECTED;
    if (s->type != SOCK_TYPE_STREAM)
        return ST_NOT_SOCKET;
    return s->conn ? ST_OK : ST_NOT_CONNECTED;
}

enum status sock_listen(struct sock *s, unsigned backlog)
{
    struct tcp_listener *l;
    enum status st;

    if (s->type != SOCK_TYPE_STREAM && s->type != SOCK_TYPE_LISTENER)
        return ST_NOT_SOCKET;
    if (s->type == SOCK_TYPE_LISTENER || s->conn || !s->bound || s->local.port == 0)
        return ST_INVALID;
    st = tcp_listen(s->tab->tcp, s->local, backlog, s, &l);
    if (st != ST_OK)
        return st;
    s->type = SOCK_TYPE_LISTENER;
    s->listener = l;
    return ST_OK;
}

enum status sock_accept(struct sock *s, struct sock **out)
{
    enum status st;

    if (s->type != SOCK_TYPE_LISTENER)
        return s->type == SOCK_TYPE_STREAM ? ST_INVALID : ST_NOT_SOCKET;
    if (!tcp_listener_acceptable(s->listener))
        return ST_AGAIN;
    st = sock_alloc(s->tab, SOCK_TYPE_STREAM, out);
    if (st != ST_OK)
        return st;
    st = tcp_accept(s->listener, *out, &(*out)->conn);
    if (st != ST_OK) {
        sock_release(*out);
        return st;
    }
    (*out)->bound = true;
    tcp_conn_local((*out)->conn, &(*out)->local);
    sock_take_luggage(*out, s);
    return ST_OK;
}

enum status sock_connect(struct sock *s, struct tcp_endpoint peer, uint64_t now_us)
{
    enum status st;

    if (s->type == SOCK_TYPE_DGRAM)
        return udp_sock_connect(s->udp, (struct udp_addr){peer.addr, peer.port});
    if (s->type != SOCK_TYPE_STREAM)
        return s->type == SOCK_TYPE_LISTENER ? ST_CONNECTED : ST_NOT_SOCKET;
    if (peer.port == 0 || peer.addr == 0)
        return ST_INVALID;
    if (s->conn) {
        if (tcp_error(s->conn) == ST_OK)
            return tcp_connected(s->conn) ? ST_CONNECTED : ST_ALREADY;
        if (!s->error_taken)
            return sock_take_error(s);
        /* A failed attempt whose reason is known: the user tries again. */
        tcp_close(s->conn, now_us);
        s->conn = NULL;
        s->error_taken = false;
    }
    st = tcp_connect(s->tab->tcp, s->local, peer, s, now_us, &s->conn);
    if (st != ST_OK) {
        s->conn = NULL;
        return st;
    }
    if (!s->no_delay)
        tcp_set_no_delay(s->conn, false, now_us);
    return ST_IN_PROGRESS;
}

enum status sock_connect_result(struct sock *s)
{
    if (s->type != SOCK_TYPE_STREAM || !s->conn)
        return ST_NOT_CONNECTED;
    if (tcp_error(s->conn) != ST_OK) {
        s->error_taken = true;
        return tcp_error(s->conn);
    }
    return tcp_connected(s->conn) ? ST_OK : ST_AGAIN;
}

enum status sock_read(struct sock *s, void *buf, size_t len, bool peek, uint64_t now_us, size_t *got)
{
    enum status st = stream_check(s);

    *got = 0;
    if (st != ST_OK)
        return st;
    if (s->rd_shut)
        return ST_OK;
    st = tcp_read(s->conn, buf, len, peek, now_us, got);
    if (st != ST_OK && st != ST_AGAIN)
        s->error_taken = true;
    return st;
}

enum status sock_write(struct sock *s, const void *buf, size_t len, uint64_t now_us, size_t *put)
{
    enum status st = stream_check(s);

    *put = 0;
    if (st != ST_OK)
        return st;
    st = tcp_write(s->conn, buf, len, now_us, put);
    if (st != ST_OK && st != ST_AGAIN && st != ST_PIPE)
        s->error_taken = true;
    return st;
}

enum status sock_read_spans(struct sock *s, struct byte_span out[2], size_t *n)
{
    enum status st = stream_check(s);

    *n = 0;
    if (st != ST_OK || s->rd_shut)
        return st;
    st = tcp_read_spans(s->conn, out, n);
    if (st != ST_OK && st != ST_AGAIN)
        s->error_taken = true;
    return st;
}

enum status sock_read_release(struct sock *s, size_t n)
{
    enum status st = stream_check(s);

    return st == ST_OK ? tcp_read_release(s->conn, n) : st;
}

enum status sock_write_claim(struct sock *s, size_t len, struct byte_span out[2], size_t *n)
{
    enum status st = stream_check(s);

    *n = 0;
    if (st != ST_OK)
        return st;
    st = tcp_write_claim(s->conn, len, out, n);
    if (st != ST_OK && st != ST_AGAIN && st != ST_PIPE)
        s->error_taken = true;
    return st;
}

enum status sock_write_commit(struct sock *s, size_t n)
{
    enum status st = stream_check(s);

    return st == ST_OK ? tcp_write_commit(s->conn, n) : st;
}

enum status sock_shutdown(struct sock *s, bool rd, bool wr, uint64_t now_us)
{
    enum status st = stream_check(s);

    if (st != ST_OK)
        return st;
    if (!tcp_connected(s->conn) || tcp_error(s->conn) != ST_OK)
        return ST_NOT_CONNECTED;
    if (wr && !s->wr_shut) {
        st = tcp_shutdown_write(s->conn, now_us);
        if (st != ST_OK)
            return st;
        s->wr_shut = true;
    }
    s->rd_shut = s->rd_shut || rd;
    sock_notify(s, SOCK_EV_READ | SOCK_EV_WRITE | SOCK_EV_RDHUP | SOCK_EV_HUP);
    return ST_OK;
}

enum status sock_abort(struct sock *s, uint64_t now_us)
{
    enum status st = stream_check(s);

    if (st != ST_OK)
        return st;
    tcp_abort(s->conn, now_us);
    sock_release(s);
    return ST_OK;
}

void sock_set_no_delay(struct sock *s, bool on, uint64_t now_us)
{
    s->no_delay = on;
    if (s->type == SOCK_TYPE_STREAM && s->conn)
        tcp_set_no_delay(s->conn, on, now_us);
}

void sock_on_tcp_event(struct tcp_conn *c, unsigned tcp_events)
{
    struct sock *s = tcp_conn_owner(c);
    uint32_t ev = 0;

    if (!s)
        return;
    if (tcp_events & (TCP_EV_CONNECTED | TCP_EV_WRITABLE))
        ev |= SOCK_EV_WRITE;
    if (tcp_events & TCP_EV_READABLE)
        ev |= SOCK_EV_READ;
    if (tcp_events & TCP_EV_PEER_FIN)
        ev |= SOCK_EV_READ | SOCK_EV_RDHUP | SOCK_EV_HUP;
    if (tcp_events & TCP_EV_ERROR)
        ev |= SOCK_EV_READ | SOCK_EV_WRITE | SOCK_EV_RDHUP | SOCK_EV_ALWAYS;
    sock_notify(s, ev);
}

void sock_on_acceptable(struct tcp_listener *l)
{
    sock_notify(tcp_listener_owner(l), SOCK_EV_READ);
}
