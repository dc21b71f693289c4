/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP header and options (RFC 9293 3.1 and 3.2, RFC 7323, RFC 2018): parse and emit. Pure functions. */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/byteorder.h"
#include "base/seq.h"
#include "base/status.h"
#include "wire/ipv4.h"

#define TCP_HDR_LEN 20u
#define TCP_MAX_OPT_LEN 40u

enum tcp_flags {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

struct tcp_opts {
    bool has_mss, has_wscale, has_ts, sack_ok;
    uint16_t mss;
    uint8_t wscale;   /**< as sent, 0..255; the receiver limits it to 14 (RFC 7323 2.3) */
    uint8_t num_sack; /**< 0..4 */
    uint32_t ts_val, ts_ecr;
    struct {
        seq_t left, right;
    } sack[4];
};

struct tcp_hdr {
    uint16_t src_port, dst_port;
    seq_t seq, ack;
    uint8_t flags;   /**< enum tcp_flags */
    uint16_t window; /**< unscaled */
    uint16_t urgent;
    uint16_t hdr_len; /**< bytes, options included */
    struct tcp_opts opts;
};

/** Reads a segment of len bytes, options included. The checksum is verified unless csum_ok.
 *  An option length below 2 or past the header ends the option list, a length that is wrong for its kind
 * drops that option; the segment is still used (RFC 9293 3.1, MUST-7). */
enum status tcp_parse(const uint8_t *seg, uint32_t len, ipv4_addr_t src, ipv4_addr_t dst, bool csum_ok,
                      struct tcp_hdr *out);
/** The timestamps option with two bytes of padding before it, as a word: how nearly every segment begins its
 * options, and in nearly all it is the only one (RFC 7323 appendix A). */
#define TCP_TS_WORD 0x0101080au
#define TCP_TS_LEN 12u

/** Bytes that tcp_emit_plain() needs. */
static inline uint32_t tcp_plain_len(bool has_ts)
{
    return has_ts ? TCP_HDR_LEN + TCP_TS_LEN : TCP_HDR_LEN;
}
/** Writes the header of an ordinary segment, which has no option but timestamps; the checksum field is 0. */
static inline void tcp_emit_plain(uint8_t *out, const struct tcp_hdr *hdr)
{
    put_be32(out, (uint32_t)hdr->src_port << 16 | hdr->dst_port);
    put_be32(out + 4, hdr->seq);
    put_be32(out + 8, hdr->ack);
    put_be32(out + 12, tcp_plain_len(hdr->opts.has_ts) << 26 | (uint32_t)hdr->flags << 16 | hdr->window);
    put_be32(out + 16, 0);
    if (hdr->opts.has_ts) {
        put_be32(out + 20, TCP_TS_WORD);
        put_be32(out + 24, hdr->opts.ts_val);
        put_be32(out + 28, hdr->opts.ts_ecr);
    }
}
/** Fills in the checksum of a segment of len bytes, whose field is 0. partial: ipv4_partial_csum(), for a
 * device that finishes it. */
void tcp_set_checksum(uint8_t *seg, uint32_t len, ipv4_addr_t src, ipv4_addr_t dst, bool partial);
/** Bytes that tcp_emit() needs for this header. */
uint32_t tcp_emit_len(const struct tcp_hdr *hdr);
/** Writes the header (options padded with NOP) in front of payload_len bytes that already stand behind it,
 * and the checksum over all of it. out has room for tcp_emit_len() + payload_len bytes. */
void tcp_emit(uint8_t *out, const struct tcp_hdr *hdr, ipv4_addr_t src, ipv4_addr_t dst,
              uint32_t payload_len);

/** The header alone; the checksum field is 0. */
void tcp_emit_header(uint8_t *out, const struct tcp_hdr *hdr);

#endif
