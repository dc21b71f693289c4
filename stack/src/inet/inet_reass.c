/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See inet_reass.h. Per datagram a list of fragments in order of offset, without overlaps: it is complete
 * when its bytes add up to the length that the last fragment gives. */
#include "inet/inet_reass.h"

#include <stdlib.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checksum.h"
#include "base/minmax.h"
#include "inet/inet.h"
#include "wire/tcp.h"

#define MAX_TOTAL 65535u
#define UNIT 8u             /* of offsets */
#define MIN_TCP TCP_HDR_LEN /* RFC 1858: the first fragment shows the whole transport header */

struct frag {
    struct frag *next;
    uint16_t offset, len;
    uint8_t data[];
};

struct datagram {
    struct list in_chain, in_age;
    ipv4_addr_t src, dst;
    uint16_t id;
    uint8_t proto;
    bool dead;           /* contradicts itself: what comes is dropped until the time is over */
    uint64_t end_us;     /* when it is given up */
    uint32_t bytes;      /* of memory */
    uint32_t frags, got; /* fragments, and bytes of the payload in them */
    uint32_t len;        /* of the payload, 0 = not known yet */
    struct frag *first;
    uint8_t head_len; /* of head[], 0 = the first fragment is not there */
    uint8_t head[ETH_HDR_LEN + 60];
};

void reass_init(struct reass *r, struct inet_counters *count)
{
    r->count = count;
    r->bytes = r->datagrams = 0;
    list_init(&r->by_age);
    for (unsigned i = 0; i < REASS_CHAINS; i++)
        list_init(&r->chain[i]);
}

static struct list *chain_of(struct reass *r, ipv4_addr_t src)
{
    return &r->chain[(src * 0x9e3779b1u >> 16) % REASS_CHAINS];
}

static void account(struct reass *r, struct datagram *d, uint32_t bytes)
{
    d->bytes += bytes;
    r->bytes += bytes;
}

/* Frees the fragments, each of them counted. */
static void drop_frags(struct reass *r, struct datagram *d, uint64_t *reason)
{
    struct frag *f = d->first;

    while (f) {
        struct frag *next = f->next;

        free(f);
        f = next;
    }
    *reason += d->frags;
    r->bytes -= d->bytes - (uint32_t)sizeof(*d);
    d->bytes = sizeof(*d);
    d->first = NULL;
    d->frags = d->got = 0;
}

static void forget(struct reass *r, struct datagram *d, uint64_t *reason)
{
    drop_frags(r, d, reason);
    list_remove(&d->in_chain);
    list_remove(&d->in_age);
    r->bytes -= d->bytes;
    r->datagrams--;
    free(d);
}

static struct datagram *oldest(const struct reass *r)
{
    struct list *at = list_first(&r->by_age);

    return at ? container_of(at, struct datagram, in_age) : NULL;
}

void reass_fini(struct reass *r)
{
    uint64_t ignored = 0;

    for (struct datagram *d; (d = oldest(r));)
        forget(r, d, &ignored);
}

/* ---- limits ---- */

/* What a source has waiting. */
struct share {
    uint32_t bytes, datagrams;
    struct datagram *oldest, *match;
};

static struct share share_of(struct reass *r, const struct ipv4_hdr *ip)
{
    struct share s = {0};

    list_for_each(at, chain_of(r, ip->src)) {
        struct datagram *d = container_of(at, struct datagram, in_chain);

        if (d->src != ip->src)
            continue;
        s.bytes += d->bytes;
        s.datagrams++;
        if (!s.oldest)
            s.oldest = d;
        if (d->id == ip->id && d->proto == ip->proto && d->dst == ip->dst)
            s.match = d;
    }
    return s;
}

static struct datagram *begin(struct reass *r, const struct ipv4_hdr *ip, uint64_t now_us)
{
    struct datagram *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->src = ip->src;
    d->dst = ip->dst;
    d->id = ip->id;
    d->proto = ip->proto;
    d->end_us = now_us + REASS_TIMEOUT_US;
    list_push_back(chain_of(r, ip->src), &d->in_chain);
    list_push_back(&r->by_age, &d->in_age);
    r->datagrams++;
    account(r, d, sizeof(*d));
    return d;
}

