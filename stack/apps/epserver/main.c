/* SPDX-License-Identifier: BSD-3-Clause
 *
 * epserver: an HTTP server of static files. One thread a core, each accepts for itself; keep-alive, GET and
 * HEAD. Connections are found by descriptor, as the API promises small numbers. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/http_parsing.h"
#include "common/json.h"
#include "common/threads.h"
#include "epserver/www.h"
#include "mtcp_epoll.h"

#define HEADER_LEN 1024
#define REQUEST_LEN 4096
#define URL_LEN 1024
#define MAX_EVENTS 1024
#define WAIT_MS 1000
#define DEFAULT_BACKLOG 4096

struct conn {
    bool open, keep_alive, waits_for_room;
    char request[REQUEST_LEN];
    int request_len;
    char header[HEADER_LEN];
    int header_len, header_sent;
    const char *body;
    size_t body_len, body_sent;
    uint64_t started_us; /**< when the request was complete; 0 = no response under way */
};

static struct {
    struct app_options options;
    struct www www;
    const char *dir;
    long backlog, port, only_core;
} server = {
    .options = {.name = "epserver", .cores = 1}, .backlog = DEFAULT_BACKLOG, .port = 80, .only_core = -1};

struct worker {
    struct thread *t;
    mctx_t mctx;
    int ep, listener, max_conns;
    struct conn *conns;
};

static void conn_close(struct worker *w, int fd)
{
    w->conns[fd].open = false;
    mtcp_close(w->mctx, fd);
}

static bool watch(struct worker *w, int op, int fd, uint32_t events)
{
    struct mtcp_epoll_event ev = {.events = events, .data.sockid = fd};

    return mtcp_epoll_ctl(w->mctx, w->ep, op, fd, &ev) == 0;
}

/* ---- responses ---- */

static void response_header(struct conn *c, int code, const char *reason, size_t len)
{
    c->header_sent = 0;
    c->body_sent = 0;
    c->header_len =
        snprintf(c->header, sizeof(c->header),
                 "HTTP/1.1 %d %s\r\nServer: epserver\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n", code,
                 reason, len, c->keep_alive ? "Keep-Alive" : "Close");
}

/** Prepares the response to the complete request at the front of the buffer. */
static void respond(struct conn *c)
{
    const struct www_file *f;
    char url[URL_LEN];
    bool head = strncmp(c->request, "HEAD ", 5) == 0;

    c->body = NULL;
    c->body_len = 0;
    c->keep_alive = http_keeps_alive(c->request);
    if (!head && strncmp(c->request, "GET ", 4) != 0) {
        c->keep_alive = false; /* a body may follow, which is not read */
        response_header(c, 501, "Not Implemented", 0);
        return;
    }
    if (!http_get_url(c->request, c->request_len, url, sizeof(url))) {
        c->keep_alive = false;
        response_header(c, 400, "Bad Request", 0);
        return;
    }
    f = www_find(&server.www, url);
    if (!f) {
        response_header(c, 404, "Not Found", 0);
        return;
    }
    c->body = f->data;
    c->body_len = head ? 0 : f->len;
    response_header(c, 200, "OK", f->len);
}

/** Writes some of the response, header and body in one call. 1 when all is written, 0 when there is no room,
 * -1 when the connection is dead. */
static int send_some(struct worker *w, int fd, struct conn *c)
{
    while (c->header_sent < c->header_len || c->body_sent < c->body_len) {
        size_t header = (size_t)(c->header_len - c->header_sent);
        struct iovec iov[2] = {{c->header + c->header_sent, header},
                               {(char *)(uintptr_t)c->body + c->body_sent, c->body_len - c->body_sent}};
        bool only_body = header == 0, only_header = iov[1].iov_len == 0;
        int n = mtcp_writev(w->mctx, fd, iov + only_body, 2 - only_body - only_header);

        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        header = (size_t)n < header ? (size_t)n : header;
        c->header_sent += (int)header;
        c->body_sent += (size_t)n - header;
        count(&w->t->counts.write_bytes, (unsigned long)n);
    }
    return 1;
}

