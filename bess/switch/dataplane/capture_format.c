/* SPDX-License-Identifier: BSD-3-Clause */
/* draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. See capture_format.h. */
#include "capture_format.h"

#include <string.h>

#define LINKTYPE_ETHERNET 1
#define NS_PER_S 1000000000ULL

static uint8_t *put16(uint8_t *out, uint16_t value)
{
    memcpy(out, &value, sizeof(value));
    return out + sizeof(value);
}

static uint8_t *put32(uint8_t *out, uint32_t value)
{
    memcpy(out, &value, sizeof(value));
    return out + sizeof(value);
}

/* ---- pcap ---- */

static size_t pcap_header(uint8_t *out)
{
    uint8_t *p = put32(out, 0xa1b2c3d4);

    p = put16(p, 2);
    p = put16(p, 4);
    p = put32(p, 0); /* time zone and accuracy: always 0 */
    p = put32(p, 0);
    p = put32(p, CAPTURE_SNAPLEN);
    return put32(p, LINKTYPE_ETHERNET) - out;
}

static size_t pcap_packet(uint8_t *out, const struct capture_packet *packet)
{
    uint8_t *p = put32(out, packet->time_ns / NS_PER_S);

    p = put32(p, packet->time_ns % NS_PER_S / 1000);
    p = put32(p, packet->captured);
    p = put32(p, packet->original);
    memcpy(p, packet->data, packet->captured);
    return p + packet->captured - out;
}

/* pcap knows one nameless interface and no statistics. */
static size_t pcap_interface(uint8_t *out, const char *name)
{
    (void)out;
    (void)name;
    return 0;
}

static size_t pcap_statistics(uint8_t *out, const struct capture_statistics *s)
{
    (void)out;
    (void)s;
    return 0;
}

const struct capture_format pcap_format = {
    .name = "pcap",
    .header = pcap_header,
    .interface = pcap_interface,
    .packet = pcap_packet,
    .statistics = pcap_statistics,
};

/* ---- pcapng: blocks of type, length, body, options, length again ---- */

enum block { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6 };
enum {
    OPT_END = 0,
    SHB_USERAPPL = 4,
    IF_NAME = 2,
    IF_TSRESOL = 9,
    EPB_FLAGS = 2,
    EPB_DROPCOUNT = 4,
    ISB_STARTTIME = 2,
    ISB_ENDTIME = 3,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5,
};
#define TSRESOL_NS 9 /* 10^-9 s */

static uint8_t *put_padded(uint8_t *out, const void *data, size_t len)
{
    size_t padding = -len & 3;

    memcpy(out, data, len);
    memset(out + len, 0, padding);
    return out + len + padding;
}

static uint8_t *put_option(uint8_t *out, uint16_t code, const void *value, uint16_t len)
{
    return put_padded(put16(put16(out, code), len), value, len);
}

static uint8_t *put_count(uint8_t *out, uint16_t code, uint64_t value)
{
    return put_option(out, code, &value, sizeof(value));
}

/* A time is its upper and its lower half, in this order whatever the byte order. */
static uint8_t *put_time(uint8_t *out, uint64_t time_ns)
{
    return put32(put32(out, time_ns >> 32), time_ns);
}

static uint8_t *put_time_option(uint8_t *out, uint16_t code, uint64_t time_ns)
{
    return put_time(put16(put16(out, code), sizeof(time_ns)), time_ns);
}

/* Leaves room for the length, which block_end() fills in. */
static uint8_t *block_begin(uint8_t *out, enum block type)
{
    return put32(put32(out, type), 0);
}

static size_t block_end(uint8_t *out, uint8_t *p)
{
    uint32_t len;

    p = put16(put16(p, OPT_END), 0);
    len = p - out + sizeof(len);
    put32(p, len);
    put32(out + sizeof(uint32_t), len);
    return len;
}

static size_t pcapng_header(uint8_t *out)
{
    static const char program[] = "vportd";
    uint8_t *p = put32(block_begin(out, BLOCK_SECTION), 0x1a2b3c4d);

    p = put16(put16(p, 1), 0);                   /* version 1.0 */
    p = put32(put32(p, UINT32_MAX), UINT32_MAX); /* the section's length is not known yet */
    p = put_option(p, SHB_USERAPPL, program, sizeof(program) - 1);
    return block_end(out, p);
}

static size_t pcapng_interface(uint8_t *out, const char *name)
{
    static const uint8_t resolution = TSRESOL_NS;
    uint8_t *p = put16(put16(block_begin(out, BLOCK_INTERFACE), LINKTYPE_ETHERNET), 0);

    p = put32(p, CAPTURE_SNAPLEN);
    p = put_option(p, IF_NAME, name, strnlen(name, CAPTURE_NAME_MAX));
    p = put_option(p, IF_TSRESOL, &resolution, sizeof(resolution));
    return block_end(out, p);
}

static size_t pcapng_packet(uint8_t *out, const struct capture_packet *packet)
{
    uint32_t flags = packet->direction; /* bits 0 and 1: 1 inbound, 2 outbound */
    uint8_t *p = put32(block_begin(out, BLOCK_PACKET), packet->interface);

    p = put_time(p, packet->time_ns);
    p = put32(put32(p, packet->captured), packet->original);
    p = put_padded(p, packet->data, packet->captured);
    if (flags != 0)
        p = put_option(p, EPB_FLAGS, &flags, sizeof(flags));
    if (packet->dropped > 0)
        p = put_count(p, EPB_DROPCOUNT, packet->dropped);
    return block_end(out, p);
}

static size_t pcapng_statistics(uint8_t *out, const struct capture_statistics *s)
{
    uint8_t *p = put32(block_begin(out, BLOCK_STATISTICS), s->interface);

    p = put_time(p, s->end_ns);
    p = put_time_option(p, ISB_STARTTIME, s->start_ns);
    p = put_time_option(p, ISB_ENDTIME, s->end_ns);
    p = put_count(p, ISB_IFRECV, s->received);
    p = put_count(p, ISB_IFDROP, s->dropped);
    return block_end(out, p);
}

const struct capture_format pcapng_format = {
    .name = "pcapng",
    .header = pcapng_header,
    .interface = pcapng_interface,
    .packet = pcapng_packet,
    .statistics = pcapng_statistics,
};
