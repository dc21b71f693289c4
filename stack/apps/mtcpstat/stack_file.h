/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The memory files of running stacks (mtcp_stat.h): finding, checking, taking a sample. */
#ifndef MTCPSTAT_STACK_FILE_H
#define MTCPSTAT_STACK_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "mtcp_stat.h"

struct stack_file {
    pid_t pid;
    char command[32];
    struct mtcp_stat_header header; /**< a copy: the file's own may change behind our back */
    char (*names)[MTCP_STAT_NAME_LEN];
    const char *at; /**< the file */
    size_t bytes;
};

/** All values of all threads at about one moment. */
struct sample {
    uint64_t at_us;
    uint64_t *value; /**< [thread][counter] */
    struct mtcp_stat_moment *moment;
};

/** Opens the files of one process (pid > 0) or of all that may be read. *out grows; free with
 * stack_files_close(). The number of files. */
size_t stack_files_open(pid_t pid, struct stack_file **out);
void stack_files_close(struct stack_file *files, size_t n);
/** Checks what a file says of itself against its size. */
bool stack_file_valid(const struct mtcp_stat_header *h, size_t bytes);

const struct mtcp_stat_thread *stack_file_thread(const struct stack_file *f, uint32_t i);
const char *stack_file_name(const struct stack_file *f, uint32_t counter);
/** The index of a counter, num_counters when the stack has none of that name. */
uint32_t stack_file_counter(const struct stack_file *f, const char *name);
const uint8_t *stack_file_buckets(const struct stack_file *f);

/** False when memory is out. */
bool sample_init(struct sample *s, const struct stack_file *f);
void sample_free(struct sample *s);
/** A part that cannot be read keeps its old values. */
void sample_take(struct sample *s, const struct stack_file *f);
/** The value of a counter, 0 when there is none of that index. */
uint64_t sample_value(const struct sample *s, const struct stack_file *f, uint32_t thread, uint32_t counter);

#endif
