/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Socket calls that may wait: what gives ST_AGAIN is tried again after each round of the poll loop, unless
 * the socket is non-blocking. Calls that never wait still run a round now and then, so that a program which
 * only tries again and again makes progress. */
#include "worker/worker_priv.h"

enum call_kind {
    CALL_ACCEPT,
    CALL_CONNECT,
    CALL_READ,
    CALL_WRITE,
    CALL_SPANS,
    CALL_CLAIM,
    CALL_SENDTO,
    CALL_RECVFROM
};

/** One call with its arguments, and what it said last. */
struct call {
    enum call_kind kind;
    struct worker *w;
    struct sock *sock;
    bool peek;
    void *buf;
    struct byte_span *spans;
    size_t len, done, full;
    const struct udp_addr *to;
    struct udp_addr *from;
    struct sock *accepted;
    enum status st;
};

static enum status call_write(struct call *c)
{
    size_t put;
    enum status st =
        sock_write(c->sock, (const char *)c->buf + c->done, c->len - c->done, c->w->now_us, &put);

    c->done += put;
    if (st == ST_OK && c->done < c->len)
        return ST_AGAIN;
    return st;
}

static enum status call_once(struct call *c)
{
    uint64_t now_us = c->w->now_us;

    switch (c->kind) {
    case CALL_ACCEPT:
        return sock_accept(c->sock, &c->accepted);
    case CALL_CONNECT:
        return sock_connect_result(c->sock);
    case CALL_READ:
        return sock_read(c->sock, c->buf, c->len, c->peek, now_us, &c->done);
    case CALL_WRITE:
        return call_write(c);
    case CALL_SPANS:
        return sock_read_spans(c->sock, c->spans, &c->done);
    case CALL_CLAIM:
        return sock_write_claim(c->sock, c->len, c->spans, &c->done);
    case CALL_SENDTO:
        return sock_sendto(c->sock, c->buf, c->len, c->to, now_us);
    case CALL_RECVFROM:
        return sock_recvfrom(c->sock, c->buf, c->len, c->peek, c->from, &c->done, &c->full);
    }
    return ST_INVALID;
}

static bool call_ready(void *arg)
{
    struct call *c = arg;

    c->st = call_once(c);
    return c->st != ST_AGAIN;
}

static enum status call_run(struct call *c, bool dont_wait)
{
    enum status st;

    if (call_ready(c))
        return c->st;
    if (!dont_wait && !c->sock->nonblock) {
        st = worker_wait(c->w, call_ready, c, WORKER_FOREVER);
        return st == ST_OK ? c->st : st;
    }
    if (++c->w->again_run >= WORKER_AGAIN_LIMIT) {
        worker_round(c->w);
        call_ready(c);
    }
    return c->st;
}

enum status worker_accept(struct worker *w, struct sock *s, struct sock **out)
{
    struct call c = {.kind = CALL_ACCEPT, .w = w, .sock = s};
    enum status st = call_run(&c, false);

    *out = c.accepted;
    return st;
}

enum status worker_connect(struct worker *w, struct sock *s, struct tcp_endpoint peer)
{
    struct call c = {.kind = CALL_CONNECT, .w = w, .sock = s};
    enum status st = sock_connect(s, peer, w->now_us);

    if (st != ST_IN_PROGRESS || s->nonblock)
        return st;
    return call_run(&c, false);
}

enum status worker_read(struct worker *w, struct sock *s, void *buf, size_t len, bool peek, bool dont_wait,
                        size_t *got)
{
    struct call c;
    enum status st = sock_read(s, buf, len, peek, w->now_us, got);

    if (st != ST_AGAIN) /* the usual call does not pay for the waiting */
        return st;
    c = (struct call){.kind = CALL_READ, .w = w, .sock = s, .buf = buf, .len = len, .peek = peek};
    st = call_run(&c, dont_wait);
    *got = c.done;
    return st;
}

enum status worker_write(struct worker *w, struct sock *s, const void *buf, size_t len, bool dont_wait,
                         size_t *put)
{
    struct call c;
    enum status st = sock_write(s, buf, len, w->now_us, put);

    if (st != ST_AGAIN && (st != ST_OK || *put == len))
        return st;
    c = (struct call){.kind = CALL_WRITE, .w = w, .sock = s, .buf = (void *)buf, .len = len, .done = *put};
    st = call_run(&c, dont_wait);
    *put = c.done;
    return c.done > 0 ? ST_OK : st;
}

enum status worker_read_spans(struct worker *w, struct sock *s, bool dont_wait, struct byte_span out[2],
                              size_t *n)
{
    struct call c = {.kind = CALL_SPANS, .w = w, .sock = s, .spans = out};
    enum status st = call_run(&c, dont_wait);

    *n = c.done;
    return st;
}

enum status worker_write_claim(struct worker *w, struct sock *s, size_t len, bool dont_wait,
                               struct byte_span out[2], size_t *n)
{
    struct call c = {.kind = CALL_CLAIM, .w = w, .sock = s, .len = len, .spans = out};
    enum status st = call_run(&c, dont_wait);

    *n = c.done;
    return st;
}

enum status worker_sendto(struct worker *w, struct sock *s, const void *buf, size_t len,
                          const struct udp_addr *to, bool dont_wait)
{
    enum status st = sock_sendto(s, buf, len, to, w->now_us);

    if (st == ST_AGAIN) { /* seldom: the usual datagram does not pay for the waiting */
        struct call c = {.kind = CALL_SENDTO, .w = w, .sock = s, .buf = (void *)buf, .len = len, .to = to};

        st = call_run(&c, dont_wait);
    }
    w->send_refused = w->send_refused || st == ST_AGAIN;
    return st;
}

enum status worker_recvfrom(struct worker *w, struct sock *s, void *buf, size_t len, bool peek,
                            bool dont_wait, struct udp_addr *from, size_t *got, size_t *full)
{
    struct call c;
    enum status st = sock_recvfrom(s, buf, len, peek, from, got, full);

    if (st != ST_AGAIN)
        return st;
    c = (struct call){
        .kind = CALL_RECVFROM, .w = w, .sock = s, .buf = buf, .len = len, .peek = peek, .from = from};
    st = call_run(&c, dont_wait);
    *got = c.done;
    *full = c.full;
    return st;
}