/* The datagram of the fragment, with room for it: the oldest ones make place, first those of the same source.
 * NULL: no memory. */
static struct datagram *find_or_begin(struct reass *r, const struct ipv4_hdr *ip, uint64_t now_us)
{
    const uint32_t need = (uint32_t)(sizeof(struct datagram) + sizeof(struct frag)) + ip->total_len;
    struct share s = share_of(r, ip);

    while (s.oldest &&
           (s.bytes + need > REASS_MAX_PEER_BYTES || (!s.match && s.datagrams >= REASS_MAX_PEER_DATAGRAMS))) {
        forget(r, s.oldest, &r->count->drop_frag_peer_limit);
        s = share_of(r, ip);
    }
    while (r->bytes + need > REASS_MAX_BYTES || (!s.match && r->datagrams >= REASS_MAX_DATAGRAMS)) {
        struct datagram *d = oldest(r);

        if (d == s.match)
            s.match = NULL;
        forget(r, d, &r->count->drop_frag_limit);
    }
    return s.match ? s.match : begin(r, ip, now_us);
}

/* ---- one fragment ---- */

/* The counter of the reason why no datagram can have such a fragment, NULL when it is good. */
static uint64_t *refuse(const struct reass *r, const struct ipv4_hdr *ip)
{
    uint32_t len = (uint32_t)ip->total_len - ip->hdr_len;

    if (len == 0 || (ip->more_frags && len % UNIT) || ip->hdr_len + ip->frag_offset + len > MAX_TOTAL)
        return &r->count->drop_frag_bad;
    if (ip->proto == IP_PROTO_TCP && ip->frag_offset < MIN_TCP && ip->frag_offset + len < MIN_TCP)
        return &r->count->drop_frag_tiny;
    if (ip->proto == IP_PROTO_TCP && ip->frag_offset > 0 && ip->frag_offset < MIN_TCP)
        return &r->count->drop_frag_tiny;
    return NULL;
}

enum verdict { FRAG_NEW, FRAG_DUPLICATE, FRAG_CONTRADICTS };

/* Whether the bytes [at, at + len) can join; *after = where in the list. */
static enum verdict judge(struct datagram *d, uint32_t at, uint32_t len, bool last, const uint8_t *data,
                          struct frag ***after)
{
    struct frag **where = &d->first, *f;

    while ((f = *where) && (uint32_t)f->offset + f->len <= at)
        where = &f->next;
    *after = where;
    if (f && f->offset == at && f->len == len && memcmp(f->data, data, len) == 0)
        return last == (d->len == at + len) ? FRAG_DUPLICATE : FRAG_CONTRADICTS;
    if (f && f->offset < at + len)
        return FRAG_CONTRADICTS;
    if (d->len && (last || at + len > d->len))
        return FRAG_CONTRADICTS;
    return last && f ? FRAG_CONTRADICTS : FRAG_NEW; /* something lies behind the end */
}

static bool insert(struct reass *r, struct datagram *d, struct frag **where, const struct ipv4_hdr *ip,
                   const uint8_t *data)
{
    uint16_t len = (uint16_t)(ip->total_len - ip->hdr_len);
    struct frag *f = malloc(sizeof(*f) + len);

    if (!f)
        return false;
    f->next = *where;
    f->offset = ip->frag_offset;
    f->len = len;
    memcpy(f->data, data, len);
    *where = f;
    d->frags++;
    d->got += len;
    if (!ip->more_frags)
        d->len = (uint32_t)ip->frag_offset + len;
    account(r, d, (uint32_t)sizeof(*f) + len);
    return true;
}

/* ---- the datagram ---- */

/* pkt and its memory are one allocation. */
struct made {
    struct pkt pkt;
    uint8_t mem[];
};

static void release_made(struct pkt *pkt)
{
    free(pkt->owner);
}

bool reass_made(const struct pkt *pkt)
{
    return pkt->release == release_made;
}

static struct pkt *assemble(const struct datagram *d)
{
    uint32_t hdr_len = d->head_len - ETH_HDR_LEN, total = hdr_len + d->len;
    uint32_t size = PKT_HEADROOM + ETH_HDR_LEN + total;
    struct made *m = malloc(sizeof(*m) + size);
    uint8_t *ip;

