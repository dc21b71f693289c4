/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All connections of one worker: made and freed, driven by time and by flushes. */
#include <stdlib.h>

#include "tcp/tcp_internal.h"

#define CONNS_PER_CHUNK 64u
#define REASMS_PER_CHUNK 16u

/** The shift that lets a 16-bit field announce the whole buffer (RFC 7323 2.3). */
static uint8_t wscale_for(size_t rcvbuf_bytes)
{
    uint8_t shift = 0;

    while (shift < TCP_MAX_WSCALE && rcvbuf_bytes >> shift > UINT16_MAX)
        shift++;
    return shift;
}

enum status tcp_create(const struct tcp_params *params, const struct tcp_ops *ops, void *ctx,
                       struct tcp **out)
{
    struct tcp *tcp;
    struct byte_ring probe;

    if (!params->max_conns || !params->ephemeral_first || params->ephemeral_last < params->ephemeral_first)
        return ST_INVALID;
    tcp = calloc(1, sizeof(*tcp));
    if (!tcp)
        return ST_NO_MEMORY;
    if (hash_table_init(&tcp->flows, params->max_conns) != ST_OK) {
        free(tcp);
        return ST_NO_MEMORY;
    }
    tcp->params = *params;
    tcp->ops = *ops;
    tcp->ctx = ctx;
    tcp->cc = &tcp_cc_reno;
    tcp_flow_keys(tcp);
    byte_ring_init(&probe, params->rcvbuf_bytes);
    tcp->wscale = wscale_for(probe.limit);
    pool_init(&tcp->conns, sizeof(struct tcp_conn), CONNS_PER_CHUNK, params->max_conns);
    pool_init(&tcp->reasms, sizeof(struct tcp_reasm), REASMS_PER_CHUNK, params->max_conns);
    timer_wheel_init(&tcp->wheel, 0);
    list_init(&tcp->flush);
    list_init(&tcp->all);
    list_init(&tcp->time_wait);
    list_init(&tcp->adrift);
    for (unsigned i = 0; i < TCP_LISTEN_BUCKETS; i++)
        list_init(&tcp->listeners[i]);
    *out = tcp;
    return ST_OK;
}

void tcp_destroy(struct tcp *tcp)
{
    if (!tcp)
        return;
    list_for_each_safe(at, &tcp->all) {
        struct tcp_conn *c = container_of(at, struct tcp_conn, all);

        byte_ring_fini(&c->snd);
        byte_ring_fini(&c->rcv);
        if (c->flags & CF_LOOSE)
            tcp_conn_put_block(c);
    }
    for (unsigned i = 0; i < TCP_LISTEN_BUCKETS; i++) {
        list_for_each_safe(at, &tcp->listeners[i])
            free(container_of(at, struct tcp_listener, link));
    }
    byte_ring_cache_fini(&tcp->rings);
    pool_fini(&tcp->conns);
    pool_fini(&tcp->reasms);
    hash_table_fini(&tcp->flows);
    free(tcp);
}

uint64_t tcp_next_deadline(struct tcp *tcp)
{
    return list_empty(&tcp->flush) ? timer_wheel_next_deadline(&tcp->wheel) : 0;
}

void tcp_timers(struct tcp *tcp, uint64_t now_us)
{
    timer_wheel_advance(&tcp->wheel, now_us, tcp);
}

void tcp_flush(struct tcp *tcp, uint64_t now_us)
{
    struct list due, *at;

    list_init(&due);
    list_splice_back(&due, &tcp->flush); /* what has to wait lands in the empty list */
    while (list_empty(&tcp->flush) && (at = list_pop_front(&due)))
        tcp_output(container_of(at, struct tcp_conn, flush), now_us);
    list_splice_back(&tcp->flush, &due); /* there is no packet for the rest either */
}

void tcp_unreachable(struct tcp *tcp, ipv4_addr_t dst, uint64_t now_us)
{
    (void)now_us;
    list_for_each_safe(at, &tcp->all) {
        struct tcp_conn *c = container_of(at, struct tcp_conn, all);

        if (c->peer_addr == dst && c->state == TCPS_SYN_SENT)
            tcp_conn_done(c, ST_HOST_UNREACHABLE);
    }
}

size_t tcp_num_conns(const struct tcp *tcp)
{
    return tcp->conns.in_use + tcp->num_loose;
}

const struct tcp_counters *tcp_get_counters(const struct tcp *tcp)
{
    return &tcp->counters;
}
