/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The command line of a program: options that all have, its own, and their values. */
#ifndef APPS_OPTIONS_H
#define APPS_OPTIONS_H

#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define APP_EXIT_USAGE 2 /**< bad options or configuration */

/** What all programs take. */
struct app_options {
    const char *name; /**< of the program */
    const char *conf; /**< -f: configuration of the stack */
    int cores;        /**< -N: of the stack; from app_start() on threads, each with a context */
    bool json;        /**< --json */
};

/** The command line of one program. */
struct app_command_line {
    struct app_options *options; /**< cores starts as 1 */
    const char *usage;
    const char *letters;                    /**< own options, as getopt() has them */
    const struct option *words;             /**< own long options, ended by zeros; NULL: none */
    bool (*take)(int opt, const char *arg); /**< one of these; false after a message */
    int operands;                           /**< how many words follow, from optind on */
};

/** 0, or APP_EXIT_USAGE after a message; -f is needed. At --help it prints the usage and ends the program. */
int app_parse(int argc, char **argv, const struct app_command_line *line);
/** Says why, and the usage. APP_EXIT_USAGE. */
int app_usage_error(const struct app_command_line *line, const char *why);

/** A whole number from min to max. False after a message that names the option. */
bool app_number(const char *option, const char *text, long min, long max, long *out);
/** Seconds, from min to a day. False after a message. */
bool app_seconds(const char *option, const char *text, double min, double *out);
/** Bytes with an optional suffix k, m or g (1024^n). False after a message. */
bool app_bytes(const char *option, const char *text, uint64_t *out);
/** An IPv4 address in network order. False after a message. */
bool app_address(const char *option, const char *text, in_addr_t *out);

#endif
