/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The byte stream that sources send and sinks verify: little-endian 64-bit words, word i being output number
 * i of splitmix64 started with the seed, so that any piece can be made and checked alone. */
#ifndef APPS_STREAM_H
#define APPS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Writes the bytes from position pos on. */
void stream_fill(uint64_t seed, uint64_t pos, void *buf, size_t len);
/** Whether the bytes are those from position pos on. */
bool stream_check(uint64_t seed, uint64_t pos, const void *buf, size_t len);

#endif
