/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture: packets of one or more gates on their way into a named pipe.
 *
 * Workers never write to the pipe. A write takes a system call or two for each burst, goes through the
 * kernel's pipe lock, and what does not fit the pipe comes back half written; a reader that stands still
 * would make the worker choose between waiting and a torn stream. So a worker copies packets into a ring of
 * fixed size (a full ring drops and counts), and a thread of the capture's own encodes them and waits for the
 * reader.
 *
 * Invariants: time stamps are taken under the lock that orders the workers, so what is in the ring is in the
 * order of time, whichever gates and workers it came from. The clock never steps back: it is the wall clock
 * at the start plus the monotonic time since. A reader that goes away ends the capture and nothing else.
 */
#ifndef DP_CAPTURE_H
#define DP_CAPTURE_H

#include <stdbool.h>

#include "batch.h"
#include "capture_format.h"

#define CAPTURE_RING_BYTES (4u << 20)
#define CAPTURE_MAX_INTERFACES 64

struct capture;

/*
 * Joins the capture that writes to this pipe in this format, or begins it. -ENXIO nobody reads the pipe,
 * -EINVAL it is no pipe, -EBUSY it is written in another format.
 */
int capture_open(const char *fifo, const struct capture_format *format, struct capture **out,
                 const char **why);
/* Each open has its close. After the last one the ring is emptied into the pipe, as far as the reader takes
 * it. */
void capture_close(struct capture *c);
/* Number of the interface of this name, made when it is new. -ENOBUFS: the reader does not keep up. */
int capture_interface(struct capture *c, const char *name);

/* Packet path. Never waits for the reader. */
void capture_batch(struct capture *c, unsigned interface, enum capture_direction direction,
                   const struct batch *b);

/* The interface's packets that were lost, and whether somebody still reads. */
uint64_t capture_dropped(const struct capture *c, unsigned interface);
bool capture_alive(const struct capture *c);

/* Frees captures whose threads have ended; with `wait`, waits for those that are ending. */
void captures_reap(bool wait);

#endif
