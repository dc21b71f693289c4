/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Datagrams in and out. What arrives is copied into the socket's byte ring at once: packet buffers go back to
 * the device, which slow readers so cannot starve, and memory is bounded by the ring's limit, headers
 * included, however small the datagrams are. */
#include <string.h>

#include "udp/udp_priv.h"
#include "wire/udp.h"

#define MAX_PAYLOAD (65535u - IPV4_HDR_LEN - UDP_HDR_LEN)

static enum status find_way(struct udp_sock *s, ipv4_addr_t to)
{
    enum status st;

    if (s->way_to == to)
        return ST_OK;
    s->way_to = 0;
    st = s->udp->ops->route(s->udp->ctx, to, &s->way_src, &s->way_mtu);
    if (st == ST_OK)
        s->way_to = to;
    return st;
}

static enum status send_datagram(struct udp_sock *s, const void *buf, size_t len, const struct udp_addr *to,
                                 uint64_t now_us)
{
    struct udp *udp = s->udp;
    struct udp_hdr hdr = {s->local.port, to->port, (uint16_t)(UDP_HDR_LEN + len)};
    enum status st = find_way(s, to->addr);
    ipv4_addr_t src = s->local.addr ? s->local.addr : s->way_src;
    struct pkt *pkt;
    uint8_t *out;

    if (st != ST_OK) {
        udp->count.tx_failed++;
        return st;
    }
    if (len > MAX_PAYLOAD || len + UDP_HDR_LEN + IPV4_HDR_LEN > s->way_mtu)
        return ST_TOO_BIG;
    pkt = udp->ops->alloc(udp->ctx);
    if (!pkt) {
        udp->count.tx_no_buffer++;
        return ST_AGAIN;
    }
    out = pkt_put(pkt, hdr.len);
    if (!out) {
        pkt_free(pkt);
        return ST_TOO_BIG;
    }
    if (len)
        memcpy(out + UDP_HDR_LEN, buf, len);
    if (udp->params.csum_offload) {
        udp_emit_partial(out, &hdr, src, to->addr);
        pkt->flags |= PKT_TX_L4_CSUM;
    } else {
        udp_emit(out, &hdr, src, to->addr);
    }
    st = udp->ops->output(udp->ctx, pkt, src, to->addr, now_us);
    if (st != ST_OK) {
        udp->count.tx_failed++;
        return st;
    }
    udp->count.tx_datagrams++;
    udp->count.tx_bytes += len;
    return ST_OK;
}

enum status udp_sock_sendto(struct udp_sock *s, const void *buf, size_t len, const struct udp_addr *to,
                            uint64_t now_us)
{
    enum status st = ST_OK;

    if (!to) {
        if (!s->connected)
            return ST_NOT_CONNECTED;
        to = &s->peer;
    }
    if (to->addr == 0 || to->port == 0)
        return ST_INVALID;
    if (!s->local.port)
        st = udp_bind_ephemeral(s);
    if (st != ST_OK)
        return st;
    return send_datagram(s, buf, len, to, now_us);
}

static bool next_record(const struct udp_sock *s, struct udp_record *rec)
{
    return byte_ring_copy(&s->rcvq, 0, rec, sizeof(*rec)) == sizeof(*rec);
}

enum status udp_sock_recvfrom(struct udp_sock *s, void *buf, size_t len, bool peek, struct udp_addr *from,
                              size_t *got, size_t *full)
{
    struct udp_record rec;

    if (!next_record(s, &rec))
        return ST_AGAIN;
    *full = rec.len;
    *got = byte_ring_copy(&s->rcvq, sizeof(rec), buf, len < rec.len ? len : rec.len);
    if (from)
        *from = (struct udp_addr){rec.addr, rec.port};
    if (!peek)
        byte_ring_consume(&s->rcvq, sizeof(rec) + rec.len);
    return ST_OK;
}

bool udp_sock_readable(const struct udp_sock *s)
{
    return s->rcvq.len > 0;
}

size_t udp_sock_next_len(const struct udp_sock *s)
{
    struct udp_record rec;

    return next_record(s, &rec) ? rec.len : 0;
}

bool udp_queue(struct udp_sock *s, const struct udp_record *rec, const uint8_t *payload)
{
    size_t end = s->rcvq.len, need = sizeof(*rec) + rec->len;

    if (byte_ring_room(&s->rcvq) < need)
        return false;
    if (byte_ring_write_at(&s->rcvq, end, rec, sizeof(*rec)) != sizeof(*rec) ||
        byte_ring_write_at(&s->rcvq, end + sizeof(*rec), payload, rec->len) != rec->len)
        return false; /* memory is out */
    byte_ring_extend(&s->rcvq, need);
    return true;
}

static void deliver(struct udp *udp, struct udp_sock *s, const struct udp_record *rec, const uint8_t *payload)
{
    bool was_readable = udp_sock_readable(s);

    if (!udp_queue(s, rec, payload)) {
        udp->count.drop_rcvbuf_full++;
        return;
    }
    udp->count.rx_datagrams++;
    udp->count.rx_bytes += rec->len;
    if (!was_readable)
        udp->ops->readable(udp->ctx, s);
}

void udp_input(struct udp *udp, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    bool csum_ok = pkt->flags & PKT_RX_L4_CSUM_OK;
    struct udp_hdr hdr;
    enum status st = udp_parse(pkt->data, pkt->len, ip->src, ip->dst, csum_ok, &hdr); /* in one piece */
    struct udp_sock *s;

    (void)now_us;
    if (st != ST_OK) {
        ++*(st == ST_BAD_CHECKSUM ? &udp->count.drop_checksum : &udp->count.drop_bad);
        pkt_free(pkt);
        return;
    }
    s = udp_lookup(udp, (struct udp_addr){ip->dst, hdr.dst_port}, (struct udp_addr){ip->src, hdr.src_port});
    if (s) {
        struct udp_record rec = {ip->src, hdr.src_port, (uint16_t)(hdr.len - UDP_HDR_LEN)};

        deliver(udp, s, &rec, pkt->data + UDP_HDR_LEN);
    } else {
        udp->count.drop_no_port++;
        if (udp->ops->port_unreachable)
            udp->ops->port_unreachable(udp->ctx, ip, pkt);
    }
    pkt_free(pkt);
}
