/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tcp_sink: receives until the peer ends, and verifies every byte against what is expected. */
#include <errno.h>
#include <string.h>

#include "bulk/bulk.h"
#include "mtcp_epoll.h"

#define CHUNKS_AT_ONCE 16

static const char usage[] =
    "usage: tcp_sink [-l PORT | -a ADDRESS -p PORT] -f CONF [-n CONNECTIONS] [-s SEED | -F FILE]\n"
    "                [-w SECONDS] [-d SECONDS] [-z] [-N CORES] [--json]\n"
    "  -l PORT             listen (9999)\n"
    "  -a ADDRESS -p PORT  connect instead\n"
    "  -n CONNECTIONS      end after so many (listening: at a signal only); connecting: so many at once (1)\n"
    "  -s SEED             of the stream that is expected (1); 0 = neither verify nor hash, any = hash only\n"
    "  -F FILE             its contents again and again are expected, instead of a stream\n"
    "  -w SECONDS          from the first connection on: what arrives then does not count (0)\n"
    "  -d SECONDS          after these: what arrives later does not count either (to the end)\n"
    "  -z                  without copies: read in the stack's buffer\n"
    "  -N CORES            cores of the stack, a thread for each (1)\n"
    "  --json              JSON lines on standard output\n";

static bool option(int opt, const char *arg)
{
    switch (opt) {
    case 'n':
        return app_number("-n", arg, 1, 1000000000, &bulk_plan.connections);
    case 'w':
        return app_seconds("-w", arg, 0, &bulk_plan.warmup_s);
    case 'd':
        return app_seconds("-d", arg, 0.001, &bulk_plan.count_s);
    default:
        return false;
    }
}

/* Verifies and counts what has arrived. */
static void take(struct bulk_worker *w, struct bulk_conn *c, const void *data, size_t len)
{
    if (bulk_plan.verify && !c->mismatch && !content_check(&bulk_plan.content, c->bytes, data, len)) {
        c->mismatch = true;
        bulk_say_failed(w, "verify", "the bytes are not those expected (another seed or file?)");
    }
    bulk_hash(c, data, len);
    c->bytes += len;
    bulk_count(w, len);
}

/* How a connection stands after a read that gave nothing. */
static enum bulk_state nothing_read(struct bulk_worker *w, ssize_t n)
{
    if (n == 0)
        return BULK_DONE;
    if (errno == EAGAIN)
        return BULK_GOES_ON;
    bulk_say_failed(w, "read", strerror(errno));
    return BULK_FAILED;
}

static enum bulk_state read_in_place(struct bulk_worker *w, int fd, struct bulk_conn *c)
{
    struct iovec span[2];
    ssize_t n = mtcp_recv_zc(bulk_mctx(w), fd, span, 0);

    if (n <= 0)
        return nothing_read(w, n);
    take(w, c, span[0].iov_base, span[0].iov_len);
    take(w, c, span[1].iov_base, span[1].iov_len);
    if (mtcp_recv_release(bulk_mctx(w), fd, (size_t)n))
        return nothing_read(w, -1);
    return BULK_GOES_ON;
}

static enum bulk_state on_event(struct bulk_worker *w, int fd, struct bulk_conn *c, uint32_t events)
{
    uint8_t chunk[BULK_CHUNK];

    (void)events;
    if (bulk_plan.zero_copy)
        return read_in_place(w, fd, c);
    for (unsigned i = 0; i < CHUNKS_AT_ONCE; i++) {
        ssize_t n = mtcp_read(bulk_mctx(w), fd, (char *)chunk, sizeof(chunk));

        if (n <= 0)
            return nothing_read(w, n);
        take(w, c, chunk, (size_t)n);
    }
    return BULK_GOES_ON;
}

int main(int argc, char **argv)
{
    static const struct bulk_role role = {
        .name = "tcp_sink", .usage = usage, .own_options = "n:w:d:", .option = option, .on_event = on_event};

    return bulk_main(argc, argv, &role);
}
