/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See fetch.h. A response ends where Content-Length says, or with the connection. */
#include "epwget/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_parsing.h"
#include "mtcp_epoll.h"

#define REQUEST_LEN 2048
#define HEADER_LEN 4096
#define READ_LEN 65536
#define READS_AT_ONCE 16
#define ERRORS_IN_WORDS 5

struct fetch_conn {
    bool open, header_done, waits_for_room;
    long flow, requests_left;
    char request[REQUEST_LEN];
    int request_len, request_sent;
    char header[HEADER_LEN];
    int header_len;
    long length, received; /**< of the body; length -1 = until the connection ends */
    uint64_t started_us;
    FILE *out;
};

bool fetch_init(struct fetcher *f)
{
    struct mtcp_conf conf;

    mtcp_getconf(&conf);
    f->max_conns = conf.max_concurrency;
    f->conns = calloc((size_t)f->max_conns, sizeof(*f->conns));
    f->ep = f->conns ? mtcp_epoll_create(f->mctx, f->max_conns) : -1;
    if (f->ep >= 0)
        return true;
    app_complain(f->options, "no epoll descriptor: %s", strerror(errno));
    free(f->conns);
    return false;
}

static void close_conn(struct fetcher *f, int fd)
{
    struct fetch_conn *c = &f->conns[fd];

    if (c->out)
        fclose(c->out);
    c->out = NULL;
    c->open = false;
    mtcp_close(f->mctx, fd);
}

void fetch_fini(struct fetcher *f)
{
    for (int fd = 0; fd < f->max_conns; fd++)
        if (f->conns[fd].open)
            close_conn(f, fd);
    free(f->conns);
}

static bool watch(struct fetcher *f, int op, int fd, uint32_t events)
{
    struct mtcp_epoll_event ev = {.events = events, .data.sockid = fd};

    return mtcp_epoll_ctl(f->mctx, f->ep, op, fd, &ev) == 0;
}

/** Ends a flow that failed for this reason. */
static void fail(struct fetcher *f, int fd, const char *step, const char *why)
{
    if (f->first_errors++ < ERRORS_IN_WORDS)
        app_complain(f->options, "flow %ld: %s: %s", f->conns[fd].flow, step, why);
    f->stats->errors++;
    f->ended++;
    close_conn(f, fd);
}

static void fail_errno(struct fetcher *f, int fd, const char *step, int err)
{
    f->stats->timeouts += err == ETIMEDOUT;
    fail(f, fd, step, strerror(err));
}

static bool open_output(struct fetcher *f, struct fetch_conn *c)
{
    char name[4096];

    if (!f->plan->outfile)
        return true;
    if (f->plan->many)
        snprintf(name, sizeof(name), "%s.%ld", f->plan->outfile, c->flow);
    else
        snprintf(name, sizeof(name), "%s", f->plan->outfile);
    c->out = fopen(name, "wb");
    return c->out != NULL;
}

