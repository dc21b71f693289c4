/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See stat_file.h. */
#define _GNU_SOURCE
#include "worker/stat_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGN 64u

static uint32_t round_up(uint32_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/** Where everything stands; returns the size of the file. */
static size_t lay_out(struct mtcp_stat_header *h)
{
    h->names_offset = round_up(sizeof(*h));
    h->threads_offset = round_up(h->names_offset + h->num_counters * MTCP_STAT_NAME_LEN);
    h->thread_bytes =
        round_up((uint32_t)(sizeof(struct mtcp_stat_thread) + h->num_counters * sizeof(uint64_t)));
    h->buckets_offset = h->threads_offset + h->num_threads * h->thread_bytes;
    return (size_t)h->buckets_offset + round_up(h->num_buckets);
}

static enum status map(struct stat_file *f)
{
    void *at;

    f->fd = memfd_create(MTCP_STAT_FILE, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (f->fd < 0 || ftruncate(f->fd, (off_t)f->bytes))
        return ST_IO;
    at = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (at == MAP_FAILED)
        return ST_NO_MEMORY;
    /* Else a reader's mapping could lose its pages. It is a courtesy: no failure if it cannot be. */
    if (fcntl(f->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
        (void)0;
    f->header = at;
    return ST_OK;
}

enum status stat_file_create(struct stat_file *f, const struct mtcp_stat_header *head,
                             const char *const *names)
{
    struct mtcp_stat_header h = *head;
    enum status st;

    *f = (struct stat_file){.fd = -1, .bytes = lay_out(&h)};
    st = map(f);
    if (st != ST_OK) {
        stat_file_close(f);
        return st;
    }
    h.magic = 0;
    h.version = MTCP_STAT_VERSION;
    *f->header = h;
    f->buckets = (uint8_t *)f->header + h.buckets_offset;
    for (unsigned i = 0; i < h.num_counters; i++)
        strncpy((char *)f->header + h.names_offset + i * MTCP_STAT_NAME_LEN, names[i],
                MTCP_STAT_NAME_LEN - 1);
    __atomic_store_n(&f->header->magic, MTCP_STAT_MAGIC, __ATOMIC_RELEASE);
    return ST_OK;
}

void stat_file_close(struct stat_file *f)
{
    if (f->header)
        munmap(f->header, f->bytes);
    if (f->fd >= 0)
        close(f->fd);
    *f = (struct stat_file){.fd = -1};
}

struct mtcp_stat_thread *stat_file_thread(const struct stat_file *f, unsigned index)
{
    char *at = (char *)f->header + f->header->threads_offset + (size_t)index * f->header->thread_bytes;

    return (struct mtcp_stat_thread *)at;
}

void stat_begin(struct mtcp_stat_thread *t)
{
    __atomic_store_n(&t->seq, t->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

void stat_set(struct mtcp_stat_thread *t, unsigned at, const uint64_t *values, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __atomic_store_n(&t->value[at + i], values[i], __ATOMIC_RELAXED);
}

void stat_end(struct mtcp_stat_thread *t, bool present, uint64_t now_us)
{
    __atomic_store_n(&t->present, present, __ATOMIC_RELAXED);
    __atomic_store_n(&t->updated_us, now_us, __ATOMIC_RELAXED);
    __atomic_store_n(&t->seq, t->seq + 1, __ATOMIC_RELEASE);
}
