/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See bulk.h. Connections are found by descriptor. The clock of the result runs from the first connection to
 * the end of the last one, or as -w and -d say; it is one clock for all threads. */
#include "bulk/bulk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/json.h"
#include "common/threads.h"
#include "mtcp_epoll.h"

#define MAX_EVENTS 256
#define WAIT_MS 100
#define BACKLOG 1024
#define SHA_HEX 65
#define MAX_SHAS 512 /* that are shown */
#define FAILURES_IN_WORDS 5
#define GIBI (1024.0 * 1024.0 * 1024.0)

struct bulk_plan bulk_plan = {
    .options = {.cores = 1}, .write_bytes = BULK_CHUNK, .content = {.seed = 1}, .verify = true, .hash = true};

/* What all threads put together. */
static struct {
    const struct bulk_role *role;
    pthread_mutex_t lock;
    long opened, ended; /* connections: begun; done or failed */
    unsigned long connections, errors, mismatches, said;
    uint64_t bytes, counted_bytes, last_us;
    _Atomic uint64_t first_us; /* when the first connection began, 0: not yet */
    unsigned num_shas;
    char shas[MAX_SHAS][SHA_HEX];
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With seed 0 all connections send this: one chunk for each would be a load on the caches that measures
 * nothing. */
static uint8_t no_stream[BULK_CHUNK];

struct bulk_worker {
    struct thread *t;
    mctx_t mctx;
    int ep, listener, max_conns;
    struct bulk_conn *conns;
    uint64_t now_us;                          /* of the last wait */
    uint64_t bytes, bytes_before, bytes_till; /* until now; until the time that counts began, and was over */
    bool counts, is_over;                     /* that time has begun; has ended */
};

mctx_t bulk_mctx(const struct bulk_worker *w)
{
    return w->mctx;
}

void bulk_hash(struct bulk_conn *c, const void *data, size_t len)
{
    if (bulk_plan.hash)
        EVP_DigestUpdate(c->sha, data, len);
}

void bulk_watch(struct bulk_worker *w, int fd, uint32_t events)
{
    struct mtcp_epoll_event ev = {.events = events, .data.sockid = fd};

    mtcp_epoll_ctl(w->mctx, w->ep, MTCP_EPOLL_CTL_MOD, fd, &ev);
}

void bulk_count(struct bulk_worker *w, size_t bytes)
{
    count(all.role->sends ? &w->t->counts.write_bytes : &w->t->counts.read_bytes, bytes);
    w->bytes += bytes;
}

/* Since the first connection of all threads, which may be this moment. */
static double passed_us(const struct bulk_worker *w)
{
    uint64_t first_us = atomic_load(&all.first_us);

    return first_us && w->now_us > first_us ? (double)(w->now_us - first_us) : 0;
}

bool bulk_time_over(const struct bulk_worker *w)
{
    return bulk_plan.seconds > 0 && passed_us(w) >= bulk_plan.seconds * 1e6;
}

void bulk_say_failed(struct bulk_worker *w, const char *step, const char *why)
{
    bool say;

    pthread_mutex_lock(&all.lock);
    say = all.said++ < FAILURES_IN_WORDS;
    pthread_mutex_unlock(&all.lock);
    if (say)
        app_complain(w->t->options, "%s: %s", step, why);
}

/* ---- a connection's life ---- */

static bool conn_begin(struct bulk_worker *w, int fd)
{
    struct bulk_conn *c = &w->conns[fd];
    struct mtcp_epoll_event ev = {.events = all.role->sends ? MTCP_EPOLLOUT : MTCP_EPOLLIN,
                                  .data.sockid = fd};
    bool no_own = bulk_plan.content.bytes || !bulk_plan.content.seed;
    uint64_t none = 0;

    *c = (struct bulk_conn){.open = true, .sha = EVP_MD_CTX_new()};
    if (all.role->sends)
        c->chunk = no_own ? no_stream : (c->own = malloc(BULK_CHUNK));
    if (!c->sha || (all.role->sends && !c->chunk) || !EVP_DigestInit_ex(c->sha, EVP_sha256(), NULL) ||
        mtcp_setsock_nonblock(w->mctx, fd) || mtcp_epoll_ctl(w->mctx, w->ep, MTCP_EPOLL_CTL_ADD, fd, &ev))
        return false;
    w->now_us = app_now_us();
    atomic_compare_exchange_strong(&all.first_us, &none, w->now_us);
    return true;
}

static void keep_sha(EVP_MD_CTX *sha)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (all.num_shas == MAX_SHAS || !EVP_DigestFinal_ex(sha, digest, &len))
        return;
    for (unsigned i = 0; i < len; i++)
        snprintf(all.shas[all.num_shas] + 2 * i, 3, "%02x", digest[i]);
    all.num_shas++;
}

