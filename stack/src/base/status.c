/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names, sentences and errno of the status codes, from the one list status.def. */
#include "base/status.h"

#include <errno.h>
#include <stddef.h>

struct status_row {
    const char *name;
    const char *text;
    int err;
};

static const struct status_row rows[] = {
#define STATUS(name, err, text) {#name, text, err},
#include "base/status.def"
#undef STATUS
};

static const struct status_row *status_row(enum status st)
{
    return (unsigned)st < ST_COUNT ? &rows[st] : NULL;
}

const char *status_name(enum status st)
{
    const struct status_row *row = status_row(st);

    return row ? row->name : "?";
}

const char *status_text(enum status st)
{
    const struct status_row *row = status_row(st);

    return row ? row->text : "a status outside the table";
}

int status_errno(enum status st)
{
    const struct status_row *row = status_row(st);

    return row ? row->err : EIO;
}
