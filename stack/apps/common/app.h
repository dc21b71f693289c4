/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all programs here share: starting the stack, stopping at SIGINT and SIGTERM, time, and
 * text for people (standard output, or standard error when standard output carries JSON lines). */
#ifndef APPS_APP_H
#define APPS_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/options.h"
#include "mtcp_api.h"

#define APP_EXIT_FAILED 1 /**< a failure while running, or something was not verified */

/** mtcp_setconf() of cores and, when greater than 0, of max_concurrency; mtcp_init(); signal handlers. Cores
 * that the stack keeps to distribute packets are taken off o->cores: what is left has a context each. 0, or
 * what to exit with after a message. */
int app_start(struct app_options *o, int max_concurrency);
/** Pins to the core when there is such a core, and makes the context. NULL after a message. */
mctx_t app_context(const struct app_options *o, int core);
/** SIGINT or SIGTERM came, or app_stop() was called. */
bool app_stopping(void);
/** Asks all threads to end. */
void app_stop(void);

uint64_t app_now_us(void);
uint64_t app_now_ns(void);
/** A line for people; adds the newline. */
void app_say(const struct app_options *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), nonnull));
/** A line about a failure on standard error, "NAME: ...". */
void app_complain(const struct app_options *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), nonnull));

#endif
