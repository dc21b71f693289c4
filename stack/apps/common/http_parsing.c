/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See http_parsing.h. */
#define _GNU_SOURCE
#include "common/http_parsing.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int find_http_header(const char *data, int len)
{
    const char *end = memmem(data, (size_t)len, "\r\n\r\n", 4);

    return end ? (int)(end - data) + 4 : 0;
}

char *http_header_str_val(const char *buf, const char *key, int key_len, char *value, int value_len)
{
    const char *p = strcasestr(buf, key), *end;

    if (!p)
        return NULL;
    p += key_len;
    end = p + strcspn(p, "\r\n");
    while (p < end && isblank((unsigned char)*p))
        p++;
    while (end > p && isblank((unsigned char)end[-1]))
        end--;
    if (end - p >= value_len)
        return NULL;
    memcpy(value, p, (size_t)(end - p));
    value[end - p] = '\0';
    return value;
}

long http_header_long_val(const char *buf, const char *key, int key_len)
{
    char text[32], *end;
    long value;

    if (!http_header_str_val(buf, key, key_len, text, sizeof(text)))
        return -1;
    errno = 0;
    value = strtol(text, &end, 10);
    return errno || end == text || *end || value < 0 ? -1 : value;
}

char *http_get_url(const char *data, int data_len, char *value, int value_len)
{
    const char *start = memchr(data, ' ', (size_t)data_len), *end;

    if (!start)
        return NULL;
    start++;
    end = start + strcspn(start, " \r\n");
    if (end == start || *end != ' ' || end - start >= value_len)
        return NULL;
    memcpy(value, start, (size_t)(end - start));
    value[end - start] = '\0';
    return value;
}

int http_get_status_code(const char *response)
{
    if (strncmp(response, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)response[7]) || response[8] != ' ')
        return 0;
    return atoi(response + 9);
}

bool http_keeps_alive(const char *header)
{
    const char *line_end = strpbrk(header, "\r\n");
    const char *version = strstr(header, "HTTP/1.");
    char connection[64];
    bool keep = version && (!line_end || version < line_end) && version[7] == '1';

    if (http_header_str_val(header, HTTP_HEADER_CONNECTION, sizeof(HTTP_HEADER_CONNECTION) - 1, connection,
                            sizeof(connection)))
        keep = keep ? strcasecmp(connection, "close") != 0 : strcasecmp(connection, "keep-alive") == 0;
    return keep;
}
