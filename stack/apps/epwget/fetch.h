/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The connections of one thread of epwget: what to fetch, and the steps of a flow from connect to the last
 * response. */
#ifndef EPWGET_FETCH_H
#define EPWGET_FETCH_H

#include <stdio.h>

#include "common/app.h"
#include "common/histogram.h"

#define FETCH_URL_LEN 1024

/** The same for all threads. */
struct fetch_plan {
    struct sockaddr_in addr;
    const char *host;
    char url[FETCH_URL_LEN];
    const char *outfile; /**< NULL = bodies are not kept */
    bool many;           /**< several flows: each file gets the flow's number */
    long requests;       /**< on each connection */
};

struct fetch_stats {
    unsigned long connects, errors, timeouts, read_bytes, write_bytes, time_sum_us;
    struct histogram latency_us; /**< of the completed requests */
};

struct fetch_conn;

struct fetcher {
    mctx_t mctx;
    const struct app_options *options;
    const struct fetch_plan *plan;
    struct fetch_stats *stats;
    int ep, max_conns;
    long started, ended;        /**< flows */
    unsigned long first_errors; /**< failures told in words so far */
    struct fetch_conn *conns;   /**< by descriptor */
};

/** False after a message. */
bool fetch_init(struct fetcher *f);
/** Closes what is open. */
void fetch_fini(struct fetcher *f);
/** Starts the next flow; false when there is no descriptor for it now. */
bool fetch_start(struct fetcher *f);
void fetch_event(struct fetcher *f, int fd, uint32_t events);
/** Begins to count anew; errors stay. */
void fetch_stats_clear(struct fetch_stats *s);
void fetch_stats_add(struct fetch_stats *to, const struct fetch_stats *from);

#endif
