/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See www.h. URLs are looked up in the list made at the start, so that no request can reach another file. */
#include "epserver/www.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_LEN 4096

static bool fail(const char *path, const char *what)
{
    fprintf(stderr, "epserver: %s: %s\n", path, what);
    return false;
}

static bool read_all(const char *path, size_t len, char *into)
{
    FILE *f = fopen(path, "rb");
    bool ok = f && fread(into, 1, len, f) == len;

    if (f)
        fclose(f);
    return ok || fail(path, errno ? strerror(errno) : "became shorter while it was read");
}

static bool add_file(struct www *w, const char *path, const char *url, size_t len)
{
    struct www_file *files = realloc(w->files, (w->count + 1) * sizeof(*files));
    struct www_file f = {.url = strdup(url), .data = malloc(len ? len : 1), .len = len};

    if (files)
        w->files = files;
    if (!files || !f.url || !f.data || !read_all(path, len, f.data)) {
        free(f.url);
        free(f.data);
        return files && f.url && f.data ? false : fail(path, "out of memory");
    }
    w->files[w->count++] = f;
    return true;
}

static bool add_folder(struct www *w, const char *dir, const char *url);

static bool add_entry(struct www *w, const char *dir, const char *url, const char *name)
{
    char path[PATH_LEN], sub[PATH_LEN];
    struct stat st;

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
        snprintf(sub, sizeof(sub), "%s/%s", url, name) >= (int)sizeof(sub))
        return fail(dir, "path too long");
    if (stat(path, &st) != 0)
        return fail(path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return add_folder(w, path, sub);
    return !S_ISREG(st.st_mode) || add_file(w, path, sub, (size_t)st.st_size);
}

static bool add_folder(struct www *w, const char *dir, const char *url)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    bool ok = true;

    if (!d)
        return fail(dir, strerror(errno));
    while (ok && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            ok = add_entry(w, dir, url, e->d_name);
    closedir(d);
    return ok;
}

static int by_url(const void *a, const void *b)
{
    return strcmp(((const struct www_file *)a)->url, ((const struct www_file *)b)->url);
}

bool www_load(struct www *w, const char *dir)
{
    *w = (struct www){0};
    if (!add_folder(w, dir, "")) {
        www_free(w);
        return false;
    }
    if (w->count == 0)
        return fail(dir, "there is no file to serve");
    qsort(w->files, w->count, sizeof(*w->files), by_url);
    return true;
}

void www_free(struct www *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->files[i].url);
        free(w->files[i].data);
    }
    free(w->files);
    *w = (struct www){0};
}

const struct www_file *www_find(const struct www *w, const char *url)
{
    char path[PATH_LEN];
    struct www_file key = {.url = path};
    size_t len = strcspn(url, "?#");

    if (snprintf(path, sizeof(path), "%.*s%s", (int)len, url,
                 len && url[len - 1] == '/' ? "index.html" : "") >= (int)sizeof(path))
        return NULL;
    return bsearch(&key, w->files, w->count, sizeof(key), by_url);
}
