/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See config_value.h. */
#include "config/config_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool config_value_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
    const char *digits = text + (*text == '-');
    char *end;

    if (!isdigit((unsigned char)*digits))
        return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return !errno && !*end && *out >= least && *out <= most;
}

bool config_value_mask(const char *text, uint64_t *out)
{
    char *end;

    if (!isxdigit((unsigned char)*text))
        return false;
    errno = 0;
    *out = strtoull(text, &end, 16);
    return !errno && !*end && *out;
}

bool config_value_choice(const char *text, const char *choices, int *out)
{
    size_t want = strlen(text);

    for (int i = 0; *choices; i++) {
        size_t len = strcspn(choices, "|");

        if (len == want && !memcmp(text, choices, len)) {
            *out = i;
            return true;
        }
        choices += len + (choices[len] == '|');
    }
    return false;
}

bool config_value_ipv4(const char *text, uint32_t *out)
{
    struct in_addr in;

    if (inet_pton(AF_INET, text, &in) != 1)
        return false;
    *out = ntohl(in.s_addr);
    return true;
}

bool config_value_prefix(const char *text, uint32_t *addr, uint8_t *len)
{
    char quad[INET_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    int64_t n;

    if (!slash || (size_t)(slash - text) >= sizeof(quad))
        return false;
    memcpy(quad, text, (size_t)(slash - text));
    quad[slash - text] = '\0';
    if (!config_value_ipv4(quad, addr) || !config_value_number(slash + 1, 0, 32, &n))
        return false;
    *len = (uint8_t)n;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool config_value_mac(const char *text, uint8_t mac[6])
{
    uint8_t any = 0;

    if (strlen(text) != 17)
        return false;
    for (unsigned i = 0; i < 6; i++, text += 3) {
        int high = hex_digit(text[0]), low = hex_digit(text[1]);

        if (high < 0 || low < 0 || text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
        any |= mac[i];
    }
    return any && !(mac[0] & 1);
}

bool config_value_is_host(uint32_t addr)
{
    uint32_t first = addr >> 24;

    return first != 0 && first != 127 && first < 224;
}

uint32_t config_value_netmask(uint8_t prefix_len)
{
    return prefix_len ? ~0u << (32 - prefix_len) : 0;
}

#define DISTANCE_MAX_LEN 32

unsigned config_value_distance(const char *a, const char *b)
{
    unsigned row[DISTANCE_MAX_LEN + 1];
    size_t la = strlen(a), lb = strlen(b);

    if (la > DISTANCE_MAX_LEN || lb > DISTANCE_MAX_LEN)
        return DISTANCE_MAX_LEN;
    for (unsigned j = 0; j <= lb; j++)
        row[j] = j;
    for (unsigned i = 1; i <= la; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}
