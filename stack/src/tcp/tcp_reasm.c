/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Data out of order (RFC 9293 3.10.7.4 seventh): the bytes go straight to their place in the receive ring,
 * and a bounded, sorted list of disjoint ranges remembers what has arrived. */
#include <string.h>

#include "tcp/tcp_internal.h"

void tcp_reasm_free(struct tcp_conn *c)
{
    if (!c->reasm)
        return;
    pool_put(&c->tcp->reasms, c->reasm);
    c->reasm = NULL;
}

static void remove_ranges(struct tcp_reasm *r, unsigned at, unsigned n)
{
    memmove(&r->range[at], &r->range[at + n], (r->count - at - n) * sizeof(r->range[0]));
    r->count -= n;
}

/** Adds [left, right) and melts it with what it touches. False: no range left. */
static bool insert(struct tcp_reasm *r, seq_t left, seq_t right)
{
    unsigned first = 0, last;

    while (first < r->count && seq_lt(r->range[first].right, left))
        first++;
    last = first; /* [first, last) touch the new range */
    while (last < r->count && seq_le(r->range[last].left, right))
        last++;
    if (last == first) {
        if (r->count == TCP_MAX_RANGES)
            return false;
        memmove(&r->range[first + 1], &r->range[first], (r->count - first) * sizeof(r->range[0]));
        r->range[first] = (struct tcp_range){left, right};
        r->count++;
        return true;
    }
    r->range[first].left = seq_min(r->range[first].left, left);
    r->range[first].right = seq_max(r->range[last - 1].right, right);
    remove_ranges(r, first + 1, last - first - 1);
    return true;
}

bool tcp_reasm_add(struct tcp_conn *c, const struct tcp_seg *s)
{
    size_t offset = c->rcv.len + (s->seq - c->rcv_nxt);
    uint32_t stored;

    if (!c->reasm)
        c->reasm = pool_get(&c->tcp->reasms);
    if (!c->reasm) {
        COUNT(c->tcp, drop_no_memory);
        return false;
    }
    stored = tcp_seg_store(c, offset, s);
    if (!stored || !insert(c->reasm, s->seq, s->seq + stored)) {
        COUNT(c->tcp, drop_ranges_full);
        if (!c->reasm->count)
            tcp_reasm_free(c);
        return false;
    }
    COUNT(c->tcp, rx_out_of_order);
    return true;
}

uint32_t tcp_reasm_advance(struct tcp_conn *c)
{
    struct tcp_reasm *r = c->reasm;
    unsigned passed = 0;
    uint32_t more = 0;

    if (!r)
        return 0;
    while (passed < r->count && seq_le(r->range[passed].left, c->rcv_nxt)) {
        if (seq_gt(r->range[passed].right, c->rcv_nxt)) {
            more = (uint32_t)byte_ring_extend(&c->rcv, r->range[passed].right - c->rcv_nxt);
            c->rcv_nxt += more;
        }
        passed++;
    }
    remove_ranges(r, 0, passed);
    if (!r->count)
        tcp_reasm_free(c);
    return more;
}
