/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One run of a twin with TCP and UDP users, from building it to looking at what is left. */
#ifndef TESTING_DESIGNS_SCENARIO_H
#define TESTING_DESIGNS_SCENARIO_H

#include "testing/designs/echo.h"
#include "testing/designs/talk.h"
#include "testing/designs/twin.h"

/** What is common to all runs of a test program. */
struct scenario {
    struct twin twin;
    struct talk talk;
    struct echo echo;
    const char *allowed; /**< counters of drops that may be other than 0; NULL = none */
    bool lossy;          /**< drops are not looked at */
    bool moves;          /**< buckets move from worker to worker all the time */
    atomic_uint moves_begun;
};

/** Prepares the tables; twin_params come with scenario_run(). */
void scenario_init(struct scenario *s, const struct talk_params *talk, const struct echo_params *echo);
/** n connections of a kind from each worker of each side, with as many bytes. */
void scenario_talk(struct scenario *s, const struct twin_params *p, enum talk_kind kind, unsigned n,
                   uint64_t up, uint64_t down);
/** n flows of datagrams from each worker of each side. A flood comes before all connections. */
void scenario_echo(struct scenario *s, const struct twin_params *p, unsigned n);
/** Runs it all; NULL, or what went wrong. scenario_fini() afterwards. */
const char *scenario_run(struct scenario *s, const struct twin_params *p);
void scenario_fini(struct scenario *s);

#endif