static void finish_response(struct worker *w, struct conn *c)
{
    unsigned long took = app_now_us() - c->started_us;

    count(&w->t->counts.completes, 1);
    count(&w->t->counts.time_sum_us, took);
    if (took > counted(&w->t->counts.time_max_us))
        atomic_store(&w->t->counts.time_max_us, took);
    c->started_us = 0;
}

static void conn_failed(struct worker *w, int fd)
{
    count(&w->t->counts.errors, 1);
    conn_close(w, fd);
}

/** The connection is dead; that matters only when it dies with a response under way. */
static void conn_died(struct worker *w, int fd)
{
    if (w->conns[fd].started_us)
        conn_failed(w, fd);
    else
        conn_close(w, fd);
}

/** Answers all complete requests in the buffer as far as there is room. */
static void serve(struct worker *w, int fd, struct conn *c)
{
    for (;;) {
        int len = c->started_us ? 0 : find_http_header(c->request, c->request_len), sent;

        if (!c->started_us && len == 0) {
            if (c->request_len == REQUEST_LEN - 1)
                conn_failed(w, fd); /* a header longer than any that we take */
            return;
        }
        if (!c->started_us) {
            char after = c->request[len];

            c->request[len] = '\0'; /* the next request is not part of this header */
            c->started_us = app_now_us();
            respond(c);
            c->request[len] = after;
            c->request_len -= len;
            memmove(c->request, c->request + len, (size_t)c->request_len + 1);
        }
        sent = send_some(w, fd, c);
        if (sent < 0) {
            conn_failed(w, fd);
            return;
        }
        if (sent == 0) {
            c->waits_for_room = true;
            watch(w, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLOUT);
            return;
        }
        finish_response(w, c);
        if (!c->keep_alive) {
            conn_close(w, fd);
            return;
        }
        if (c->waits_for_room)
            watch(w, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLIN);
        c->waits_for_room = false;
    }
}

/* ---- events ---- */

static void on_readable(struct worker *w, int fd)
{
    struct conn *c = &w->conns[fd];
    ssize_t n =
        mtcp_read(w->mctx, fd, c->request + c->request_len, (size_t)(REQUEST_LEN - 1 - c->request_len));

    if (n < 0 && errno == EAGAIN)
        return;
    if (n < 0) {
        conn_died(w, fd);
        return;
    }
    if (n == 0) { /* the peer is done; half a request is its own affair */
        conn_close(w, fd);
        return;
    }
    count(&w->t->counts.read_bytes, (unsigned long)n);
    c->request_len += (int)n;
    c->request[c->request_len] = '\0';
    serve(w, fd, c);
}

static void on_acceptable(struct worker *w)
{
    for (;;) {
        int fd = mtcp_accept(w->mctx, w->listener, NULL, NULL);
        struct conn *c;

        if (fd < 0) {
            if (errno != EAGAIN)
                count(&w->t->counts.errors, 1);
            return;
        }
        c = &w->conns[fd];
        c->open = true;
        c->waits_for_room = false;
        c->request_len = c->header_len = c->header_sent = 0;
        c->body_len = c->body_sent = 0;
        c->started_us = 0;
        count(&w->t->counts.connects, 1);
        mtcp_setsock_nonblock(w->mctx, fd);
        watch(w, MTCP_EPOLL_CTL_ADD, fd, MTCP_EPOLLIN);
    }
}

static void on_event(struct worker *w, const struct mtcp_epoll_event *ev)
{
    int fd = ev->data.sockid;

    if (fd == w->listener)
        on_acceptable(w);
    else if (!w->conns[fd].open)
        return;
    else if (ev->events & MTCP_EPOLLERR)
        conn_died(w, fd);
    else if (ev->events & MTCP_EPOLLIN)
        on_readable(w, fd);
    else if (ev->events & MTCP_EPOLLOUT)
        serve(w, fd, &w->conns[fd]);
}

/* ---- life of a thread ---- */

static bool listen_on(struct worker *w)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server.port)};

    w->listener = mtcp_socket(w->mctx, AF_INET, SOCK_STREAM, 0);
    if (w->listener < 0 || mtcp_setsock_nonblock(w->mctx, w->listener) != 0 ||
        mtcp_bind(w->mctx, w->listener, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
        mtcp_listen(w->mctx, w->listener, (int)server.backlog) != 0 ||
        !watch(w, MTCP_EPOLL_CTL_ADD, w->listener, MTCP_EPOLLIN)) {
        app_complain(w->t->options, "cannot listen on port %ld with a backlog of %ld: %s", server.port,
                     server.backlog, strerror(errno));
        return false;
    }
    return true;
}

