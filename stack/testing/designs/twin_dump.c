/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See twin_dump.h. */
#include "testing/designs/twin_dump.h"

#include <inttypes.h>

#include "testing/designs/twin.h"

static void dump_conn(FILE *out, const struct sock *s)
{
    struct tcp_endpoint local, peer;
    struct tcp_info info;

    tcp_conn_info(s->conn, &info);
    tcp_conn_local(s->conn, &local);
    tcp_conn_peer(s->conn, &peer);
    fprintf(out,
            "    fd %d: %u -> %u %s cwnd %u snd_wnd %u rcv_wnd %u rto %" PRIu64 " in %" PRIu64 " out %" PRIu64
            " retransmits %" PRIu64 " unacknowledged %zu unread %zu events %x\n",
            s->id, local.port, peer.port, info.state, info.cwnd, info.snd_wnd, info.rcv_wnd, info.rto_us,
            info.bytes_in, info.bytes_out, info.retransmits, tcp_write_pending(s->conn),
            tcp_read_available(s->conn), sock_poll(s));
}

static void print_line(void *ctx, const char *text)
{
    fprintf(ctx, "    %s\n", text);
}

static void dump_worker(const struct twin_worker *tw, FILE *out)
{
    struct worker *w = twin_worker_of(tw);

    fprintf(out, "  side %u worker %u: %" PRIu64 " loops, %zu connections\n", tw->side, tw->index,
            atomic_load(&((struct twin_worker *)tw)->loops), tcp_num_conns(worker_socks(w)->tcp));
    for (unsigned fd = 0; fd < worker_max_socks(w); fd++) {
        const struct sock *s = socktab_get(worker_socks(w), (int)fd);

        if (s && s->type == SOCK_TYPE_STREAM && s->conn)
            dump_conn(out, s);
    }
    worker_print_counters(w, print_line, out);
}

void twin_dump(struct twin *t, FILE *out)
{
    fprintf(out, "%s W%u against %s W%u: work %" PRIu64 ", %u quiet, %u frames exist, failure '%s'\n",
            t->p.side[0].design, t->p.side[0].workers, t->p.side[1].design, t->p.side[1].workers,
            atomic_load(&t->work), atomic_load(&t->quiet), cable_frames(t->cable), t->failure);
    for (unsigned side = 0; side < 2; side++)
        for (unsigned i = 0; i < t->p.side[side].workers; i++)
            if (t->worker[side][i].ctx)
                dump_worker(&t->worker[side][i], out);
    if (t->app->dump)
        t->app->dump(t, out);
}