bool fetch_start(struct fetcher *f)
{
    int fd = mtcp_socket(f->mctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct fetch_conn *c;

    if (fd < 0)
        return false;
    c = &f->conns[fd];
    memset(c, 0, sizeof(*c));
    c->open = true;
    c->flow = f->started++;
    c->requests_left = f->plan->requests;
    if (!open_output(f, c)) {
        fail(f, fd, f->plan->outfile, strerror(errno));
        return true;
    }
    if (mtcp_connect(f->mctx, fd, (const struct sockaddr *)&f->plan->addr, sizeof(f->plan->addr)) < 0 &&
        errno != EINPROGRESS)
        fail_errno(f, fd, "connect", errno);
    else if (!watch(f, MTCP_EPOLL_CTL_ADD, fd, MTCP_EPOLLOUT))
        fail_errno(f, fd, "epoll", errno);
    return true;
}

/* ---- requests ---- */

static void send_request(struct fetcher *f, int fd, struct fetch_conn *c)
{
    while (c->request_sent < c->request_len) {
        ssize_t n =
            mtcp_write(f->mctx, fd, c->request + c->request_sent, (size_t)(c->request_len - c->request_sent));

        if (n < 0 && errno == EAGAIN) {
            c->waits_for_room = true;
            watch(f, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLOUT);
            return;
        }
        if (n < 0) {
            fail_errno(f, fd, "write", errno);
            return;
        }
        c->request_sent += (int)n;
        f->stats->write_bytes += (unsigned long)n;
    }
    if (c->waits_for_room)
        watch(f, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLIN);
    c->waits_for_room = false;
}

static void next_request(struct fetcher *f, int fd, struct fetch_conn *c)
{
    bool last = --c->requests_left == 0;

    c->request_len = snprintf(
        c->request, sizeof(c->request),
        "GET %s HTTP/1.%d\r\nUser-Agent: epwget\r\nAccept: */*\r\nHost: %s\r\nConnection: %s\r\n\r\n",
        f->plan->url, f->plan->requests > 1, f->plan->host, last ? "Close" : "Keep-Alive");
    c->request_sent = 0;
    c->header_len = 0;
    c->header_done = false;
    c->length = -1;
    c->received = 0;
    c->started_us = app_now_us();
    send_request(f, fd, c);
}

/* ---- responses ---- */

static void response_complete(struct fetcher *f, int fd, struct fetch_conn *c)
{
    uint64_t took = app_now_us() - c->started_us;

    histogram_add(&f->stats->latency_us, took);
    f->stats->time_sum_us += took;
    if (c->requests_left > 0) {
        next_request(f, fd, c);
        return;
    }
    f->ended++;
    close_conn(f, fd);
}

/** Takes bytes of the body. False when the flow has ended. */
static bool take_body(struct fetcher *f, int fd, struct fetch_conn *c, const char *data, size_t len)
{
    if (c->out && fwrite(data, 1, len, c->out) != len) {
        fail(f, fd, f->plan->outfile, strerror(errno));
        return false;
    }
    c->received += (long)len;
    if (c->length < 0 || c->received < c->length)
        return true;
    if (c->received > c->length) {
        fail(f, fd, "response", "more bytes than Content-Length says");
        return false;
    }
    response_complete(f, fd, c);
    return c->open;
}

/** Takes bytes of header and body. False when the flow has ended. */
static bool take(struct fetcher *f, int fd, struct fetch_conn *c, const char *data, size_t len)
{
    size_t room = sizeof(c->header) - 1 - (size_t)c->header_len, n = len < room ? len : room;
    int before = c->header_len, end;

    if (c->header_done)
        return take_body(f, fd, c, data, len);
    memcpy(c->header + before, data, n);
    c->header_len += (int)n;
    c->header[c->header_len] = '\0';
    end = find_http_header(c->header, c->header_len);
    if (end == 0 && c->header_len == (int)sizeof(c->header) - 1) {
        fail(f, fd, "response", "the header is too long");
        return false;
    }
    if (end == 0)
        return true;
    c->header[end] = '\0';
    if (http_get_status_code(c->header) != 200) {
        c->header[strcspn(c->header, "\r\n")] = '\0';
        fail(f, fd, "response", c->header);
        return false;
    }
    c->header_done = true;
    c->length =
        http_header_long_val(c->header, HTTP_HEADER_CONTENT_LENGTH, sizeof(HTTP_HEADER_CONTENT_LENGTH) - 1);
    if (c->length < 0 && f->plan->requests > 1) {
        fail(f, fd, "response", "no Content-Length on a connection that is kept alive");
        return false;
    }
    return take_body(f, fd, c, data + (end - before), len - (size_t)(end - before));
}

static void end_of_stream(struct fetcher *f, int fd, struct fetch_conn *c)
{
    if (c->header_done && c->length < 0)
        response_complete(f, fd, c);
    else
        fail(f, fd, "response", "the server closed the connection before the end");
}

static void on_readable(struct fetcher *f, int fd, struct fetch_conn *c)
{
    char buf[READ_LEN];

    for (int i = 0; i < READS_AT_ONCE && c->open; i++) {
        ssize_t n = mtcp_read(f->mctx, fd, buf, sizeof(buf));

        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            fail_errno(f, fd, "read", errno);
            return;
        }
        f->stats->read_bytes += (unsigned long)n;
        if (n == 0)
            end_of_stream(f, fd, c);
        else
            take(f, fd, c, buf, (size_t)n);
        if (n < (ssize_t)sizeof(buf))
            return;
    }
}

void fetch_event(struct fetcher *f, int fd, uint32_t events)
{
    struct fetch_conn *c = &f->conns[fd];
    socklen_t len = sizeof(int);
    int err = 0;

    if (!c->open)
        return;
    if (events & MTCP_EPOLLERR) {
        mtcp_getsockopt(f->mctx, fd, SOL_SOCKET, SO_ERROR, &err, &len);
        fail_errno(f, fd, c->request_len ? "response" : "connect", err);
    } else if (events & MTCP_EPOLLIN) {
        on_readable(f, fd, c);
    } else if (events == MTCP_EPOLLOUT && c->request_len > 0) {
        send_request(f, fd, c);
    } else if (events == MTCP_EPOLLOUT) {
        f->stats->connects++;
        watch(f, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLIN);
        next_request(f, fd, c);
    }
}

void fetch_stats_clear(struct fetch_stats *s)
{
    *s = (struct fetch_stats){.connects = s->connects, .errors = s->errors, .timeouts = s->timeouts};
}

void fetch_stats_add(struct fetch_stats *to, const struct fetch_stats *from)
{
    to->connects += from->connects;
    to->errors += from->errors;
    to->timeouts += from->timeouts;
    to->read_bytes += from->read_bytes;
    to->write_bytes += from->write_bytes;
    to->time_sum_us += from->time_sum_us;
    histogram_merge(&to->latency_us, &from->latency_us);
}
