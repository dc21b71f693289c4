/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One JSON object a line on standard output. Between json_begin() and json_end() members are added in order;
 * the line is written as a whole. */
#ifndef APPS_JSON_H
#define APPS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_LINE_LEN 65536

struct json {
    char text[JSON_LINE_LEN];
    size_t len;
    bool comma; /**< a comma is due before the next member */
};

/** {"event":event,"app":app */
void json_begin(struct json *j, const char *event, const char *app);
void json_str(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_double(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
/** Opens and closes a nested object or array; members of an array have key NULL. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
/** Writes the line and flushes. */
void json_end(struct json *j);

/** {"event":"listening","app":app,"port":port}, when on. */
void json_listening(bool on, const char *app, unsigned port);

#endif
