/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The writer's side of mtcp_stat.h: the memory file, and one thread's part of it. Nothing is left behind when
 * the process ends, however it ends. */
#ifndef WORKER_STAT_FILE_H
#define WORKER_STAT_FILE_H

#include <stddef.h>

#include "base/status.h"
#include "mtcp_stat.h"

struct stat_file {
    int fd; /**< -1: none */
    size_t bytes;
    struct mtcp_stat_header *header; /**< begin of the file; NULL: none */
    uint8_t *buckets;
};

/** head: all but magic, version and offsets. names: head->num_counters of them. ST_IO, ST_NO_MEMORY. */
enum status stat_file_create(struct stat_file *f, const struct mtcp_stat_header *head,
                             const char *const *names);
void stat_file_close(struct stat_file *f);
struct mtcp_stat_thread *stat_file_thread(const struct stat_file *f, unsigned index);

/** Between begin and end the values are set; one thread at a time writes a part. */
void stat_begin(struct mtcp_stat_thread *t);
void stat_set(struct mtcp_stat_thread *t, unsigned at, const uint64_t *values, unsigned n);
void stat_end(struct mtcp_stat_thread *t, bool present, uint64_t now_us);

#endif
