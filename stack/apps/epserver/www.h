/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The files that the server offers: all regular files below a folder, read into memory at the start. */
#ifndef EPSERVER_WWW_H
#define EPSERVER_WWW_H

#include <stdbool.h>
#include <stddef.h>

struct www_file {
    char *url; /**< path below the folder with a leading slash */
    char *data;
    size_t len;
};

struct www {
    struct www_file *files; /**< sorted by url */
    size_t count;
};

/** False after a message on standard error. */
bool www_load(struct www *w, const char *dir);
void www_free(struct www *w);
/** The file of a URL (a query is ignored, a slash at the end means index.html), NULL when there is none. */
const struct www_file *www_find(const struct www *w, const char *url);

#endif
