/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See cpus.h. */
#define _GNU_SOURCE
#include "noise/cpus.h"

#include <stdlib.h>

/** A number that begins here; where it ends, NULL when there is none. */
static const char *number(const char *text, unsigned *out)
{
    unsigned long n = 0;
    const char *p = text;

    for (; *p >= '0' && *p <= '9' && n < CPU_SETSIZE; p++)
        n = 10 * n + (unsigned long)(*p - '0');
    *out = (unsigned)n;
    return p > text && n < CPU_SETSIZE ? p : NULL;
}

/** "2" or "2-5". */
static const char *range(const char *text, unsigned *first, unsigned *last)
{
    const char *p = number(text, first);

    *last = *first;
    if (p && *p == '-')
        p = number(p + 1, last);
    return p && *last >= *first ? p : NULL;
}

bool cpus_parse(const char *text, cpu_set_t *out)
{
    unsigned first, last;

    CPU_ZERO(out);
    for (;;) {
        text = range(text, &first, &last);
        if (!text)
            return false;
        for (unsigned cpu = first; cpu <= last; cpu++)
            CPU_SET(cpu, out);
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}
