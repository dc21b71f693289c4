/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP and UDP as the sockets see them, with every property set by hand. Defines the functions of tcp.h and
 * udp.h that the sock layer calls; for tests only, included once, after cmocka. */
#ifndef SOCK_FAKE_TRANSPORT_H
#define SOCK_FAKE_TRANSPORT_H

#include <string.h>

#include "sock/sock.h"

struct tcp_conn {
    void *owner;
    bool connected, readable, writable, peer_closed, closed;
    enum status error;
    struct tcp_endpoint local, peer;
    size_t available;
    struct tcp_luggage luggage;
};

struct tcp_listener {
    void *owner;
    unsigned waiting;
    bool closed;
};

struct udp_sock {
    void *owner;
    bool readable, has_peer, destroyed;
    struct udp_addr local, peer;
};

static struct tcp_luggage fake_luggage; /* of the next connection that is accepted */
static struct tcp_conn fake_conns[16];
static unsigned fake_num_conns;
static struct tcp_listener fake_listener;
static struct udp_sock fake_udp;
static enum status fake_result; /* of the next call that can fail */
static bool fake_can_send;

static void fake_reset(void)
{
    memset(fake_conns, 0, sizeof(fake_conns));
    memset(&fake_listener, 0, sizeof(fake_listener));
    memset(&fake_udp, 0, sizeof(fake_udp));
    fake_num_conns = 0;
    fake_luggage = (struct tcp_luggage){0};
    fake_result = ST_OK;
    fake_can_send = true;
}

static struct tcp_conn *fake_conn(void *owner)
{
    struct tcp_conn *c = &fake_conns[fake_num_conns++ % 16];

    *c = (struct tcp_conn){.owner = owner};
    return c;
}

enum status tcp_listen(struct tcp *tcp, struct tcp_endpoint local, unsigned backlog, void *owner,
                       struct tcp_listener **out)
{
    (void)tcp, (void)local, (void)backlog;
    fake_listener.owner = owner;
    *out = &fake_listener;
    return fake_result;
}
void *tcp_listener_owner(const struct tcp_listener *l)
{
    return l->owner;
}
bool tcp_listener_acceptable(const struct tcp_listener *l)
{
    return l->waiting > 0;
}
enum status tcp_accept(struct tcp_listener *l, void *owner, struct tcp_conn **out)
{
    if (l->waiting == 0)
        return ST_AGAIN;
    l->waiting--;
    *out = fake_conn(owner);
    (*out)->connected = (*out)->writable = true;
    (*out)->local = (struct tcp_endpoint){0x0a000001, 80};
    (*out)->peer = (struct tcp_endpoint){0x0a000002, 4000};
    (*out)->luggage = fake_luggage;
    return ST_OK;
}
void tcp_listener_close(struct tcp_listener *l, uint64_t now_us)
{
    (void)now_us;
    l->closed = true;
}
enum status tcp_connect(struct tcp *tcp, struct tcp_endpoint local, struct tcp_endpoint peer, void *owner,
                        uint64_t now_us, struct tcp_conn **out)
{
    (void)tcp, (void)now_us;
    if (fake_result != ST_OK)
        return fake_result;
    *out = fake_conn(owner);
    (*out)->local = local;
    (*out)->peer = peer;
    return ST_OK;
}
void tcp_conn_set_luggage(struct tcp_conn *c, struct tcp_luggage luggage)
{
    c->luggage = luggage;
}
struct tcp_luggage tcp_conn_luggage(const struct tcp_conn *c)
{
    return c->luggage;
}
void *tcp_conn_owner(const struct tcp_conn *c)
{
    return c->owner;
}
void tcp_conn_local(const struct tcp_conn *c, struct tcp_endpoint *out)
{
    *out = c->local;
}
void tcp_conn_peer(const struct tcp_conn *c, struct tcp_endpoint *out)
{
    *out = c->peer;
}
enum status tcp_read(struct tcp_conn *c, void *buf, size_t len, bool peek, uint64_t now_us, size_t *got)
{
    (void)now_us;
    *got = len < c->available ? len : c->available;
    memset(buf, 'x', *got);
    if (!peek)
        c->available -= *got;
    if (c->error != ST_OK)
        return c->error;
    return *got > 0 || c->peer_closed ? ST_OK : ST_AGAIN;
}
enum status tcp_write(struct tcp_conn *c, const void *buf, size_t len, uint64_t now_us, size_t *put)
{
    (void)buf, (void)now_us;
    *put = c->writable && c->error == ST_OK ? len : 0;
    if (c->error != ST_OK)
        return c->error;
    return c->writable ? ST_OK : ST_AGAIN;
}
enum status tcp_read_spans(struct tcp_conn *c, struct byte_span out[2], size_t *n)
{
    (void)c, (void)out;
    *n = 0;
    return ST_AGAIN;
}
enum status tcp_read_release(struct tcp_conn *c, size_t n)
{
    (void)c;
    return n ? ST_INVALID : ST_OK;
}
enum status tcp_write_claim(struct tcp_conn *c, size_t len, struct byte_span out[2], size_t *n)
{
    (void)c, (void)len, (void)out;
    *n = 0;
    return ST_AGAIN;
}
enum status tcp_write_commit(struct tcp_conn *c, size_t n)
{
    (void)c;
    return n ? ST_INVALID : ST_OK;
}
bool tcp_connected(const struct tcp_conn *c)
{
    return c->connected;
}
bool tcp_readable(const struct tcp_conn *c)
{
    return c->readable || c->peer_closed || c->error != ST_OK;
}
bool tcp_writable(const struct tcp_conn *c)
{
    return c->writable || c->error != ST_OK;
}
bool tcp_peer_closed(const struct tcp_conn *c)
{
    return c->peer_closed;
}
size_t tcp_read_available(const struct tcp_conn *c)
{
    return c->available;
}
enum status tcp_error(const struct tcp_conn *c)
{
    return c->error;
}
unsigned tcp_readiness(const struct tcp_conn *c)
{
    return (c->connected ? TCP_IS_CONNECTED : 0) | (tcp_readable(c) ? TCP_IS_READABLE : 0) |
           (tcp_writable(c) ? TCP_IS_WRITABLE : 0) | (c->peer_closed ? TCP_IS_PEER_CLOSED : 0) |
           (c->error != ST_OK ? TCP_IS_FAILED : 0);
}
enum status tcp_shutdown_write(struct tcp_conn *c, uint64_t now_us)
{
    (void)c, (void)now_us;
    return ST_OK;
}
void tcp_close(struct tcp_conn *c, uint64_t now_us)
{
    (void)now_us;
    c->closed = true;
}
void tcp_abort(struct tcp_conn *c, uint64_t now_us)
{
    (void)now_us;
    c->closed = true;
}
void tcp_set_no_delay(struct tcp_conn *c, bool on, uint64_t now_us)
{
    (void)c, (void)on, (void)now_us;
}