/* done: it came to its end; else it failed, or the program stops before the end (not an error). */
static void conn_end(struct bulk_worker *w, int fd, bool done, bool failed)
{
    struct bulk_conn *c = &w->conns[fd];

    pthread_mutex_lock(&all.lock);
    all.ended++;
    all.connections += done;
    all.errors += failed;
    all.mismatches += c->mismatch;
    all.bytes += c->bytes;
    all.last_us = app_now_us();
    if (done && bulk_plan.hash)
        keep_sha(c->sha);
    if (bulk_plan.connections && all.ended >= bulk_plan.connections)
        app_stop();
    pthread_mutex_unlock(&all.lock);
    count(&w->t->counts.completes, done);
    count(&w->t->counts.errors, failed);
    EVP_MD_CTX_free(c->sha);
    free(c->own);
    c->open = false;
    mtcp_close(w->mctx, fd);
}

static void on_conn(struct bulk_worker *w, int fd, uint32_t events)
{
    struct bulk_conn *c = &w->conns[fd];
    socklen_t len = sizeof(int);
    enum bulk_state state;
    int err = 0;

    if (events & MTCP_EPOLLERR) {
        mtcp_getsockopt(w->mctx, fd, SOL_SOCKET, SO_ERROR, &err, &len);
        bulk_say_failed(w, c->connected ? "connection" : "connect", strerror(err));
        conn_end(w, fd, false, true);
        return;
    }
    c->connected = true;
    state = all.role->on_event(w, fd, c, events);
    if (state != BULK_GOES_ON)
        conn_end(w, fd, state == BULK_DONE, state == BULK_FAILED);
}

static void on_acceptable(struct bulk_worker *w)
{
    int fd;

    while ((fd = mtcp_accept(w->mctx, w->listener, NULL, NULL)) >= 0) {
        count(&w->t->counts.connects, 1);
        if (!conn_begin(w, fd)) {
            bulk_say_failed(w, "accept", strerror(errno));
            conn_end(w, fd, false, true);
        }
    }
    if (errno != EAGAIN && errno != EINTR)
        bulk_say_failed(w, "accept", strerror(errno));
}

static bool connect_one(struct bulk_worker *w)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)bulk_plan.port),
                               .sin_addr.s_addr = bulk_plan.address};
    int fd = mtcp_socket(w->mctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        bulk_say_failed(w, "socket", strerror(errno));
        return false;
    }
    if (mtcp_connect(w->mctx, fd, (struct sockaddr *)&addr, sizeof(addr)) && errno != EINPROGRESS) {
        bulk_say_failed(w, "connect", strerror(errno));
        mtcp_close(w->mctx, fd);
        return false;
    }
    if (!conn_begin(w, fd)) {
        conn_end(w, fd, false, true);
        return true;
    }
    count(&w->t->counts.connects, 1);
    return true;
}

/* ---- a thread's life ---- */

static bool listen_here(struct bulk_worker *w)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bulk_plan.port)};
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN};
    int backlog = w->max_conns < BACKLOG ? w->max_conns : BACKLOG;

    w->listener = mtcp_socket(w->mctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ev.data.sockid = w->listener;
    if (w->listener >= 0 && !mtcp_bind(w->mctx, w->listener, (struct sockaddr *)&addr, sizeof(addr)) &&
        !mtcp_listen(w->mctx, w->listener, backlog) &&
        !mtcp_epoll_ctl(w->mctx, w->ep, MTCP_EPOLL_CTL_ADD, w->listener, &ev))
        return true;
    app_complain(w->t->options, "cannot listen on port %ld: %s", bulk_plan.port, strerror(errno));
    return false;
}

