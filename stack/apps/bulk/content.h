/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What tcp_source sends and tcp_sink expects: the stream of a seed, a file again and again, or any bytes.
 * Each connection begins at position 0. */
#ifndef APPS_BULK_CONTENT_H
#define APPS_BULK_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENT_FILE_MOST (UINT64_C(256) << 20) /**< bytes of a file: it is kept in memory */

struct content {
    uint64_t seed;  /**< of the stream; 0 and no file: any bytes */
    uint8_t *bytes; /**< of the file; NULL: none */
    size_t len;     /**< of the file */
};

/** Reads the file whole. False after a message. */
bool content_load(struct content *c, const char *path);
void content_free(struct content *c);
/** Writes what stands from position pos on; leaves the buffer alone when any bytes will do. */
void content_fill(const struct content *c, uint64_t pos, void *buf, size_t len);
/** Whether the bytes are those from position pos on. */
bool content_check(const struct content *c, uint64_t pos, const void *buf, size_t len);
/** The file's bytes from pos on, *len of them or less, as they lie in memory. */
const uint8_t *content_piece(const struct content *c, uint64_t pos, size_t *len);

#endif
