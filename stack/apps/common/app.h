/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all programs here share: common options, starting the stack, stopping at SIGINT and SIGTERM, time, and
 * text for people (standard output, or standard error when standard output carries JSON lines). */
#ifndef APPS_APP_H
#define APPS_APP_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "mtcp_api.h"

#define APP_EXIT_FAILED 1 /**< a failure while running, or something was not verified */
#define APP_EXIT_USAGE 2  /**< bad options or configuration */

struct app_options {
    const char *name; /**< of the program */
    const char *conf; /**< -f: configuration of the stack */
    int cores;        /**< -N: of the stack; from app_start() on threads, each with a context */
    bool json;        /**< --json */
};

/** The short options that app_option() takes, to be put into the string for getopt_long(). */
#define APP_SHORT_OPTIONS "f:N:h"
extern const struct option app_long_options[]; /**< --json, --help */

enum app_option_result { APP_OPTION_TAKEN, APP_OPTION_OTHER, APP_OPTION_HELP, APP_OPTION_BAD };
/** Takes a common option; cores starts as 1. */
enum app_option_result app_option(struct app_options *o, int opt, const char *arg);
/** A whole number from min to max. False after a message that names the option. */
bool app_number(const char *option, const char *text, long min, long max, long *out);
/** Bytes with an optional suffix k, m or g (1024^n). False after a message. */
bool app_bytes(const char *option, const char *text, uint64_t *out);
/** An IPv4 address in network order. False after a message. */
bool app_address(const char *option, const char *text, in_addr_t *out);

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
