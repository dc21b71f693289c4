/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See content.h. */
#include "bulk/content.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/stream.h"

static bool refuse(const char *path, const char *why)
{
    fprintf(stderr, "-F %s: %s\n", path, why);
    return false;
}

static bool read_whole(struct content *c, FILE *f, const char *path)
{
    struct stat st;

    if (fstat(fileno(f), &st))
        return refuse(path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || (uint64_t)st.st_size > CONTENT_FILE_MOST)
        return refuse(path, "not a file of 1 byte to 256 MB");
    c->bytes = malloc((size_t)st.st_size);
    if (!c->bytes)
        return refuse(path, "no memory for it");
    c->len = fread(c->bytes, 1, (size_t)st.st_size, f);
    if (c->len == (size_t)st.st_size)
        return true;
    content_free(c);
    return refuse(path, "it cannot be read to its end");
}

bool content_load(struct content *c, const char *path)
{
    FILE *f = fopen(path, "rbe");
    bool ok;

    content_free(c);
    if (!f)
        return refuse(path, strerror(errno));
    ok = read_whole(c, f, path);
    fclose(f);
    return ok;
}

void content_free(struct content *c)
{
    free(c->bytes);
    c->bytes = NULL;
    c->len = 0;
}

const uint8_t *content_piece(const struct content *c, uint64_t pos, size_t *len)
{
    size_t at = (size_t)(pos % c->len);

    if (*len > c->len - at)
        *len = c->len - at;
    return c->bytes + at;
}

void content_fill(const struct content *c, uint64_t pos, void *buf, size_t len)
{
    uint8_t *to = buf;

    if (!c->bytes && c->seed)
        stream_fill(c->seed, pos, buf, len);
    while (c->bytes && len) {
        size_t n = len;
        const uint8_t *piece = content_piece(c, pos, &n);

        memcpy(to, piece, n);
        to += n;
        pos += n;
        len -= n;
    }
}

bool content_check(const struct content *c, uint64_t pos, const void *buf, size_t len)
{
    const uint8_t *from = buf;

    if (!c->bytes)
        return !c->seed || stream_check(c->seed, pos, buf, len);
    while (len) {
        size_t n = len;
        const uint8_t *piece = content_piece(c, pos, &n);

        if (memcmp(from, piece, n))
            return false;
        from += n;
        pos += n;
        len -= n;
    }
    return true;
}
