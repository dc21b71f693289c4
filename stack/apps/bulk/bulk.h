/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What tcp_source and tcp_sink share: options, opening or accepting connections, one thread a core, the
 * result. A program is a role: what it does with a connection that can be read or written. */
#ifndef APPS_BULK_H
#define APPS_BULK_H

#include "bulk/content.h"
#include "common/app.h"

#define BULK_CHUNK 65536u

struct bulk_conn;
struct bulk_worker;

/** How a connection stands after an event. */
enum bulk_state { BULK_GOES_ON, BULK_DONE, BULK_FAILED };

struct bulk_role {
    const char *name, *usage;
    const char *own_options; /**< for getopt, besides -a -p -l -s -F and the common ones */
    bool sends;
    bool (*option)(int opt, const char *arg);
    /** Called for each event of an open connection. */
    enum bulk_state (*on_event)(struct bulk_worker *w, int fd, struct bulk_conn *c, uint32_t events);
};

/** Settings of the run. */
struct bulk_plan {
    struct app_options options;
    bool listens, connects;
    in_addr_t address;
    long port;
    long connections;         /**< 0 = until a signal comes */
    uint64_t bytes;           /**< of a connection (source) */
    size_t write_bytes;       /**< of a write, at most (source) */
    bool zero_copy;           /**< reads and writes in the buffers of the stack */
    struct content content;   /**< what is sent, or expected */
    bool verify;              /**< what arrives is compared with it (sink) */
    bool hash;                /**< the SHA-256 of each connection is told */
    double seconds;           /**< how long to send (0: bytes decide) */
    double warmup_s, count_s; /**< from the first connection on: what does not count; how long it counts then
                                 (0: to the end) */
};
extern struct bulk_plan bulk_plan;

struct bulk_conn {
    bool open, connected, shut, mismatch;
    uint64_t bytes;       /**< sent or received */
    void *sha;            /**< EVP_MD_CTX of these bytes */
    uint8_t *own;         /**< source: a chunk of the stream, NULL for other content */
    const uint8_t *chunk; /**< source: what is being written */
    size_t chunk_len, chunk_sent;
};

/** Adds bytes to the connection's checksum, when the stream is verified. */
void bulk_hash(struct bulk_conn *c, const void *data, size_t len);
mctx_t bulk_mctx(const struct bulk_worker *w);
/** Changes what is waited for on a connection. */
void bulk_watch(struct bulk_worker *w, int fd, uint32_t events);
/** Counts payload. */
void bulk_count(struct bulk_worker *w, size_t bytes);
/** Source: the time to send (-t) is over, counted from the first connection on. */
bool bulk_time_over(const struct bulk_worker *w);
/** A sentence about a connection that failed; the first few only. */
void bulk_say_failed(struct bulk_worker *w, const char *step, const char *why);

int bulk_main(int argc, char **argv, const struct bulk_role *role);

#endif
