/* SPDX-License-Identifier: BSD-3-Clause
 *
 * soak SECONDS [DESIGN WORKERS QUEUES [CLEAN]]: connections that open, carry, stall, reset and close without
 * end at both ends, on a link with light faults, while flows move between workers, and workers leave and come
 * back. Every byte is checked; at the end nothing is left anywhere: connections, descriptors, frames, pins,
 * memory. Without a design the larger ones take turns. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/prng.h"
#include "steer/steer.h"
#include "testing/designs/places.h"
#include "testing/designs/talk.h"
#include "testing/designs/twin.h"
#include "worker/worker_priv.h"

#define PER_WORKER 24u
#define MAX_BYTES 60000u
#define STEP_MS 5
#define MOVES_AT_ONCE 4u

struct soak {
    struct twin twin;
    struct talk talk;
    uint64_t half_us, until_us;
    _Atomic uint64_t pages_half, pages_end;
    atomic_uint opened, left_and_back, moves_asked;
    _Atomic uint64_t retired[PER_WORKER * 2 * TWIN_MAX_WORKERS];
};

struct user {
    struct talk_worker *talk;
    struct prng g;
    uint64_t leaves_us; /**< when this worker begins to leave */
};

static uint64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/** Something new on an entry of the table whose last connection is over at both ends. */
static void renew(struct soak *s, struct user *u, struct talk_flow *f)
{
    static const enum talk_kind kinds[] = {TALK_CLIENT_CLOSES, TALK_CLIENT_CLOSES, TALK_SERVER_CLOSES,
                                           TALK_SERVER_CLOSES, TALK_HALF_CLOSE,    TALK_VANISHES};
    bool small = prng_below(&u->g, 4) != 0;

    f->kind = kinds[prng_below(&u->g, sizeof(kinds) / sizeof(kinds[0]))];
    f->up = prng_below(&u->g, small ? 256 : MAX_BYTES);
    /* At least a byte back: else a client is done before it knows whether anybody will ever read what it
     * sent. */
    f->down = 1 + prng_below(&u->g, small ? 256 : MAX_BYTES);
    f->seed = prng_next(&u->g);
    atomic_store(&f->client.phase, 0);
    atomic_store(&f->server.phase, 0);
    f->turns++;
    atomic_fetch_add(&s->opened, 1);
    talk_open(u->talk, f);
}

static bool is_over(const struct talk_flow *f)
{
    struct talk_flow *t = (struct talk_flow *)f;

    return f->turns == 0 || (atomic_load(&t->client.phase) == 2 &&
                             (f->kind == TALK_VANISHES || atomic_load(&t->server.phase) == 2));
}

/** To begin once more: refused, because the listener's worker was leaving. */
static bool is_refused(const struct talk_flow *f)
{
    return f->turns > 0 && atomic_load(&((struct talk_flow *)f)->client.phase) == 0;
}

static void turn_over(struct soak *s, struct user *u, struct twin_worker *tw, bool open)
{
    bool ends = now_us() >= s->until_us;

    for (unsigned i = 0; i < s->talk.num_flows; i++) {
        struct talk_flow *f = &s->talk.flows[i];

        if (f->client_side != tw->side || f->client_worker != tw->index || atomic_load(&s->retired[i]))
            continue;
        if (is_refused(f) && open)
            talk_open(u->talk, f);
        else if (is_over(f) && ends) {
            atomic_store(&s->retired[i], 1);
            twin_done(tw, 1);
        } else if (is_over(f) && open)
            renew(s, u, f);
    }
}

static void ask_for_moves(struct soak *s, struct user *u, struct twin_worker *tw)
{
    struct mtcp_stack *st = s->twin.stack[tw->side];

    for (unsigned i = 0; st->steer && i < MOVES_AT_ONCE; i++)
        if (steer_move(st->steer, (unsigned)prng_below(&u->g, STEER_BUCKETS),
                       (unsigned)prng_below(&u->g, st->num_workers)))
            atomic_fetch_add(&s->moves_asked, 1);
}

static void start(struct twin_worker *tw)
{
    struct soak *s = tw->twin->test;
    struct user *u = calloc(1, sizeof(*u));

    u->g.state = now_us() ^ (uint64_t)tw->side << 8 ^ tw->index;
    u->talk = talk_start(&s->talk, tw);
    u->leaves_us = tw->index == 0 ? UINT64_MAX : now_us() + 500000 + prng_below(&u->g, 3000000);
    tw->app = u;
}

/** Pages that the process has in memory. */
static uint64_t pages_now(void)
{
    unsigned long long all = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f) {
        if (fscanf(f, "%llu %llu", &all, &resident) != 2)
            resident = 0;
        fclose(f);
    }
    return resident;
}

