/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two file formats of a capture, as pure functions that append to a buffer: classic pcap (as bessd's
 * TcpDump writes it: microseconds) and pcapng (nanoseconds, several interfaces, directions, drop counts).
 * Both in the byte order of this machine, which both formats' readers recognise.
 */
#ifndef DP_CAPTURE_FORMAT_H
#define DP_CAPTURE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define CAPTURE_SNAPLEN 65535
/* No format adds more than this to the bytes of a packet, or writes more for anything else. */
#define CAPTURE_OVERHEAD 512
#define CAPTURE_NAME_MAX 128

enum capture_direction { CAPTURE_DIRECTION_UNKNOWN, CAPTURE_INBOUND, CAPTURE_OUTBOUND };

struct capture_packet {
    uint64_t time_ns; /* since 1970 */
    uint32_t interface;
    uint32_t captured, original; /* bytes; at most CAPTURE_SNAPLEN are captured */
    uint64_t dropped;            /* of this interface since the packet before it */
    enum capture_direction direction;
    const uint8_t *data;
};

struct capture_statistics {
    uint32_t interface;
    uint64_t start_ns, end_ns;
    uint64_t received, dropped;
};

/* Each appends at `out` and returns how many bytes; the caller has left room. */
struct capture_format {
    const char *name;
    size_t (*header)(uint8_t *out);
    /* At most CAPTURE_NAME_MAX bytes of the name; interfaces are numbered from 0 in the order of these calls.
     */
    size_t (*interface)(uint8_t *out, const char *name);
    size_t (*packet)(uint8_t *out, const struct capture_packet *p);
    size_t (*statistics)(uint8_t *out, const struct capture_statistics *s);
};

extern const struct capture_format pcap_format, pcapng_format;

#endif
