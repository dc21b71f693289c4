/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a running stack shows of itself, for programs like mtcpstat: a memory file (memfd) named "mtcpstat"
 * that stands among the open files of its process, /proc/PID/fd, and goes with it. It begins with the header;
 * counters have their names with them, so that a reader needs no list of its own. Each thread of the stack
 * writes its own part, some hundred times a second while it runs.
 * A reader checks magic and version, and all offsets against the size of the file, before it trusts them. */
#ifndef MTCP_STAT_H
#define MTCP_STAT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MTCP_STAT_FILE "mtcpstat"
#define MTCP_STAT_MAGIC UINT64_C(0x746174737063746d) /* "mtcpstat" */
#define MTCP_STAT_VERSION 1
#define MTCP_STAT_NAME_LEN 40 /**< bytes of a counter's name, with its terminating NUL */
#define MTCP_STAT_DESIGN_LEN 16
#define MTCP_STAT_REASON_LEN 160
#define MTCP_STAT_PORT_LEN 128

enum mtcp_stat_kind {
    MTCP_STAT_WORKER,      /**< a thread of the application, polling */
    MTCP_STAT_DISTRIBUTOR, /**< a thread of the stack's own that receives and transmits */
    MTCP_STAT_RECEIVER,    /**< ... that receives */
    MTCP_STAT_TRANSMITTER, /**< ... that transmits */
    MTCP_STAT_INTERFACE,   /**< no thread: what the interface counts, written by whoever comes along */
};

struct mtcp_stat_header {
    uint64_t magic; /**< written last: then all of the header and the names stand */
    uint32_t version;
    uint32_t num_workers, num_dedicated, num_queues;
    uint32_t num_threads; /**< parts: workers, then threads of the stack's own, then the interface */
    uint32_t num_counters;
    uint32_t num_buckets; /**< of the indirection table, 0 when nothing is distributed */
    /* All in bytes from the begin of the file. */
    uint32_t names_offset;   /**< char[num_counters][MTCP_STAT_NAME_LEN], "layer.counter" */
    uint32_t threads_offset; /**< struct mtcp_stat_thread, each thread_bytes long */
    uint32_t thread_bytes;
    uint32_t buckets_offset; /**< uint8_t[num_buckets]: the worker that has the bucket's flows */
    uint32_t reserved;
    uint64_t started_us;               /**< CLOCK_MONOTONIC */
    char design[MTCP_STAT_DESIGN_LEN]; /**< as in key `distribution` */
    char reason[MTCP_STAT_REASON_LEN]; /**< why this one */
    char port[MTCP_STAT_PORT_LEN];
};

/** One thread's part. A 64-bit value is always whole; seq tells whether they belong together. */
struct mtcp_stat_thread {
    uint64_t seq; /**< odd while the thread writes */
    uint32_t kind, index;
    uint64_t present;    /**< 1: the worker is there */
    uint64_t updated_us; /**< CLOCK_MONOTONIC */
    uint64_t value[];    /**< in the order of the names; counters only grow, but for gauges */
};

/** What mtcp_stat_read() found beside the values. */
struct mtcp_stat_moment {
    bool present;
    uint64_t updated_us;
};

/** Copies the values of a part as they stood together at one moment. False when the thread wrote in each of
 * many attempts; try again. */
static inline bool mtcp_stat_read(const struct mtcp_stat_thread *t, uint64_t *values, uint32_t n,
                                  struct mtcp_stat_moment *moment)
{
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        uint64_t before = __atomic_load_n(&t->seq, __ATOMIC_ACQUIRE);

        if (before & 1)
            continue;
        for (uint32_t i = 0; i < n; i++)
            values[i] = __atomic_load_n(&t->value[i], __ATOMIC_RELAXED);
        moment->present = __atomic_load_n(&t->present, __ATOMIC_RELAXED) != 0;
        moment->updated_us = __atomic_load_n(&t->updated_us, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&t->seq, __ATOMIC_RELAXED) == before)
            return true;
    }
    return false;
}

#ifdef __cplusplus
}
#endif

#endif
