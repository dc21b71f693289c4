/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What udp_source sends and udp_sink verifies: a header of 16 bytes, then a stream whose seed is the sequence
 * number, so that every datagram can be checked alone. */
#ifndef APPS_DATAGRAM_H
#define APPS_DATAGRAM_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATAGRAM_HEADER 16u
#define DATAGRAM_MAX 65507u

/** Long options that both programs have. */
enum { DATAGRAM_OPT_ECHO = 300, DATAGRAM_OPT_FAST };
extern const struct option datagram_words[];

enum datagram_kind {
    DATAGRAM_DATA = 1,
    DATAGRAM_HELLO, /**< opens the way (ARP) before the first that counts */
    DATAGRAM_END,   /**< its number tells how many there were */
};

struct datagram {
    enum datagram_kind kind;
    uint32_t number;  /**< from 0; of the flow, which is a sender's address and port */
    uint64_t sent_us; /**< the sender's monotonic clock */
};

/** Writes a datagram of len bytes, at least DATAGRAM_HEADER. */
void datagram_make(const struct datagram *d, void *buf, size_t len);
/** False when it is not one of ours, or its bytes are not what they should be. */
bool datagram_check(const void *buf, size_t len, struct datagram *out);

/** Changes the header of a datagram that was made; its stream then no longer fits its number. */
void datagram_mark(const struct datagram *d, void *buf);
/** Reads the header alone: its stream is not looked at. False when it is not one of ours. */
bool datagram_glance(const void *buf, size_t len, struct datagram *out);

/** Account of one flow: what came, what is missing, what came twice or late. */
struct flow {
    uint32_t unique, duplicates, reordered;
    uint32_t expected; /**< from the end marker, else the highest number + 1 */
    bool ended;        /**< the end marker came */
    uint32_t highest;  /**< + 1; 0 = none yet */
    uint64_t *window;  /**< which of the last FLOW_WINDOW numbers came */
};

/** Numbers further behind the highest one are taken for duplicates. */
#define FLOW_WINDOW (1u << 20)

bool flow_init(struct flow *f);
void flow_fini(struct flow *f);
/** A data datagram of that number came; false when it is a copy. */
bool flow_data(struct flow *f, uint32_t number);
void flow_end(struct flow *f, uint32_t total);
uint32_t flow_lost(const struct flow *f);

#endif
