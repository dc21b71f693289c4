/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See numbered_server.h. */
#include "api/numbered_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api_priv.h"
#include "base/minmax.h"
#include "mtcp_epoll.h"

#define EVENTS 64

static struct sockaddr_in any(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
}

static void fails(struct server *s, const char *what)
{
    if (atomic_load(&s->has_failed))
        return;
    snprintf(s->failed, sizeof(s->failed), "%s: %s", what, strerror(errno));
    atomic_store(&s->has_failed, true);
}

static void watch(mctx_t m, int ep, int fd)
{
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN, .data.sockid = fd};

    mtcp_setsock_nonblock(m, fd);
    mtcp_epoll_ctl(m, ep, MTCP_EPOLL_CTL_ADD, fd, &ev);
}

static void server_open(struct server *s)
{
    struct sockaddr_in tcp = any(s->all->tcp_port), udp = any(s->all->udp_port);
    int on = 1;

    s->ep = mtcp_epoll_create(s->ctx, 1);
    s->listener = mtcp_socket(s->ctx, AF_INET, SOCK_STREAM, 0);
    s->udp = mtcp_socket(s->ctx, AF_INET, SOCK_DGRAM, 0);
    if (mtcp_setsockopt(s->ctx, s->listener, SOL_MTCP, MTCP_MOVABLE, &on, sizeof(on)) ||
        mtcp_bind(s->ctx, s->listener, (struct sockaddr *)&tcp, sizeof(tcp)) ||
        mtcp_listen(s->ctx, s->listener, (int)s->all->num_flows) ||
        mtcp_bind(s->ctx, s->udp, (struct sockaddr *)&udp, sizeof(udp)))
        fails(s, "open");
    watch(s->ctx, s->ep, s->listener);
    watch(s->ctx, s->ep, s->udp);
}

static void check_message(struct server *s, struct flow_state *f)
{
    if (f->msg.seq != f->next && !atomic_load(&s->has_failed)) {
        snprintf(s->failed, sizeof(s->failed), "flow %u: message %u, expected %u", (unsigned)f->msg.flow,
                 (unsigned)f->msg.seq, (unsigned)f->next);
        atomic_store(&s->has_failed, true);
    }
    f->next = f->msg.seq + 1;
    s->messages++;
}

static void take_bytes(struct server *s, struct flow_state *f, const char *buf, size_t len)
{
    while (len) {
        size_t n = min_size(len, sizeof(f->msg) - f->part);

        memcpy((char *)&f->msg + f->part, buf, n);
        buf += n;
        len -= n;
        f->part += n;
        if (f->part < sizeof(f->msg))
            return;
        f->part = 0;
        check_message(s, f);
    }
}

static void end_conn(struct server *s, int fd)
{
    free(s->by_fd[fd]);
    s->by_fd[fd] = NULL;
    mtcp_close(s->ctx, fd);
}

static void serve_conn(struct server *s, int fd)
{
    char buf[NUMBERED_WINDOW * sizeof(struct message)];
    ssize_t n = mtcp_read(s->ctx, fd, buf, sizeof(buf));

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            end_conn(s, fd);
        return;
    }
    take_bytes(s, s->by_fd[fd], buf, (size_t)n);
    if (mtcp_write(s->ctx, fd, buf, (size_t)n) != n)
        fails(s, "write");
}

static void serve_accepts(struct server *s)
{
    for (int fd; (fd = mtcp_accept(s->ctx, s->listener, NULL, NULL)) >= 0;) {
        struct flow_state *f = NULL;
        socklen_t len = sizeof(f);

        mtcp_getsockopt(s->ctx, fd, SOL_MTCP, MTCP_USER_DATA, &f, &len);
        if (!f) {
            f = calloc(1, sizeof(*f));
            mtcp_setsockopt(s->ctx, fd, SOL_MTCP, MTCP_USER_DATA, &f, sizeof(f));
        }
        s->by_fd[fd] = f;
        watch(s->ctx, s->ep, fd);
    }
}

static void serve_datagrams(struct server *s)
{
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    struct message m;

    while (mtcp_recvfrom(s->ctx, s->udp, &m, sizeof(m), 0, (struct sockaddr *)&from, &len) == sizeof(m)) {
        struct flow_state *f = &s->all->datagrams[m.flow % s->all->num_flows];

        f->msg = m;
        check_message(s, f);
        if (mtcp_sendto(s->ctx, s->udp, &m, sizeof(m), 0, (struct sockaddr *)&from, len) != sizeof(m))
            fails(s, "sendto");
        len = sizeof(from);
    }
}

static void serve_event(struct server *s, const struct mtcp_epoll_event *ev)
{
    int fd = ev->data.sockid;

    if (ev->events & MTCP_EPOLLMOVED) {
        s->by_fd[fd] = NULL;
        s->moved++;
        return;
    }
    if (atomic_load(&s->sleep_us))
        usleep((useconds_t)atomic_load(&s->sleep_us));
    if (fd == s->listener)
        serve_accepts(s);
    else if (fd == s->udp)
        serve_datagrams(s);
    else
        serve_conn(s, fd);
}

static void *serve(void *arg)
{
    struct mtcp_epoll_event ev[EVENTS];
    struct server *s = arg;

    server_open(s);
    atomic_fetch_add(&s->all->ready, 1);
    while (!atomic_load(&s->all->stop)) {
        int n = mtcp_epoll_wait(s->ctx, s->ep, ev, EVENTS, 10);

        for (int i = 0; i < n; i++)
            serve_event(s, &ev[i]);
    }
    s->tcp = *tcp_get_counters(worker_socks(((struct api_ctx *)s->ctx)->worker)->tcp);
    s->udp_counters = *udp_get_counters(worker_socks(((struct api_ctx *)s->ctx)->worker)->udp);
    for (int fd = 0; fd < NUMBERED_MAX_FDS; fd++)
        if (s->by_fd[fd])
            end_conn(s, fd);
    api_ctx_destroy(s->ctx, 0);
    return NULL;
}

bool server_start(struct server *s, struct servers *all)
{
    s->all = all;
    return pthread_create(&s->id, NULL, serve, s) == 0;
}
