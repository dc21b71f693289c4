/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The little of HTTP that the programs here need, with the names of mTCP's helper of the same name. Texts are
 * terminated by a null byte. Keys are given with the line break before them, e.g. "\nContent-Length:". */
#ifndef APPS_HTTP_PARSING_H
#define APPS_HTTP_PARSING_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEADER_CONTENT_LENGTH "\nContent-Length:"
#define HTTP_HEADER_CONNECTION "\nConnection:"

/** Bytes of a complete header, the empty line included; 0 while it is incomplete. */
int find_http_header(const char *data, int len);
/** The value of a header without the white space around it, NULL when it is missing or longer than value_len
 * - 1. */
char *http_header_str_val(const char *buf, const char *key, int key_len, char *value, int value_len);
/** The value as a whole number, -1 when it is missing or no number. */
long http_header_long_val(const char *buf, const char *key, int key_len);
/** The URL of a request line, NULL when there is none. */
char *http_get_url(const char *data, int data_len, char *value, int value_len);
/** The status code of a response, 0 when it is none. */
int http_get_status_code(const char *response);
/** Whether the connection stays open after this request or response: version and Connection header. */
bool http_keeps_alive(const char *header);

#endif
