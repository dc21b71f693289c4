/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The whole internet layer: a sequence of frames in, packets out, passing time, missing buffers. Frames may
 * ask for a right IPv4 checksum, so that what is behind it is reached. At the end no packet may be left. */
#include "fuzz.h"

#include "base/byteorder.h"
#include "base/checksum.h"
#include "testing/inet_world.h"

enum { OP_FRAME, OP_FRAME_FIXED, OP_OUTPUT, OP_TIME, OP_BUFFERS, OP_FORGET, OPS };

/* Makes the frame one for us with a right header checksum and right ICMP checksum, lengths as they are. */
static void fix_up(uint8_t *frame, size_t len)
{
    const struct eth_hdr eth = {world_mac(1), world_mac(2), ETH_TYPE_IPV4};
    uint8_t *ip = frame + ETH_HDR_LEN;
    size_t ip_len = len - ETH_HDR_LEN, hdr_len;

    if (len < ETH_HDR_LEN + IPV4_HDR_LEN)
        return;
    eth_emit(frame, &eth);
    ip[0] = (uint8_t)(0x40 | (ip[0] & 0x0f));
    hdr_len = (ip[0] & 0x0fu) * 4;
    if (hdr_len < IPV4_HDR_LEN || hdr_len > ip_len)
        return;
    if (ip[1] & 1) /* the type of service has no meaning to the layer: here it asks for the right length */
        put_be16(ip + 2, (uint16_t)ip_len);
    put_be32(ip + 16, WORLD_ADDR);
    put_be16(ip + 10, 0);
    put_be16(ip + 10, checksum(ip, hdr_len));
    if (ip[9] == IP_PROTO_ICMP && ip_len >= hdr_len + 4) {
        put_be16(ip + hdr_len + 2, 0);
        put_be16(ip + hdr_len + 2, checksum(ip + hdr_len, ip_len - hdr_len));
    }
}

static void op_frame(struct inet_world *w, struct fuzz_input *in, unsigned worker, bool fixed)
{
    uint8_t frame[512];
    size_t len;
    const uint8_t *p = fuzz_bytes(in, fuzz_u8(in), &len);

    memcpy(frame, p, len);
    if (fixed)
        fix_up(frame, len);
    if (!w->pkts.limit || w->pkts.live < w->pkts.limit)
        world_input(w, worker, frame, len);
    if (w->num_delivered) {
        struct world_frame *f = &w->delivered[w->num_delivered - 1];

        FUZZ_CHECK(f->pkt->data >= f->pkt->buf && f->pkt->len <= f->pkt->size - pkt_headroom(f->pkt));
        inet_port_unreachable(w->port[worker].iw, &f->ip, f->pkt, w->now_us);
    }
}

static void op_output(struct inet_world *w, struct fuzz_input *in, unsigned worker)
{
    static const ipv4_addr_t nets[] = {0x0a000000, 0x0a000100, 0x7f000000, 0xffffff00, 0xe0000000, 0};
    ipv4_addr_t dst = nets[fuzz_u8(in) % 6] | fuzz_u8(in);

    if (!w->pkts.limit || w->pkts.live < w->pkts.limit)
        world_output(w, worker, dst, fuzz_u16(in) % 1514);
}

static void step(struct inet_world *w, struct fuzz_input *in)
{
    uint8_t op = fuzz_u8(in);
    unsigned worker = op >> 7;

    switch ((op & 0x7f) % OPS) {
    case OP_FRAME:
    case OP_FRAME_FIXED:
        op_frame(w, in, worker, (op & 0x7f) % OPS == OP_FRAME_FIXED);
        break;
    case OP_OUTPUT:
        op_output(w, in, worker);
        break;
    case OP_TIME: /* a busy application comes back late: up to 65 s, so that ageing is reached in a few steps
                   */
        w->now_us += fuzz_u16(in) * 1000ull;
        inet_world_run(w, 2000);
        break;
    case OP_BUFFERS:
        w->pkts.limit = fuzz_u8(in);
        break;
    case OP_FORGET:
        inet_world_forget(w);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct inet_world *w = inet_world_create();

    for (unsigned n = 0; in.left && n < 200; n++)
        step(w, &in);
    FUZZ_CHECK(inet_world_destroy(w) == 0);
    return 0;
}
