/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hosts that stand in a given state when a trace begins. */
#include "testing/tcp_trace.h"

struct host *conn_listen(const struct host_opts *opts)
{
    struct host *h = host_new(opts);

    assert_int_equal(tcp_listen(h->tcp, (struct tcp_endpoint){0, h->port}, h->opts.backlog, h, &h->listener),
                     ST_OK);
    return h;
}

/** The script's SYN or SYN-ACK with the options that opts ask for. */
static void in_syn(struct host *h, unsigned flags)
{
    h->ts_on = h->opts.ts;
    IN(h, flags, .seq = 0, .ack = 1, .mss = h->opts.no_mss ? ANY : h->opts.mss,
       .wscale = h->opts.wscale ? 2 : ANY);
    h->ts_on = h->opts.ts && !h->opts.no_timestamps;
}

struct host *conn_syn_sent(const struct host_opts *opts)
{
    struct host *h = host_new(opts);

    host_connect(h);
    OUT(h, SYN, .seq = 0);
    return h;
}

struct host *conn_syn_received(const struct host_opts *opts)
{
    struct host *h = conn_listen(opts);

    in_syn(h, SYN);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    return h;
}

struct host *conn_established(const struct host_opts *opts)
{
    struct host *h;

    if (opts && opts->active) {
        h = conn_syn_sent(opts);
        in_syn(h, SYN | ACK);
        OUT(h, ACK, .seq = 1, .ack = 1);
    } else {
        h = conn_syn_received(opts);
        IN(h, ACK, .seq = 1, .ack = 1);
        host_accept(h);
    }
    STATE(h, "ESTABLISHED");
    h->events = 0;
    NO_OUT(h);
    return h;
}

struct host *conn_close_wait(const struct host_opts *opts)
{
    struct host *h = conn_established(opts);

    IN(h, FIN | ACK, .seq = 1, .ack = 1);
    OUT(h, ACK, .seq = 1, .ack = 2);
    STATE(h, "CLOSE_WAIT");
    h->events = 0;
    return h;
}

struct host *conn_last_ack(const struct host_opts *opts)
{
    struct host *h = conn_close_wait(opts);

    host_shutdown(h);
    OUT(h, FIN | ACK, .seq = 1, .ack = 2);
    STATE(h, "LAST_ACK");
    return h;
}

struct host *conn_fin_wait_1(const struct host_opts *opts)
{
    struct host *h = conn_established(opts);

    host_shutdown(h);
    OUT(h, FIN | ACK, .seq = 1, .ack = 1);
    STATE(h, "FIN_WAIT_1");
    return h;
}

struct host *conn_fin_wait_2(const struct host_opts *opts)
{
    struct host *h = conn_fin_wait_1(opts);

    IN(h, ACK, .seq = 1, .ack = 2);
    STATE(h, "FIN_WAIT_2");
    return h;
}

struct host *conn_closing(const struct host_opts *opts)
{
    struct host *h = conn_fin_wait_1(opts);

    IN(h, FIN | ACK, .seq = 1, .ack = 1);
    OUT(h, ACK, .seq = 2, .ack = 2);
    STATE(h, "CLOSING");
    h->events = 0;
    return h;
}

struct host *conn_time_wait(const struct host_opts *opts)
{
    struct host *h = conn_fin_wait_2(opts);

    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    STATE(h, "TIME_WAIT");
    h->events = 0;
    return h;
}
