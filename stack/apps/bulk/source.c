/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tcp_source: sends a verifiable stream over each connection, ends its side, and waits until the peer has
 * ended its own: only then everything has arrived. */
#include <errno.h>
#include <string.h>

#include "bulk/bulk.h"
#include "common/stream.h"
#include "mtcp_epoll.h"

#define CHUNKS_AT_ONCE 16

static const char usage[] =
    "usage: tcp_source (-a ADDRESS -p PORT | -l PORT) -f CONF (-b BYTES | -t SECONDS)\n"
    "                  [-c CONNECTIONS] [-s SEED] [-N CORES] [--json]\n"
    "  -a ADDRESS -p PORT  connect and send\n"
    "  -l PORT             listen, and send to whoever connects\n"
    "  -b BYTES            of each connection; k, m, g = 1024, 1024^2, 1024^3\n"
    "  -t SECONDS          how long to send on each\n"
    "  -c CONNECTIONS      at once when connecting; in all when listening (1)\n"
    "  -s SEED             of the stream (1); 0 = any bytes, to measure the transfer alone\n"
    "  -z                  without copies: write in the stack's buffer\n"
    "  -N CORES            cores of the stack, a thread for each (1)\n"
    "  --json              JSON lines on standard output\n";

static bool option(int opt, const char *arg)
{
    if (opt == 'b')
        return app_bytes("-b", arg, &bulk_plan.bytes);
    if (opt == 'c')
        return app_number("-c", arg, 1, 1000000, &bulk_plan.connections);
    return false;
}

/* Makes the next chunk of the stream; false at its end. */
static bool next_chunk(struct bulk_conn *c)
{
    uint64_t left = bulk_plan.bytes - c->bytes;

    c->chunk_len = left < BULK_CHUNK ? (size_t)left : BULK_CHUNK;
    c->chunk_sent = 0;
    if (bulk_plan.seed)
        stream_fill(bulk_plan.seed, c->bytes, c->chunk, c->chunk_len);
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
        uint64_t left = bulk_plan.bytes - c->bytes;
        struct iovec span[2];
        ssize_t n;

        if (!left || bulk_time_over(w))
            return end_sending(w, fd, c);
        n = mtcp_send_zc(bulk_mctx(w), fd, left < BULK_CHUNK ? (size_t)left : BULK_CHUNK, span, 0);
        if (n < 0)
            return errno == EAGAIN ? BULK_GOES_ON : fail(w, "write");
        for (unsigned s = 0; s < 2; s++) {
            if (bulk_plan.seed)
                stream_fill(bulk_plan.seed, c->bytes, span[s].iov_base, span[s].iov_len);
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
        n = mtcp_write(bulk_mctx(w), fd, (char *)c->chunk + c->chunk_sent, c->chunk_len - c->chunk_sent);
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
                                          .own_options = "b:c:t:",
                                          .sends = true,
                                          .option = option,
                                          .on_event = on_event};

    bulk_plan.connections = 1;
    return bulk_main(argc, argv, &role);
}