/* Opens this thread's share of the connections, each thread what the others leave. */
static void connect_all(struct bulk_worker *w)
{
    long share = (bulk_plan.connections + bulk_plan.options.cores - 1) / bulk_plan.options.cores;

    while (share-- > 0) {
        bool mine;

        pthread_mutex_lock(&all.lock);
        mine = all.opened < bulk_plan.connections;
        all.opened += mine;
        pthread_mutex_unlock(&all.lock);
        if (!mine)
            return;
        if (connect_one(w))
            continue;
        pthread_mutex_lock(&all.lock);
        all.errors++;
        if (++all.ended >= bulk_plan.connections)
            app_stop();
        pthread_mutex_unlock(&all.lock);
    }
}

/* Notes what this thread had when the time that counts began and ended. A thread that looks late has had
 * nothing to do meanwhile. */
static void watch_time(struct bulk_worker *w)
{
    double us = passed_us(w) - bulk_plan.warmup_s * 1e6;

    if (!w->counts && us >= 0) {
        w->counts = true;
        w->bytes_before = w->bytes;
    }
    if (!w->is_over && bulk_plan.count_s > 0 && us >= bulk_plan.count_s * 1e6) {
        w->is_over = true;
        w->bytes_till = w->bytes;
    }
}

static void add_counted(const struct bulk_worker *w)
{
    uint64_t till = w->is_over ? w->bytes_till : w->bytes;

    pthread_mutex_lock(&all.lock);
    all.counted_bytes += w->counts ? till - w->bytes_before : 0;
    pthread_mutex_unlock(&all.lock);
}

static void run_events(struct bulk_worker *w)
{
    struct mtcp_epoll_event events[MAX_EVENTS];

    while (!app_stopping()) {
        int n = thread_wait(w->t, w->ep, events, MAX_EVENTS, WAIT_MS);

        w->now_us = app_now_us();
        watch_time(w);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.sockid;

            if (fd == w->listener)
                on_acceptable(w);
            else if (w->conns[fd].open)
                on_conn(w, fd, events[i].events);
        }
    }
}

static void run(struct thread *t)
{
    struct bulk_worker w = {.t = t, .mctx = t->mctx, .listener = -1, .counts = bulk_plan.warmup_s <= 0};
    struct mtcp_conf conf;

    mtcp_getconf(&conf);
    w.max_conns = conf.max_concurrency;
    w.conns = calloc((size_t)w.max_conns, sizeof(*w.conns));
    w.ep = mtcp_epoll_create(w.mctx, MAX_EVENTS);
    if (!w.conns || w.ep < 0 || (bulk_plan.listens && !listen_here(&w))) {
        t->failed = true;
        app_stop();
        free(w.conns);
        return;
    }
    if (bulk_plan.listens)
        json_listening(t->options->json && t->arg, all.role->name, (unsigned)bulk_plan.port);
    else
        connect_all(&w);
    run_events(&w);
    add_counted(&w);
    for (int fd = 0; fd < w.max_conns; fd++)
        if (w.conns[fd].open)
            conn_end(&w, fd, false, false);
    free(w.conns);
}

/* ---- the program ---- */

static bool shared_option(int opt, const char *arg)
{
    struct bulk_plan *p = &bulk_plan;
    long seed;

    switch (opt) {
    case 'a':
        p->connects = true;
        return app_address("-a", arg, &p->address);
    case 'p':
        return app_number("-p", arg, 1, 65535, &p->port);
    case 'l':
        p->listens = true;
        return app_number("-l", arg, 1, 65535, &p->port);
    case 's':
        seed = 0;
        p->hash = strcmp(arg, "any") == 0;
        if (!p->hash && !app_number("-s", arg, 0, INT64_MAX, &seed))
            return false;
        p->hash = p->hash || seed;
        p->verify = seed != 0;
        p->content.seed = (uint64_t)seed;
        return true;
    case 'F':
        return content_load(&p->content, arg);
    case 'z':
        p->zero_copy = true;
        return true;
    default:
        return all.role->option(opt, arg);
    }
}