enum status udp_sock_create(struct udp *udp, void *owner, struct udp_sock **out)
{
    (void)udp;
    fake_udp.owner = owner;
    *out = &fake_udp;
    return fake_result;
}
void udp_sock_destroy(struct udp_sock *s)
{
    s->destroyed = true;
}
void *udp_sock_owner(const struct udp_sock *s)
{
    return s->owner;
}
enum status udp_sock_bind(struct udp_sock *s, struct udp_addr local)
{
    s->local = local;
    return fake_result;
}
enum status udp_sock_connect(struct udp_sock *s, struct udp_addr peer)
{
    s->peer = peer;
    s->has_peer = true;
    return ST_OK;
}
void udp_sock_local(const struct udp_sock *s, struct udp_addr *out)
{
    *out = s->local;
}
bool udp_sock_peer(const struct udp_sock *s, struct udp_addr *out)
{
    *out = s->peer;
    return s->has_peer;
}
enum status udp_sock_sendto(struct udp_sock *s, const void *buf, size_t len, const struct udp_addr *to,
                            uint64_t now_us)
{
    (void)s, (void)buf, (void)len, (void)to, (void)now_us;
    return fake_can_send ? ST_OK : ST_AGAIN;
}
enum status udp_sock_recvfrom(struct udp_sock *s, void *buf, size_t len, bool peek, struct udp_addr *from,
                              size_t *got, size_t *full)
{
    (void)buf, (void)len, (void)peek, (void)from;
    *got = *full = 0;
    return s->readable ? ST_OK : ST_AGAIN;
}
bool udp_sock_readable(const struct udp_sock *s)
{
    return s->readable;
}
size_t udp_sock_next_len(const struct udp_sock *s)
{
    return s->readable ? 7 : 0;
}

static bool fake_is_local(void *ctx, ipv4_addr_t addr)
{
    (void)ctx;
    return addr == 0x0a000001;
}
static bool fake_send_room(void *ctx)
{
    (void)ctx;
    return fake_can_send;
}
static const struct socktab_ops fake_ops = {.is_local = fake_is_local, .can_send = fake_send_room};

/** A fresh table of n descriptors. */
static void fake_table(struct socktab *tab, unsigned n)
{
    fake_reset();
    assert_int_equal(socktab_init(tab, n, NULL, NULL, &fake_ops, NULL), ST_OK);
}

static void fake_table_end(struct socktab *tab)
{
    socktab_close_all(tab, 0);
    assert_int_equal(tab->ids.used, 0);
    socktab_fini(tab);
}

#endif
