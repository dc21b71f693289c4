/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMP (RFC 792, RFC 1122 3.2.2): answers echo requests, sends port unreachable. */
#include "inet/inet_priv.h"

#include <string.h>

#include "base/minmax.h"
#include "wire/icmp.h"

#define TOKEN_US (1000000u / ICMP_ERRORS_PER_S)
#define QUOTE_LEN 548u /* RFC 1812 4.3.2.3: as much as keeps the message within 576 bytes */

/* A packet put together from fragments cannot be handed to an interface: what fits goes into another one. */
static struct pkt *sendable(struct inet_worker *iw, struct pkt *pkt)
{
    struct pkt *copy;
    uint8_t *out;

    if (!reass_made(pkt))
        return pkt;
    copy = pkt->len + IPV4_HDR_LEN <= iw->inet->mtu ? iw->ops->alloc(iw->ctx) : NULL;
    out = copy ? pkt_put(copy, pkt->len) : NULL;
    if (out) {
        memcpy(out, pkt->data, pkt->len);
        pkt_free(pkt);
        return copy;
    }
    pkt_free(copy);
    inet_drop(pkt->len + IPV4_HDR_LEN > iw->inet->mtu ? &iw->count.drop_too_big : &iw->count.drop_no_buffer,
              pkt);
    return NULL;
}

/* RFC 1122 3.2.2.6: the same data go back, from the address that was asked. The packet itself is reused. */
static void echo_reply(struct inet_worker *iw, const struct ipv4_hdr *ip, struct pkt *pkt, uint32_t rest,
                       uint64_t now_us)
{
    struct icmp_hdr icmp = {.type = ICMP_ECHO_REPLY, .rest = rest};

    pkt = sendable(iw, pkt);
    if (!pkt)
        return;
    icmp_emit(pkt->data, &icmp, pkt->len - ICMP_HDR_LEN);
    pkt->flags = 0;
    iw->count.tx_icmp_echo++;
    inet_output(iw, pkt, ip->dst, ip->src, IP_PROTO_ICMP, now_us);
}

void inet_icmp_input(struct inet_worker *iw, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    struct icmp_hdr icmp;

    if (icmp_parse(pkt->data, pkt->len, &icmp) != ST_OK) {
        inet_drop(&iw->count.drop_icmp_bad, pkt);
        return;
    }
    if (icmp.type != ICMP_ECHO_REQUEST || icmp.code != 0) {
        inet_drop(&iw->count.drop_icmp_type, pkt);
        return;
    }
    iw->count.rx_icmp++;
    echo_reply(iw, ip, pkt, icmp.rest, now_us);
}

/* Token bucket, kept as time: an error costs TOKEN_US, credit grows with the clock up to the burst. */
static bool error_allowed(struct inet_worker *iw, uint64_t now_us)
{
    const uint64_t full = (uint64_t)ICMP_ERROR_BURST * TOKEN_US;
    uint64_t passed = now_us - iw->icmp_last_us;

    iw->icmp_last_us = now_us;
    if (passed > full || iw->icmp_tokens_us > full)
        iw->icmp_tokens_us = full;
    else
        iw->icmp_tokens_us += passed;
    if (iw->icmp_tokens_us > full)
        iw->icmp_tokens_us = full;
    if (iw->icmp_tokens_us < TOKEN_US)
        return false;
    iw->icmp_tokens_us -= TOKEN_US;
    return true;
}

/* An error about a packet of ours: its header without options and what follows of it. */
static void send_error(struct inet_worker *iw, struct icmp_hdr icmp, const struct ipv4_hdr *ip,
                       const uint8_t *data, uint32_t len, uint64_t now_us)
{
    uint32_t quote = min_u32(len, QUOTE_LEN - IPV4_HDR_LEN);
    struct pkt *pkt;
    uint8_t *out;

    pkt = iw->ops->alloc(iw->ctx);
    out = pkt ? pkt_put(pkt, ICMP_HDR_LEN + IPV4_HDR_LEN + quote) : NULL;
    if (!out) {
        inet_drop(&iw->count.drop_no_buffer, pkt);
        return;
    }
    ipv4_emit(out + ICMP_HDR_LEN, ip);
    memcpy(out + ICMP_HDR_LEN + IPV4_HDR_LEN, data, quote);
    icmp_emit(out, &icmp, IPV4_HDR_LEN + quote);
    ++*(icmp.type == ICMP_UNREACHABLE ? &iw->count.tx_icmp_unreachable : &iw->count.tx_icmp_time_exceeded);
    inet_output(iw, pkt, ip->dst, ip->src, IP_PROTO_ICMP, now_us);
}

/* Never about a broadcast, nor to ourselves (RFC 1122 3.2.2). */
static bool error_wanted(struct inet_worker *iw, const struct ipv4_hdr *ip, uint64_t now_us)
{
    if (ip->dst != iw->inet->addr || ip->src == iw->inet->addr)
        return false;
    if (error_allowed(iw, now_us))
        return true;
    iw->count.drop_icmp_rate++;
    return false;
}

void inet_port_unreachable(struct inet_worker *iw, const struct ipv4_hdr *ip, const struct pkt *orig,
                           uint64_t now_us)
{
    const struct icmp_hdr icmp = {.type = ICMP_UNREACHABLE, .code = ICMP_PORT_UNREACHABLE};

    if (error_wanted(iw, ip, now_us))
        send_error(iw, icmp, ip, orig->data, orig->len, now_us);
}

void inet_icmp_time_exceeded(struct inet_worker *iw, const struct reass_expired *about, uint64_t now_us)
{
    const struct icmp_hdr icmp = {.type = ICMP_TIME_EXCEEDED, .code = ICMP_REASSEMBLY_TIME};

    /* Not about an error (RFC 1122 3.2.2): of an ICMP message the first byte tells. */
    if (about->ip.proto == IP_PROTO_ICMP && about->head[0] != ICMP_ECHO_REQUEST)
        return;
    if (error_wanted(iw, &about->ip, now_us))
        send_error(iw, icmp, &about->ip, about->head, sizeof(about->head), now_us);
}
