/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Running the built programs on the kernel's sockets and reading their JSON lines. What goes wrong fails the
 * test. */
#ifndef APPS_TESTING_PROGRAM_H
#define APPS_TESTING_PROGRAM_H

#include <stdio.h>
#include <sys/types.h>

#define PROGRAM_LINE 65536

struct program {
    pid_t pid;
    FILE *out;
    char line[PROGRAM_LINE]; /**< the last one read */
};

/** Where the programs are and what they run with, for all that follow. */
void program_place(const char *folder, const char *conf);
/** Starts NAME-kernel with -f CONF --json and these arguments, ended by NULL. */
void program_start(struct program *p, const char *name, const char *const *args);
/** Reads lines until one of this event is in p->line. */
void program_await(struct program *p, const char *event);
/** A number of the last line. `place` is text that stands before it, such as "\"p50\":". */
double program_number(const struct program *p, const char *place);
/** Waits for its end and frees; its exit code. */
int program_end(struct program *p);
/** Ends it by a signal, reads its result and frees; its exit code. */
int program_stop(struct program *p);

#endif
