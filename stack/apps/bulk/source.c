/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tcp_source: sends a verifiable stream over each connection, ends its side, and waits until the peer has
 * ended its own: only then everything has arrived. */
#include <errno.h>
#include <string.h>

#include "bulk/bulk.h"
#include "mtcp_epoll.h"

#define CHUNKS_AT_ONCE 16

static const char usage[] =
    "usage: tcp_source (-a ADDRESS -p PORT | -l PORT) -f CONF (-b BYTES | -t SECONDS)\n"
    "                  [-c CONNECTIONS] [-s SEED | -F FILE] [-W BYTES] [-z] [-N CORES] [--json]\n"
    "  -a ADDRESS -p PORT  connect and send\n"
    "  -l PORT             listen, and send to whoever connects\n"
    "  -b BYTES            of each connection; k, m, g = 1024, 1024^2, 1024^3\n"
    "  -t SECONDS          how long to send, from the first connection on\n"
    "  -c CONNECTIONS      at once when connecting; in all when listening (1)\n"
    "  -s SEED             of the stream (1); 0 = any bytes, to measure the transfer alone\n"
    "  -F FILE             its contents again and again, instead of a stream; with -s 0 not hashed\n"
    "  -W BYTES            of a write, 1 to 65536 (65536)\n"
    "  -z                  without copies: write in the stack's buffer\n"
    "  -N CORES            cores of the stack, a thread for each (1)\n"
    "  --json              JSON lines on standard output\n";

static bool option(int opt, const char *arg)
{
    long bytes;

    switch (opt) {
    case 'b':
        return app_bytes("-b", arg, &bulk_plan.bytes);
    case 'c':
        return app_number("-c", arg, 1, 1000000, &bulk_plan.connections);
    case 't':
        return app_seconds("-t", arg, 0, &bulk_plan.seconds);
    case 'W':
        if (!app_number("-W", arg, 1, BULK_CHUNK, &bytes))
            return false;
        bulk_plan.write_bytes = (size_t)bytes;
        return true;
    default:
        return false;
    }
}

/* How much the next write may be. */
static size_t next_len(const struct bulk_conn *c)
{
    uint64_t left = bulk_plan.bytes - c->bytes;

    return left < bulk_plan.write_bytes ? (size_t)left : bulk_plan.write_bytes;
}

/* Sees to what the next write takes; false at the end. */
static bool next_chunk(struct bulk_conn *c)
{
    c->chunk_len = next_len(c);
    c->chunk_sent = 0;
    if (bulk_plan.content.bytes)
        c->chunk = content_piece(&bulk_plan.content, c->bytes, &c->chunk_len);
    else if (c->own)
        content_fill(&bulk_plan.content, c->bytes, c->own, c->chunk_len);
    return c->chunk_len > 0;
}

static enum bulk_state fail(struct bulk_worker *w, const char *step)
{
    bulk_say_failed(w, step, strerror(errno));
    return BULK_FAILED;
}

static enum bulk_state end_sending(struct bulk_worker *w, int fd, struct bulk_conn *c)
{
    c->shut = true;
    if (mtcp_shutdown(bulk_mctx(w), fd, SHUT_WR))
        return fail(w, "shutdown");
    bulk_watch(w, fd, MTCP_EPOLLIN);
    return BULK_GOES_ON;
}

/* As send_some() does with a copy. */
static enum bulk_state send_in_place(struct bulk_worker *w, int fd, struct bulk_conn *c)
{
    for (unsigned i = 0; i < CHUNKS_AT_ONCE; i++) {
        size_t len = next_len(c);
        struct iovec span[2];
        ssize_t n;

        if (!len || bulk_time_over(w))
            return end_sending(w, fd, c);
        n = mtcp_send_zc(bulk_mctx(w), fd, len, span, 0);
        if (n < 0)
            return errno == EAGAIN ? BULK_GOES_ON : fail(w, "write");
        for (unsigned s = 0; s < 2; s++) {
            content_fill(&bulk_plan.content, c->bytes, span[s].iov_base, span[s].iov_len);
            bulk_hash(c, span[s].iov_base, span[s].iov_len);
            c->bytes += span[s].iov_len;
        }
        if (mtcp_send_commit(bulk_mctx(w), fd, (size_t)n))
            return fail(w, "write");
        bulk_count(w, (size_t)n);
    }
    return BULK_GOES_ON;
}

static enum bulk_state send_some(struct bulk_worker *w, int fd, struct bulk_conn *c)
{
    for (unsigned i = 0; i < CHUNKS_AT_ONCE; i++) {
        ssize_t n;

        if (c->chunk_sent == c->chunk_len && (bulk_time_over(w) || !next_chunk(c)))
            return end_sending(w, fd, c);
        n = mtcp_write(bulk_mctx(w), fd, (const char *)c->chunk + c->chunk_sent,
                       c->chunk_len - c->chunk_sent);
        if (n < 0)
            return errno == EAGAIN ? BULK_GOES_ON : fail(w, "write");
        bulk_hash(c, c->chunk + c->chunk_sent, (size_t)n);
        c->chunk_sent += (size_t)n;
        c->bytes += (uint64_t)n;
        bulk_count(w, (size_t)n);
    }
    return BULK_GOES_ON;
}

/* Everything is sent; what the peer may say before it ends is of no interest. */
static enum bulk_state await_end(struct bulk_worker *w, int fd)
{
    char ignored[4096];
    ssize_t n;

    do
        n = mtcp_read(bulk_mctx(w), fd, ignored, sizeof(ignored));
    while (n > 0);
    if (n == 0)
        return BULK_DONE;
    return errno == EAGAIN ? BULK_GOES_ON : fail(w, "waiting for the peer to end");
}

static enum bulk_state on_event(struct bulk_worker *w, int fd, struct bulk_conn *c, uint32_t events)
{
    (void)events;
    if (c->shut)
        return await_end(w, fd);
    return (bulk_plan.zero_copy ? send_in_place : send_some)(w, fd, c);
}

int main(int argc, char **argv)
{
    static const struct bulk_role role = {.name = "tcp_source",
                                          .usage = usage,
                                          .own_options = "b:c:t:W:",
                                          .sends = true,
                                          .option = option,
                                          .on_event = on_event};

    bulk_plan.connections = 1;
    return bulk_main(argc, argv, &role);
}
