/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One direction of a bad network. */
#include "testing/link.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_OVERHEAD_BYTES 38u /* IPv4 header and Ethernet framing: 20 + 14 + 4 */

void link_init(struct link *l, const struct link_params *p, struct test_pkts *pkts)
{
    *l = (struct link){.params = *p, .corrupter = {p->fault.seed ^ 0xc0ffee}, .pkts = pkts};
    fault_model_init(&l->model, &p->fault);
}

void link_fini(struct link *l)
{
    uint64_t end_us = UINT64_MAX - 1;
    ipv4_addr_t src, dst;
    struct pkt *p;

    while ((p = link_receive(l, end_us, &src, &dst)))
        pkt_free(p);
}

static struct pkt *copy_of(struct link *l, const struct pkt *p)
{
    struct pkt *copy = test_pkt_alloc_room(l->pkts, p->len > l->pkts->room ? p->len : l->pkts->room);

    if (copy)
        memcpy(pkt_put(copy, p->len), p->data, p->len);
    return copy;
}

static void corrupt(struct link *l, struct pkt *p)
{
    uint64_t draw = prng_next(&l->corrupter) >> 32, bit = prng_next(&l->corrupter);

    if (draw >= (uint64_t)(l->params.corrupt * 4294967296.0))
        return;
    l->corrupted++;
    p->data[bit / 8 % p->len] ^= (uint8_t)(1u << bit % 8);
}

static void put(struct link *l, struct pkt *p, ipv4_addr_t src, ipv4_addr_t dst, uint64_t due_us)
{
    struct link_frame *f = malloc(sizeof(*f)), **at = &l->first;

    if (!f) {
        pkt_free(p);
        return;
    }
    *f = (struct link_frame){.pkt = p, .src = src, .dst = dst, .due_us = due_us};
    if (l->last && l->first && due_us >= l->last->due_us)
        at = &l->last->next;
    while (*at && (*at)->due_us <= due_us)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
    if (!f->next)
        l->last = f;
}

/** When the last bit of the packet has left. */
static uint64_t departure(struct link *l, const struct pkt *p, uint64_t now_us)
{
    uint64_t bits = (p->len + FRAME_OVERHEAD_BYTES) * 8ull;

    if (!l->params.bits_per_s)
        return now_us;
    if (l->free_us < now_us)
        l->free_us = now_us;
    l->free_us += (bits * 1000000 + l->params.bits_per_s - 1) / l->params.bits_per_s;
    return l->free_us;
}

void link_send(struct link *l, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us)
{
    struct fault_verdict v;
    struct pkt *copy;

    l->taken++;
    fault_model_decide(&l->model, departure(l, pkt, now_us), &v);
    l->reordered += v.reordered;
    if (!v.copies) {
        l->lost++;
        pkt_free(pkt);
        return;
    }
    copy = v.copies > 1 ? copy_of(l, pkt) : NULL;
    if (copy) {
        l->duplicated++;
        put(l, copy, src, dst, v.due_us[1]);
    }
    corrupt(l, pkt);
    put(l, pkt, src, dst, v.due_us[0]);
}

uint64_t link_next_us(const struct link *l)
{
    return l->first ? l->first->due_us : UINT64_MAX;
}

struct pkt *link_receive(struct link *l, uint64_t now_us, ipv4_addr_t *src, ipv4_addr_t *dst)
{
    struct link_frame *f = l->first;
    struct pkt *p;

    if (!f || f->due_us > now_us)
        return NULL;
    l->first = f->next;
    if (!l->first)
        l->last = NULL;
    p = f->pkt;
    *src = f->src;
    *dst = f->dst;
    free(f);
    return p;
}
