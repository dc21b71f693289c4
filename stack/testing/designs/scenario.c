/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See scenario.h. */
#include "testing/designs/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "worker/worker_priv.h"

#define TALK_ROOM 40000u
#define ECHO_ROOM 256u

#define MOVES_MS 1 /**< between two looks for something to move */
#define MOVES_AT_ONCE 8u

struct users {
    struct talk_worker *talk;
    struct echo_worker *echo;
    struct prng g;
};

static void start(struct twin_worker *tw)
{
    struct scenario *s = tw->twin->test;
    struct users *u = calloc(1, sizeof(*u));

    u->talk = talk_start(&s->talk, tw);
    u->echo = echo_start(&s->echo, tw);
    u->g.state = tw->side << 8 | tw->index;
    tw->app = u;
}

static void ask_for_moves(struct scenario *s, struct users *u, struct twin_worker *tw)
{
    struct mtcp_stack *st = s->twin.stack[tw->side];

    for (unsigned i = 0; st->steer && i < MOVES_AT_ONCE; i++)
        if (steer_move(st->steer, (unsigned)prng_below(&u->g, STEER_BUCKETS),
                       (unsigned)prng_below(&u->g, st->num_workers)))
            atomic_fetch_add(&s->moves_begun, 1);
}

static int users_step(struct twin_worker *tw)
{
    struct users *u = tw->app;
    struct scenario *s = tw->twin->test;
    int b = echo_step(u->echo), a;

    if (!echo_is_settled(&s->echo)) /* only what is lost by the flood itself is to be counted */
        return b;
    a = talk_step(u->talk);
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int step(struct twin_worker *tw)
{
    struct scenario *s = tw->twin->test;
    int wait_ms = users_step(tw);

    if (!s->moves)
        return wait_ms;
    ask_for_moves(s, tw->app, tw);
    return wait_ms < 0 || wait_ms > MOVES_MS ? MOVES_MS : wait_ms;
}

static void stop(struct twin_worker *tw)
{
    struct users *u = tw->app;

    talk_stop(u->talk);
    echo_stop(u->echo);
    free(u);
}

static void dump(struct twin *t, FILE *out)
{
    struct scenario *s = t->test;

    talk_dump(&s->talk, out);
    echo_dump(&s->echo, out);
}

static const struct twin_app app = {.start = start, .step = step, .stop = stop, .dump = dump};

void scenario_init(struct scenario *s, const struct talk_params *talk, const struct echo_params *echo)
{
    memset(s, 0, sizeof(*s));
    talk_init(&s->talk, TALK_ROOM, talk);
    echo_init(&s->echo, ECHO_ROOM, echo);
}

void scenario_talk(struct scenario *s, const struct twin_params *p, enum talk_kind kind, unsigned n,
                   uint64_t up, uint64_t down)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned side = 0; side < 2; side++)
            for (unsigned w = 0; w < p->side[side].workers; w++)
                talk_add(&s->talk, kind, side, w, up, down);
}

void scenario_echo(struct scenario *s, const struct twin_params *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned side = 0; side < 2; side++)
            for (unsigned w = 0; w < p->side[side].workers; w++)
                echo_add(&s->echo, side, w);
}

const char *scenario_run(struct scenario *s, const struct twin_params *p)
{
    twin_open(&s->twin, p, &app, s);
    atomic_store(&s->twin.work, talk_work(&s->talk) + echo_work(&s->echo));
    twin_run(&s->twin);
    if (!s->lossy)
        twin_expect_no_drops(&s->twin, s->allowed);
    return twin_failure(&s->twin);
}

void scenario_fini(struct scenario *s)
{
    talk_fini(&s->talk);
    echo_fini(&s->echo);
}
