/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Status codes: what every function of the library returns instead of setting errno. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum status {
#define STATUS(name, err, text) ST_##name,
#include "base/status.def"
#undef STATUS
    ST_COUNT
};

/** Short name, e.g. "NO_MEMORY"; "?" for a value outside the table. */
const char *status_name(enum status st);
/** One sentence for people. */
const char *status_text(enum status st);
/** The errno of the status (0 for ST_OK). Used by the api layer alone. */
int status_errno(enum status st);

#endif
