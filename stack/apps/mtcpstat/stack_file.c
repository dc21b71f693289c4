/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See stack_file.h. The files are not trusted: any process may have one of that name. */
#define _GNU_SOURCE
#include "mtcpstat/stack_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app.h"

#define LINK_TEXT "/memfd:" MTCP_STAT_FILE
#define MOST_COUNTERS 65536u
#define MOST_THREADS 1024u

static bool fits(uint64_t offset, uint64_t count, uint64_t each, size_t bytes)
{
    return offset <= bytes && count * each <= bytes - offset;
}

static bool ends(const char *text, size_t room)
{
    return memchr(text, '\0', room) != NULL;
}

bool stack_file_valid(const struct mtcp_stat_header *h, size_t bytes)
{
    if (bytes < sizeof(*h) || h->magic != MTCP_STAT_MAGIC || h->version != MTCP_STAT_VERSION)
        return false;
    if (h->num_counters > MOST_COUNTERS || h->num_threads > MOST_THREADS || h->threads_offset % 8 ||
        h->thread_bytes % 8 ||
        h->thread_bytes < sizeof(struct mtcp_stat_thread) + h->num_counters * sizeof(uint64_t))
        return false;
    if (!fits(h->names_offset, h->num_counters, MTCP_STAT_NAME_LEN, bytes) ||
        !fits(h->threads_offset, h->num_threads, h->thread_bytes, bytes) ||
        !fits(h->buckets_offset, h->num_buckets, 1, bytes))
        return false;
    return ends(h->design, sizeof(h->design)) && ends(h->reason, sizeof(h->reason)) &&
           ends(h->port, sizeof(h->port));
}

static void unmap(struct stack_file *f)
{
    munmap((void *)f->at, f->bytes);
    free(f->names);
}

/** The parts that must not change once they are checked. */
static bool copy_fixed(struct stack_file *f)
{
    memcpy(&f->header, f->at, sizeof(f->header));
    if (!stack_file_valid(&f->header, f->bytes))
        return false;
    f->names = calloc(f->header.num_counters + 1u, sizeof(*f->names));
    if (!f->names)
        return false;
    memcpy(f->names, f->at + f->header.names_offset, f->header.num_counters * sizeof(*f->names));
    for (uint32_t i = 0; i < f->header.num_counters; i++)
        f->names[i][MTCP_STAT_NAME_LEN - 1] = '\0';
    return true;
}

/** Maps the file itself: its numbers change while we look. One that could be cut short under us is not taken.
 */
static bool map(const char *path, struct stack_file *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *at;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) || st.st_size < (off_t)sizeof(f->header) ||
        !(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK)) {
        close(fd);
        return false;
    }
    at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return false;
    f->at = at;
    f->bytes = (size_t)st.st_size;
    if (copy_fixed(f))
        return true;
    unmap(f);
    return false;
}

static void read_command(struct stack_file *f)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/comm", (int)f->pid);
    file = fopen(path, "re");
    if (!file || !fgets(f->command, sizeof(f->command), file))
        snprintf(f->command, sizeof(f->command), "?");
    f->command[strcspn(f->command, "\n")] = '\0';
    if (file)
        fclose(file);
}

struct list {
    struct stack_file *files;
    size_t n;
};

static void add(struct list *l, struct stack_file *f)
{
    struct stack_file *more = realloc(l->files, (l->n + 1) * sizeof(*more));

    if (!more) {
        unmap(f);
        return;
    }
    l->files = more;
    l->files[l->n++] = *f;
}

static void add_process(struct list *l, pid_t pid)
{
    char dir_name[64];
    struct dirent *e;
    DIR *dir;

    snprintf(dir_name, sizeof(dir_name), "/proc/%d/fd", (int)pid);
    dir = opendir(dir_name);
    if (!dir)
        return;
    while ((e = readdir(dir))) {
        char path[400], target[64] = "";
        struct stack_file f = {.pid = pid};

        snprintf(path, sizeof(path), "%s/%s", dir_name, e->d_name);
        if (readlink(path, target, sizeof(target) - 1) < 0 ||
            strncmp(target, LINK_TEXT, sizeof(LINK_TEXT) - 1) || !map(path, &f))
            continue;
        read_command(&f);
        add(l, &f);
    }
    closedir(dir);
}

size_t stack_files_open(pid_t pid, struct stack_file **out)
{
    struct list l = {0};
    struct dirent *e;
    DIR *dir;

    if (pid > 0) {
        add_process(&l, pid);
    } else if ((dir = opendir("/proc"))) {
        while ((e = readdir(dir))) {
            char *end;
            long number = strtol(e->d_name, &end, 10);

            if (*end == '\0' && number > 0)
                add_process(&l, (pid_t)number);
        }
        closedir(dir);
    }
    *out = l.files;
    return l.n;
}

void stack_files_close(struct stack_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        unmap(&files[i]);
    free(files);
}

const struct mtcp_stat_thread *stack_file_thread(const struct stack_file *f, uint32_t i)
{
    return (const struct mtcp_stat_thread *)(f->at + f->header.threads_offset +
                                             (size_t)i * f->header.thread_bytes);
}

const char *stack_file_name(const struct stack_file *f, uint32_t counter)
{
    return f->names[counter];
}

uint32_t stack_file_counter(const struct stack_file *f, const char *name)
{
    uint32_t i = 0;

    while (i < f->header.num_counters && strcmp(stack_file_name(f, i), name))
        i++;
    return i;
}

const uint8_t *stack_file_buckets(const struct stack_file *f)
{
    return (const uint8_t *)f->at + f->header.buckets_offset;
}

bool sample_init(struct sample *s, const struct stack_file *f)
{
    const struct mtcp_stat_header *h = &f->header;

    *s = (struct sample){0};
    s->value = calloc((size_t)h->num_threads * h->num_counters + 1, sizeof(*s->value));
    s->moment = calloc(h->num_threads + 1u, sizeof(*s->moment));
    if (s->value && s->moment)
        return true;
    sample_free(s);
    return false;
}

void sample_free(struct sample *s)
{
    free(s->value);
    free(s->moment);
    *s = (struct sample){0};
}

void sample_take(struct sample *s, const struct stack_file *f)
{
    const struct mtcp_stat_header *h = &f->header;

    s->at_us = app_now_us();
    for (uint32_t i = 0; i < h->num_threads; i++)
        mtcp_stat_read(stack_file_thread(f, i), s->value + (size_t)i * h->num_counters, h->num_counters,
                       &s->moment[i]);
}

uint64_t sample_value(const struct sample *s, const struct stack_file *f, uint32_t thread, uint32_t counter)
{
    if (counter >= f->header.num_counters)
        return 0;
    return s->value[(size_t)thread * f->header.num_counters + counter];
}
