/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See options.h. */
#include "common/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARED_LETTERS "f:N:h"
#define LETTERS_MAX 64
#define WORDS_MAX 16
#define OPT_JSON 256

static const struct option shared_words[] = {
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
};
#define NUM_SHARED_WORDS (sizeof(shared_words) / sizeof(shared_words[0]))

/* False after a message. */
static bool take(const struct app_command_line *line, int opt, const char *arg)
{
    struct app_options *o = line->options;
    long n;

    switch (opt) {
    case 'f':
        o->conf = arg;
        return true;
    case 'N':
        if (!app_number("-N", arg, 1, 64, &n))
            return false;
        o->cores = (int)n;
        return true;
    case OPT_JSON:
        o->json = true;
        return true;
    case 'h':
        fputs(line->usage, stdout);
        exit(0);
    case '?':
        return false;
    default:
        return line->take(opt, arg);
    }
}

int app_usage_error(const struct app_command_line *line, const char *why)
{
    fprintf(stderr, "%s: %s\n%s", line->options->name, why, line->usage);
    return APP_EXIT_USAGE;
}

int app_parse(int argc, char **argv, const struct app_command_line *line)
{
    struct option words[WORDS_MAX] = {{0}};
    char letters[LETTERS_MAX];
    size_t n = NUM_SHARED_WORDS;

    memcpy(words, shared_words, sizeof(shared_words));
    for (const struct option *w = line->words; w && w->name && n < WORDS_MAX - 1; w++)
        words[n++] = *w;
    snprintf(letters, sizeof(letters), SHARED_LETTERS "%s", line->letters);
    for (int opt; (opt = getopt_long(argc, argv, letters, words, NULL)) != -1;)
        if (!take(line, opt, optarg))
            return APP_EXIT_USAGE;
    if (argc - optind > line->operands)
        return app_usage_error(line, "unexpected argument");
    if (argc - optind < line->operands)
        return app_usage_error(line, "too few arguments");
    if (!line->options->conf)
        return app_usage_error(line, "-f CONF is missing");
    return 0;
}

bool app_number(const char *option, const char *text, long min, long max, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *out >= min && *out <= max)
        return true;
    fprintf(stderr, "%s %s: not a number from %ld to %ld\n", option, text, min, max);
    return false;
}

bool app_seconds(const char *option, const char *text, double min, double *out)
{
    char *end;

    *out = strtod(text, &end);
    if (end != text && *end == '\0' && *out >= min && *out <= 86400)
        return true;
    fprintf(stderr, "%s %s: not a number of seconds\n", option, text);
    return false;
}

bool app_bytes(const char *option, const char *text, uint64_t *out)
{
    static const char suffixes[] = "kmg";
    unsigned shift = 0;
    const char *suffix;
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    suffix = *end ? strchr(suffixes, *end | 0x20) : NULL;
    if (suffix) {
        shift = 10 * (unsigned)(suffix - suffixes + 1);
        end++;
    }
    if (errno == 0 && end != text && *end == '\0' && *text != '-' && *out <= UINT64_MAX >> shift) {
        *out <<= shift;
        return true;
    }
    fprintf(stderr, "%s %s: not a number of bytes (with k, m or g for 1024, 1024^2, 1024^3)\n", option, text);
    return false;
}

bool app_address(const char *option, const char *text, in_addr_t *out)
{
    struct in_addr in;

    if (inet_pton(AF_INET, text, &in) == 1) {
        *out = in.s_addr;
        return true;
    }
    fprintf(stderr, "%s %s: not an IPv4 address\n", option, text);
    return false;
}
