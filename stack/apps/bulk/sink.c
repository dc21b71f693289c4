/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tcp_sink: receives until the peer ends, and verifies every byte against the stream of the seed. */
#include <errno.h>
#include <string.h>

#include "bulk/bulk.h"
#include "common/stream.h"
#include "mtcp_epoll.h"

#define CHUNKS_AT_ONCE 16

static const char usage[] =
    "usage: tcp_sink [-l PORT | -a ADDRESS -p PORT] -f CONF [-n CONNECTIONS] [-s SEED] [-N CORES]\n"
    "                [-w SECONDS] [--json]\n"
    "  -l PORT             listen (9999)\n"
    "  -a ADDRESS -p PORT  connect instead\n"
    "  -n CONNECTIONS      end after so many (listening: at a signal only; connecting: 1)\n"
    "  -s SEED             of the stream that is expected (1); 0 = neither verify nor hash\n"
    "  -N CORES            cores of the stack, a thread for each (1)\n"
    "  --json              JSON lines on standard output\n";

static bool option(int opt, const char *arg)
{
    return opt == 'n' && app_number("-n", arg, 1, 1000000000, &bulk_plan.connections);
}

static enum bulk_state on_event(struct bulk_worker *w, int fd, struct bulk_conn *c, uint32_t events)
{
    uint8_t chunk[BULK_CHUNK];

    (void)events;
    for (unsigned i = 0; i < CHUNKS_AT_ONCE; i++) {
        ssize_t n = mtcp_read(bulk_mctx(w), fd, (char *)chunk, sizeof(chunk));

        if (n == 0)
            return BULK_DONE;
        if (n < 0 && errno == EAGAIN)
            return BULK_GOES_ON;
        if (n < 0) {
            bulk_say_failed(w, "read", strerror(errno));
            return BULK_FAILED;
        }
        if (bulk_plan.seed && !c->mismatch && !stream_check(bulk_plan.seed, c->bytes, chunk, (size_t)n)) {
            c->mismatch = true;
            bulk_say_failed(w, "verify", "the bytes are not those of the stream (another seed?)");
        }
        bulk_hash(c, chunk, (size_t)n);
        c->bytes += (uint64_t)n;
        bulk_count(w, (size_t)n);
    }
    return BULK_GOES_ON;
}

int main(int argc, char **argv)
{
    static const struct bulk_role role = {
        .name = "tcp_sink", .usage = usage, .own_options = "n:w:", .option = option, .on_event = on_event};

    return bulk_main(argc, argv, &role);
}
