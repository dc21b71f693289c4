/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Trace macros of mTCP's applications. TRACE_CONFIG always prints to standard output; the others print to
 * standard error when the program is compiled with DBGERR, DBGMSG, INFO, EPOLL, APP or DBGFUNC, else they
 * cost nothing. */
#ifndef MTCP_DEBUG_H
#define MTCP_DEBUG_H

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#define MTCP_TRACE_AT(tag, f, ...) fprintf(stderr, "[%s:%4d] " tag f, __func__, __LINE__, ##__VA_ARGS__)
#define MTCP_TRACE_OFF(f, ...)                 \
    do {                                       \
        if (0)                                 \
            fprintf(stderr, f, ##__VA_ARGS__); \
    } while (0)

#define TRACE_CONFIG(f, ...) fprintf(stdout, f, ##__VA_ARGS__)

#ifdef DBGERR
#define TRACE_ERROR(f, ...) MTCP_TRACE_AT("ERROR: ", f, ##__VA_ARGS__)
#else
#define TRACE_ERROR(f, ...) MTCP_TRACE_OFF(f, ##__VA_ARGS__)
#endif

#ifdef DBGMSG
#define TRACE_DBG(f, ...) MTCP_TRACE_AT("", f, ##__VA_ARGS__)
#else
#define TRACE_DBG(f, ...) MTCP_TRACE_OFF(f, ##__VA_ARGS__)
#endif

#ifdef INFO
#define TRACE_INFO(f, ...) MTCP_TRACE_AT("", f, ##__VA_ARGS__)
#else
#define TRACE_INFO(f, ...) MTCP_TRACE_OFF(f, ##__VA_ARGS__)
#endif

#ifdef EPOLL
#define TRACE_EPOLL(f, ...) MTCP_TRACE_AT("epoll: ", f, ##__VA_ARGS__)
#else
#define TRACE_EPOLL(f, ...) MTCP_TRACE_OFF(f, ##__VA_ARGS__)
#endif

#ifdef APP
#define TRACE_APP(f, ...) MTCP_TRACE_AT("", f, ##__VA_ARGS__)
#else
#define TRACE_APP(f, ...) MTCP_TRACE_OFF(f, ##__VA_ARGS__)
#endif

#ifdef DBGFUNC
#define TRACE_FUNC(f, ...) MTCP_TRACE_AT("", f, ##__VA_ARGS__)
#else
#define TRACE_FUNC(f, ...) MTCP_TRACE_OFF(f, ##__VA_ARGS__)
#endif

#endif
