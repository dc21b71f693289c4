/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frame -> flow. The common case (untagged, IPv4 without options, no fragment, TCP or UDP) is tried first. */
#include "steer/classify.h"

#include <stdbool.h>
#include <string.h>

#include "steer/flow_hash.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define ETH_TYPE_IPV6 0x86ddu
#define ETH_TYPE_VLAN 0x8100u /* IEEE 802.1Q */
#define ETH_TYPE_QINQ 0x88a8u /* IEEE 802.1ad */
#define ETH_TYPE_QINQ_OLD 0x9100u
#define VLAN_TAGS 2u
#define VLAN_TAG_LEN 4u
#define PORTS_LEN 4u
#define TCP_FLAGS_AT 13u
#define IPV4_FRAGMENT 0x3fffu /* more fragments, or an offset */
#define IPV4_OFFSET 0x1fffu
#define IPV6_HDR_LEN 40u
#define IPV6_HOP_BY_HOP 0u
#define IPV6_ROUTING 43u
#define IPV6_FRAGMENT 44u
#define IPV6_AUTH 51u
#define IPV6_ICMP 58u
#define IPV6_DEST_OPTIONS 60u
#define IPV6_MOBILITY 135u
#define IPV6_EXTENSIONS 8u /* more in one packet are not looked through */
#define ICMP_ERROR_HDR_LEN 8u
#define ICMPV6_ERRORS 128u /* types below are errors */

/* A part of the frame's first piece. */
struct view {
    const uint8_t *at;
    uint32_t len;
    uint32_t more; /* bytes behind it that cannot be read here */
};

static inline struct view view_from(struct view v, uint32_t skip)
{
    return (struct view){v.at + skip, v.len - skip, v.more};
}

static inline be32_t load_be32(const uint8_t *p)
{
    be32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static inline be16_t load_be16(const uint8_t *p)
{
    be16_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* XOR of the 16-bit words of n bytes (n a multiple of 4), in network order like what is read. */
static inline uint32_t xor_words(const uint8_t *p, unsigned n)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < n; i += 4)
        sum ^= load_be32(p + i).raw;
    return sum;
}

static inline uint32_t hash_words(uint32_t network_order)
{
    return flow_hash_word(__builtin_bswap16(flow_hash_fold(network_order)));
}

