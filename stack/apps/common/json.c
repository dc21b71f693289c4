/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See json.h. A line that does not fit is cut at a member, so it is never half a value. */
#include "common/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define RESERVE 16 /* for closing brackets */

static void add(struct json *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct json *j, const char *fmt, ...)
{
    size_t room = sizeof(j->text) - RESERVE - j->len;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(j->text + j->len, room, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < room)
        j->len += (size_t)n;
}

/** Comma and key of the next member. */
static void member(struct json *j, const char *key)
{
    if (j->comma)
        add(j, ",");
    if (key)
        add(j, "\"%s\":", key);
    j->comma = true;
}

void json_begin(struct json *j, const char *event, const char *app)
{
    j->len = 0;
    j->comma = false;
    add(j, "{");
    json_str(j, "event", event);
    json_str(j, "app", app);
}

void json_str(struct json *j, const char *key, const char *value)
{
    member(j, key);
    add(j, "\"");
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\')
            add(j, "\\%c", *p);
        else if ((unsigned char)*p < 0x20)
            add(j, "\\u%04x", (unsigned char)*p);
        else
            add(j, "%c", *p);
    }
    add(j, "\"");
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
    member(j, key);
    add(j, "%" PRIu64, value);
}

void json_double(struct json *j, const char *key, double value)
{
    member(j, key);
    add(j, "%.6f", isfinite(value) ? value : 0.0);
}

void json_bool(struct json *j, const char *key, bool value)
{
    member(j, key);
    add(j, "%s", value ? "true" : "false");
}

void json_open(struct json *j, const char *key, char bracket)
{
    member(j, key);
    add(j, "%c", bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    add(j, "%c", bracket);
    j->comma = true;
}

void json_end(struct json *j)
{
    j->text[j->len++] = '}';
    j->text[j->len++] = '\n';
    fwrite(j->text, 1, j->len, stdout);
    fflush(stdout);
}

void json_listening(bool on, const char *app, unsigned port)
{
    struct json j;

    if (!on)
        return;
    json_begin(&j, "listening", app);
    json_u64(&j, "port", port);
    json_end(&j);
}