/** Whether the pages of a run say anything: a sanitizer keeps what was freed, and a short run still warms up.
 */
static bool memory_tells(unsigned seconds)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)seconds;
    return false;
#else
    return seconds >= 60;
#endif
}

/** Half of the time is over, or all of it: then there should be no more than at half-time. */
static void look_at_memory(struct soak *s)
{
    uint64_t now = now_us(), none = 0;

    if (now >= s->half_us && atomic_load(&s->pages_half) == 0)
        atomic_compare_exchange_strong(&s->pages_half, &none, pages_now());
    none = 0;
    if (now >= s->until_us && atomic_load(&s->pages_end) == 0)
        atomic_compare_exchange_strong(&s->pages_end, &none, pages_now());
}

static int step(struct twin_worker *tw)
{
    struct soak *s = tw->twin->test;
    struct user *u = tw->app;
    bool leaving = now_us() >= u->leaves_us && now_us() < s->until_us;

    look_at_memory(s);
    turn_over(s, u, tw, !leaving);
    talk_step(u->talk);
    if (prng_below(&u->g, 8) == 0)
        ask_for_moves(s, u, tw);
    if (leaving && !tw->cut_short && talk_close(u->talk)) {
        atomic_fetch_add(&s->left_and_back, 1);
        tw->leaves = true;
    }
    return STEP_MS;
}

static void stop(struct twin_worker *tw)
{
    struct user *u = tw->app;

    talk_stop(u->talk);
    free(u);
}

static void dump(struct twin *t, FILE *out)
{
    talk_dump(&((struct soak *)t->test)->talk, out);
}

static const struct twin_app app = {.start = start, .step = step, .stop = stop, .dump = dump};

/** One place for so long. False when something went wrong. */
static bool run(const struct place *place, unsigned seconds, bool clean, uint64_t seed)
{
    struct soak *s = calloc(1, sizeof(*s));
    const struct talk_params tp = {
        .listener_worker = TALK_ALL, .parallel = UINT32_MAX, .movable = true, .forever = true};
    struct fault_params f;
    struct twin_params p = place_params(place);
    const char *failure;

    fault_params_defaults(&f);
    f.seed = seed;
    f.loss = f.dup = f.reorder = 0.002;
    f.delay_us = 100;
    p.fault = clean ? NULL : &f;
    p.config = "rebalance = on\nrcvbuf = 32768\nsndbuf = 32768\nmax_concurrency = 512\n";
    talk_init(&s->talk, PER_WORKER * 2 * TWIN_MAX_WORKERS, &tp);
    for (unsigned i = 0; i < PER_WORKER * 2 * place->workers; i++)
        talk_add(&s->talk, TALK_CLIENT_CLOSES, i % 2, i / 2 % place->workers, 0, 0);
    s->half_us = now_us() + (uint64_t)seconds * 500000;
    s->until_us = now_us() + (uint64_t)seconds * 1000000;
    twin_open(&s->twin, &p, &app, s);
    atomic_store(&s->twin.work, s->talk.num_flows);
    twin_run(&s->twin);
    failure = twin_failure(&s->twin);
    if (!failure && memory_tells(seconds) &&
        atomic_load(&s->pages_end) > atomic_load(&s->pages_half) * 5 / 4 + 1024)
        failure = "memory grows";
    printf("%s W%u Q%u %s, %u s: %u connections, %u moved (%u bucket moves), workers left and came back %u "
           "times, %llu pages at half-time, %llu at the end%s%s\n",
           place->design, place->workers, place->queues, clean ? "clean" : "lossy", seconds,
           atomic_load(&s->opened), atomic_load(&s->talk.moved), atomic_load(&s->moves_asked),
           atomic_load(&s->left_and_back), (unsigned long long)atomic_load(&s->pages_half),
           (unsigned long long)atomic_load(&s->pages_end), failure ? ": FAILED: " : "",
           failure ? failure : "");
    fflush(stdout);
    talk_fini(&s->talk);
    free(s);
    return !failure;
}

/** The larger places in turn, on a clean link and on a bad one by turns. */
static bool run_all(unsigned seconds)
{
    struct place places[PLACES_MAX];
    size_t n = places_list(places);
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        if (places[i].workers >= 3)
            ok = run(&places[i], seconds, i % 2, 1 + i) && ok;
    return ok;
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20;
    struct place place;

    if (argc < 5)
        return run_all(seconds < 20 ? 1 : seconds / 10) ? 0 : 1;
    place =
        (struct place){argv[2], (unsigned)strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10)};
    return run(&place, seconds, argc > 5, 1) ? 0 : 1;
}