static inline uint8_t tcp_kind(const uint8_t *tcp)
{
    return (tcp[TCP_FLAGS_AT] & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN ? FLOW_TCP_OPENING
                                                                                    : FLOW_TCP;
}

/* TCP or UDP behind addresses of the XOR `words`; false when the ports are not there. inner: the packet
 * inside an ICMP error, which is ours and thus the other way round, and of which 8 bytes may be all. */
static bool by_ports(uint8_t proto, struct view l4, uint32_t words, bool inner, struct flow_class *out)
{
    if ((proto != IP_PROTO_TCP && proto != IP_PROTO_UDP) || l4.len < PORTS_LEN)
        return false;
    out->hash = hash_words(words ^ load_be32(l4.at).raw);
    out->local_port = load_be16(l4.at + (inner ? 0 : 2));
    out->peer_port = load_be16(l4.at + (inner ? 2 : 0));
    out->kind = proto == IP_PROTO_UDP ? FLOW_UDP : FLOW_TCP;
    if (proto == IP_PROTO_TCP && !inner && l4.len > TCP_FLAGS_AT)
        out->kind = tcp_kind(l4.at);
    return true;
}

static void by_addresses(uint32_t words, struct flow_class *out)
{
    out->hash = hash_words(words);
    out->kind = FLOW_ADDRESSES;
    out->proto = 0;
}

static bool icmp_is_error(uint8_t type)
{
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12; /* RFC 1122 3.2.2 */
}

static bool classify_ipv4(struct view ip, bool inner, struct flow_class *out)
{
    uint32_t hdr_len, total_len, words;
    uint16_t frag;
    struct view l4;

    if (ip.len < IPV4_HDR_LEN || ip.at[0] >> 4 != 4)
        return false;
    words = xor_words(ip.at + 12, 8);
    by_addresses(words, out);
    hdr_len = (ip.at[0] & 0x0fu) * 4;
    total_len = get_be16(ip.at + 2);
    if (!inner && total_len < ip.len)
        ip.len = total_len;
    if (hdr_len < IPV4_HDR_LEN || ip.len < hdr_len || (!inner && total_len > ip.len + ip.more))
        return true;
    l4 = view_from(ip, hdr_len);
    frag = get_be16(ip.at + 6);
    if (frag & (inner ? IPV4_OFFSET : IPV4_FRAGMENT))
        return true;
    if (!inner && ip.at[9] == IP_PROTO_ICMP && l4.len > ICMP_ERROR_HDR_LEN && icmp_is_error(l4.at[0])) {
        struct flow_class about;

        if (classify_ipv4(view_from(l4, ICMP_ERROR_HDR_LEN), true, &about))
            *out = about;
        return true;
    }
    if (!by_ports(ip.at[9], l4, words, inner, out))
        return true;
    out->proto = ip.at[9];
    out->local = load_be32(ip.at + (inner ? 12 : 16));
    out->peer = load_be32(ip.at + (inner ? 16 : 12));
    return true;
}

/* Walks to the transport header; false when it is not there, or only part of it is (a fragment). */
static bool skip_extensions(struct view *v, uint8_t *next)
{
    for (unsigned n = 0; n < IPV6_EXTENSIONS; n++) {
        uint32_t len;

        if (*next != IPV6_HOP_BY_HOP && *next != IPV6_ROUTING && *next != IPV6_AUTH &&
            *next != IPV6_DEST_OPTIONS && *next != IPV6_MOBILITY)
            return *next != IPV6_FRAGMENT;
        if (v->len < 8)
            return false;
        len = *next == IPV6_AUTH ? (v->at[1] + 2u) * 4 : (v->at[1] + 1u) * 8;
        if (v->len < len)
            return false;
        *next = v->at[0];
        *v = view_from(*v, len);
    }
    return false;
}

static bool classify_ipv6(struct view ip, bool inner, struct flow_class *out)
{
    struct view l4;
    uint32_t words, payload_len;
    uint8_t next;

    if (ip.len < IPV6_HDR_LEN || ip.at[0] >> 4 != 6)
        return false;
    words = xor_words(ip.at + 8, 32);
    by_addresses(words, out);
    payload_len = get_be16(ip.at + 4);
    l4 = view_from(ip, IPV6_HDR_LEN);
    if (!inner && payload_len > l4.len + l4.more)
        return true;
    if (payload_len < l4.len)
        l4.len = payload_len;
    next = ip.at[6];
    if (!skip_extensions(&l4, &next))
        return true;
    if (!inner && next == IPV6_ICMP && l4.len > ICMP_ERROR_HDR_LEN && l4.at[0] < ICMPV6_ERRORS) {
        struct flow_class about;

        if (classify_ipv6(view_from(l4, ICMP_ERROR_HDR_LEN), true, &about))
            *out = about;
        return true;
    }
    by_ports(next, l4, words, inner, out);
    return true;
}

static void classify_slow(struct view frame, struct flow_class *out)
{
    struct view v;
    uint16_t type;
    bool known = false;

    *out = (struct flow_class){.hash = FLOW_HASH_NONE, .kind = FLOW_NONE};
    if (frame.len < ETH_HDR_LEN)
        return;
    type = get_be16(frame.at + 12);
    v = view_from(frame, ETH_HDR_LEN);
    for (unsigned n = 0; n < VLAN_TAGS; n++) {
        if ((type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ && type != ETH_TYPE_QINQ_OLD) ||
            v.len < VLAN_TAG_LEN)
            break;
        type = get_be16(v.at + 2);
        v = view_from(v, VLAN_TAG_LEN);
    }
    if (type == ETH_TYPE_IPV4)
        known = classify_ipv4(v, false, out);
    else if (type == ETH_TYPE_IPV6)
        known = classify_ipv6(v, false, out);
    if (!known)
        *out = (struct flow_class){.hash = FLOW_HASH_NONE, .kind = FLOW_NONE};
}

void flow_classify(const uint8_t *frame, uint32_t len, uint32_t more_len, struct flow_class *out)
{
    const uint8_t *ip = frame + ETH_HDR_LEN, *l4 = ip + IPV4_HDR_LEN;

    /* Any TCP or UDP header that counts has its ports and flags within 20 bytes; what is shorter, like a
     * datagram of under 12 bytes that was not padded, takes the other way. */
    if (len < ETH_HDR_LEN + IPV4_HDR_LEN + TCP_HDR_LEN || get_be16(frame + 12) != ETH_TYPE_IPV4 ||
        ip[0] != 0x45 || (get_be16(ip + 6) & IPV4_FRAGMENT) ||
        (ip[9] != IP_PROTO_TCP && ip[9] != IP_PROTO_UDP) || get_be16(ip + 2) + ETH_HDR_LEN > len + more_len ||
        get_be16(ip + 2) < IPV4_HDR_LEN + (ip[9] == IP_PROTO_TCP ? TCP_HDR_LEN : UDP_HDR_LEN)) {
        classify_slow((struct view){frame, len, more_len}, out);
        return;
    }
    out->peer = load_be32(ip + 12);
    out->local = load_be32(ip + 16);
    out->peer_port = load_be16(l4);
    out->local_port = load_be16(l4 + 2);
    out->proto = ip[9];
    out->hash = hash_words(out->peer.raw ^ out->local.raw ^ load_be32(l4).raw);
    out->kind = ip[9] == IP_PROTO_UDP ? FLOW_UDP : tcp_kind(l4);
}
