/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMP (RFC 792, RFC 1122 3.2.2): answers echo requests, sends port unreachable. */
#include "inet/inet_priv.h"

#include <string.h>

#include "wire/icmp.h"

#define TOKEN_US (1000000u / ICMP_ERRORS_PER_S)
#define QUOTE_LEN 548u /* RFC 1812 4.3.2.3: as much as keeps the message within 576 bytes */

/* RFC 1122 3.2.2.6: the same data go back, from the address that was asked. The packet itself is reused. */
static void echo_reply(struct inet_worker *iw, const struct ipv4_hdr *ip, struct pkt *pkt, uint32_t rest,
                       uint64_t now_us)
{
    struct icmp_hdr icmp = {.type = ICMP_ECHO_REPLY, .rest = rest};

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

void inet_port_unreachable(struct inet_worker *iw, const struct ipv4_hdr *ip, const struct pkt *orig,
                           uint64_t now_us)
{
    struct icmp_hdr icmp = {.type = ICMP_UNREACHABLE, .code = ICMP_PORT_UNREACHABLE};
    uint32_t quote = orig->len < QUOTE_LEN - IPV4_HDR_LEN ? orig->len : QUOTE_LEN - IPV4_HDR_LEN;
    struct pkt *pkt;
    uint8_t *out;

    if (ip->dst != iw->inet->addr || ip->src == iw->inet->addr) /* never about a broadcast */
        return;
    if (!error_allowed(iw, now_us)) {
        iw->count.drop_icmp_rate++;
        return;
    }
    pkt = iw->ops->alloc(iw->ctx);
    out = pkt ? pkt_put(pkt, ICMP_HDR_LEN + IPV4_HDR_LEN + quote) : NULL;
    if (!out) {
        inet_drop(&iw->count.drop_no_buffer, pkt);
        return;
    }
    ipv4_emit(out + ICMP_HDR_LEN, ip);
    memcpy(out + ICMP_HDR_LEN + IPV4_HDR_LEN, orig->data, quote);
    icmp_emit(out, &icmp, IPV4_HDR_LEN + quote);
    iw->count.tx_icmp_unreachable++;
    inet_output(iw, pkt, ip->dst, ip->src, IP_PROTO_ICMP, now_us);
}