    if (!m)
        return NULL;
    m->pkt = (struct pkt){.buf = m->mem, .size = size, .release = release_made, .owner = m};
    m->pkt.data = ip = m->mem + PKT_HEADROOM + ETH_HDR_LEN;
    m->pkt.len = total;
    m->pkt.flags = PKT_RX_IP_CSUM_OK;
    memcpy(ip - ETH_HDR_LEN, d->head, d->head_len);
    put_be16(ip + 2, (uint16_t)total);
    put_be16(ip + 6, get_be16(ip + 6) & 0x4000u); /* "don't fragment" stays */
    put_be16(ip + 10, 0);
    put_be16(ip + 10, checksum(ip, hdr_len));
    for (const struct frag *f = d->first; f; f = f->next)
        memcpy(ip + hdr_len + f->offset, f->data, f->len);
    return &m->pkt;
}

static struct pkt *complete(struct reass *r, struct datagram *d)
{
    uint64_t joined = 0;
    struct pkt *pkt = NULL;

    if (d->head_len - ETH_HDR_LEN + d->len > MAX_TOTAL) { /* the first header is the longer one */
        forget(r, d, &r->count->drop_frag_bad);
        return NULL;
    }
    pkt = assemble(d);
    forget(r, d, pkt ? &joined : &r->count->drop_frag_no_memory);
    r->count->rx_reassembled += pkt != NULL;
    return pkt;
}

/* Takes the fragment's bytes into the datagram; NULL, or why not. */
static uint64_t *join(struct reass *r, struct datagram *d, const struct ipv4_hdr *ip, const struct pkt *frag)
{
    const uint8_t *data = frag->data + ip->hdr_len;
    uint32_t len = (uint32_t)ip->total_len - ip->hdr_len;
    struct frag **where;

    if (d->dead)
        return &r->count->drop_frag_overlap;
    switch (judge(d, ip->frag_offset, len, !ip->more_frags, data, &where)) {
    case FRAG_DUPLICATE:
        return &r->count->drop_frag_duplicate;
    case FRAG_CONTRADICTS:
        drop_frags(r, d, &r->count->drop_frag_overlap);
        d->dead = true;
        return &r->count->drop_frag_overlap;
    case FRAG_NEW:
        break;
    }
    if (d->frags >= REASS_MAX_FRAGMENTS) {
        drop_frags(r, d, &r->count->drop_frag_too_many);
        d->dead = true;
        return &r->count->drop_frag_too_many;
    }
    if (!insert(r, d, where, ip, data))
        return &r->count->drop_frag_no_memory;
    if (ip->frag_offset == 0) {
        d->head_len = (uint8_t)(ETH_HDR_LEN + ip->hdr_len);
        memcpy(d->head, frag->data - ETH_HDR_LEN, d->head_len);
    }
    return NULL;
}

struct pkt *reass_input(struct reass *r, const struct ipv4_hdr *ip, struct pkt *frag, uint64_t now_us)
{
    uint64_t *reason = frag->len < ip->total_len ? &r->count->drop_frag_bad : refuse(r, ip);
    struct datagram *d = NULL;

    r->count->rx_fragments++;
    if (!reason) {
        d = find_or_begin(r, ip, now_us);
        reason = d ? join(r, d, ip, frag) : &r->count->drop_frag_no_memory;
    }
    pkt_free(frag);
    if (reason) {
        ++*reason;
        return NULL;
    }
    return d->len && d->got == d->len ? complete(r, d) : NULL;
}

bool reass_expire(struct reass *r, uint64_t now_us, struct reass_expired *out, bool *tell)
{
    struct datagram *d = oldest(r);

    if (!d || now_us < d->end_us)
        return false;
    *tell =
        d->head_len > 0 && !d->dead && ipv4_parse(d->head + ETH_HDR_LEN, MAX_TOTAL, true, &out->ip) == ST_OK;
    if (*tell) {
        memset(out->head, 0, sizeof(out->head));
        memcpy(out->head, d->first->data, min_u32(d->first->len, sizeof(out->head)));
    }
    forget(r, d, &r->count->drop_frag_timeout);
    return true;
}

uint64_t reass_next_deadline(const struct reass *r)
{
    const struct datagram *d = oldest(r);

    return d ? d->end_us : UINT64_MAX;
}