static int parse_options(int argc, char **argv, const struct bulk_role *role)
{
    struct bulk_plan *p = &bulk_plan;
    char letters[32];
    const struct app_command_line line = {
        .options = &p->options, .usage = role->usage, .letters = letters, .take = shared_option};
    int rc;

    p->options.name = role->name;
    snprintf(letters, sizeof(letters), "a:p:l:s:F:z%s", role->own_options);
    rc = app_parse(argc, argv, &line);
    if (rc)
        return rc;
    if (p->listens && p->connects)
        return app_usage_error(&line, "either -l or -a");
    if (!p->listens && !p->connects && role->sends)
        return app_usage_error(&line, "where to? -a ADDRESS -p PORT, or -l PORT");
    if (p->connects && !p->port)
        return app_usage_error(&line, "-p PORT is missing");
    if (role->sends && p->seconds > 0)
        p->bytes = p->bytes ? p->bytes : UINT64_MAX;
    if (role->sends && !p->bytes)
        return app_usage_error(&line, "-b BYTES or -t SECONDS is missing");
    p->listens = !p->connects;
    if (!p->port)
        p->port = 9999;
    if (p->connects && !p->connections)
        p->connections = 1;
    return 0;
}

/* Whether all that was asked for has happened and is what it should be. */
static bool is_verified(const struct bulk_role *role)
{
    bool complete = !bulk_plan.connections || (long)all.connections == bulk_plan.connections;

    return complete && all.connections && !all.errors && !all.mismatches && (role->sends || bulk_plan.verify);
}

/* How long bytes counted: to the end of the last connection, or less when -d says so. */
static double counted_seconds(void)
{
    uint64_t first_us = atomic_load(&all.first_us);
    double s = all.last_us > first_us ? (double)(all.last_us - first_us) / 1e6 - bulk_plan.warmup_s : 0;

    if (bulk_plan.count_s > 0 && s > bulk_plan.count_s)
        return bulk_plan.count_s;
    return s > 0 ? s : 0;
}

static void report(const struct bulk_role *role)
{
    static struct json j;
    double seconds = counted_seconds(), bits = (double)all.counted_bytes * 8;
    double gbps = seconds > 0 ? bits / seconds / 1e9 : 0, gibps = gbps * 1e9 / GIBI;

    app_say(&bulk_plan.options, "%s: %lu connections, %llu bytes in %.3f s, %.3f Gbit/s, %lu errors, %s",
            role->name, all.connections, (unsigned long long)all.bytes, seconds, gbps,
            all.errors + all.mismatches, is_verified(role) ? "verified" : "not verified");
    if (!bulk_plan.options.json)
        return;
    json_begin(&j, "result", role->name);
    json_u64(&j, "connections", all.connections);
    json_u64(&j, "bytes", all.bytes);
    json_u64(&j, "counted_bytes", all.counted_bytes);
    json_double(&j, "seconds", seconds);
    json_double(&j, "gbps", gbps);
    json_double(&j, "gibps", gibps);
    json_open(&j, "sha256", '[');
    for (unsigned i = 0; i < all.num_shas; i++)
        json_str(&j, NULL, all.shas[i]);
    json_close(&j, ']');
    json_bool(&j, "verified", is_verified(role));
    json_u64(&j, "errors", all.errors + all.mismatches);
    json_end(&j);
}

int bulk_main(int argc, char **argv, const struct bulk_role *role)
{
    static struct thread threads[THREADS_MAX];
    int cores[THREADS_MAX], rc;
    bool ok;

    all.role = role;
    rc = parse_options(argc, argv, role);
    if (rc)
        return rc;
    rc = app_start(&bulk_plan.options, 0);
    if (rc)
        return rc;
    for (int i = 0; i < bulk_plan.options.cores; i++)
        cores[i] = i;
    threads[0].arg = &all; /* the one that says when the program is ready */
    ok = threads_run(&bulk_plan.options, threads, cores, bulk_plan.options.cores, run);
    report(role);
    mtcp_destroy();
    content_free(&bulk_plan.content);
    return ok && !all.errors && !all.mismatches ? 0 : APP_EXIT_FAILED; /* a signal is no failure */
}
