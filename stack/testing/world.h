/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two TCP hosts joined by two bad links, on one virtual clock. Side 0 opens, side 1 listens. On each side a
 * user writes a stream, reads the other's against the oracle of stream.h in pieces of random size, at random
 * moments, and closes. A run is a pure function of its parameters. */
#ifndef TESTING_WORLD_H
#define TESTING_WORLD_H

#include "testing/link.h"

enum world_close {
    WORLD_CLOSE_AFTER_EOF, /**< shuts down writing when all is written, closes when all is read */
    WORLD_CLOSE_AT_ONCE,   /**< closes when all is written and all that is expected is read */
    WORLD_CLOSE_KINDS
};

struct world_side {
    uint64_t write_bytes;  /**< length of the stream this side sends */
    size_t rcvbuf, sndbuf; /**< default 65536 */
    uint64_t max_piece;    /**< largest piece of a read or write, default 16384 */
    uint64_t pause_us;     /**< the user sleeps 0..pause_us after each piece; 0 = never */
    enum world_close close;
    bool no_timestamps, no_wscale, nagle;
    uint16_t mtu; /**< default 1500 */
};

struct world_params {
    uint64_t seed;
    struct world_side side[2];
    struct link_params link[2]; /**< link[i] carries what side i sends */
    uint64_t time_wait_us;      /**< default 1 s */
    uint64_t limit_us;          /**< the run must be over by then */
    bool trace;                 /**< prints every segment that is sent, for people who look for a bug */
    size_t pkt_limit;           /**< packets that exist at once, 0 = no limit */
    bool offload; /**< TCP leaves checksums and segmentation to a device, which hands long segments on whole;
                     they arrive in pieces */
    unsigned move_one_in; /**< at one moment of so many a side's connections move to another TCP; 0 = never */
};

struct world_result {
    bool ok;
    char why[160];        /**< when not ok */
    uint64_t transfer_us; /**< from connect to the last byte read on either side */
    uint64_t total_us;    /**< until no connection was left */
    uint64_t packets, lost, retransmits, timeouts, fast_retransmits;
    unsigned connects; /**< attempts to open until one succeeded */
    unsigned moves;    /**< times that a side's connections moved */
};

/** Runs until both sides are done and every connection is gone. Never fails a test itself. */
void world_run(const struct world_params *p, struct world_result *out);

#endif