static void run_events(struct worker *w)
{
    struct mtcp_epoll_event events[MAX_EVENTS];

    json_listening(w->t->options->json && w->t->arg, "epserver", (unsigned)server.port);
    while (!app_stopping()) {
        int n = thread_wait(w->t, w->ep, events, MAX_EVENTS, WAIT_MS);

        for (int i = 0; i < n; i++)
            on_event(w, &events[i]);
    }
}

static void run(struct thread *t)
{
    struct worker w = {.t = t, .mctx = t->mctx};
    struct mtcp_conf conf;

    mtcp_getconf(&conf);
    w.max_conns = conf.max_concurrency;
    w.conns = calloc((size_t)w.max_conns, sizeof(*w.conns));
    w.ep = mtcp_epoll_create(w.mctx, MAX_EVENTS);
    if (w.conns && w.ep >= 0 && listen_on(&w))
        run_events(&w);
    else
        t->failed = true;
    if (t->failed)
        app_stop();
    free(w.conns);
}

/* ---- the program ---- */

static const char usage[] =
    "usage: epserver -p WWWDIR -f CONF [-N CORES] [-c CORE] [-b BACKLOG] [-P PORT] [--json]\n"
    "  -p WWWDIR   folder whose files are served\n"
    "  -f CONF     configuration of the stack\n"
    "  -N CORES    cores of the stack, a thread for each (1)\n"
    "  -c CORE     one thread only, on this core\n"
    "  -b BACKLOG  connections that may wait to be accepted (4096)\n"
    "  -P PORT     port to listen on (80)\n"
    "  --json      JSON lines on standard output\n";

static bool take_option(int opt, const char *arg)
{
    switch (opt) {
    case 'p':
        server.dir = arg;
        return true;
    case 'c':
        return app_number("-c", arg, 0, 1023, &server.only_core);
    case 'b':
        return app_number("-b", arg, 1, 1000000, &server.backlog);
    case 'P':
        return app_number("-P", arg, 1, 65535, &server.port);
    default:
        return false;
    }
}

static const struct app_command_line command_line = {
    .options = &server.options, .usage = usage, .letters = "p:c:b:P:", .take = take_option};

static int parse_options(int argc, char **argv)
{
    int rc = app_parse(argc, argv, &command_line);

    if (rc)
        return rc;
    if (!server.dir)
        return app_usage_error(&command_line, "-p WWWDIR is missing");
    if (server.only_core >= 0)
        server.options.cores = 1;
    return 0;
}

static void report(const struct thread *threads, int n, double seconds)
{
    struct thread_counts all;
    struct json j;

    threads_sum(threads, n, &all);
    app_say(&server.options, "epserver: %lu connections, %lu requests, %lu bytes, %lu errors in %.3f s",
            all.connects, all.completes, all.write_bytes, all.errors, seconds);
    if (!server.options.json)
        return;
    json_begin(&j, "result", "epserver");
    json_u64(&j, "connections", all.connects);
    json_u64(&j, "requests", all.completes);
    json_u64(&j, "bytes", all.write_bytes);
    json_u64(&j, "errors", all.errors);
    json_double(&j, "seconds", seconds);
    json_end(&j);
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    int cores[THREADS_MAX], rc = parse_options(argc, argv);
    uint64_t start_us;
    bool ok;

    if (rc != 0)
        return rc;
    if (!www_load(&server.www, server.dir))
        return APP_EXIT_USAGE;
    rc = app_start(&server.options, 0);
    if (rc == 0) {
        for (int i = 0; i < server.options.cores; i++)
            cores[i] = server.only_core >= 0 ? (int)server.only_core : i;
        threads[0].arg = &server; /* the one that says when the program is ready */
        start_us = app_now_us();
        ok = threads_run(&server.options, threads, cores, server.options.cores, run);
        report(threads, server.options.cores, (double)(app_now_us() - start_us) / 1e6);
        mtcp_destroy();
        rc = ok ? 0 : APP_EXIT_FAILED;
    }
    www_free(&server.www);
    return rc;
}
