/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every design of distribution on bad networks: loss, delay, reordering and duplication together, a seed
 * each. Every byte arrives, every connection ends. VNFLAB_SEEDS=20 for more seeds a place, VNFLAB_SEED=7 for
 * this one; several runs go on at once, because most of the time they wait for a timer. */
#define _GNU_SOURCE
#include "testing/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "testing/designs/places.h"
#include "testing/designs/scenario.h"

#define AT_ONCE 4u
#define MAX_RUNS 4096u
#define BYTES 60000u

struct run {
    struct place place;
    uint64_t seed;
    struct scenario scenario;
    char failure[2 * TWIN_TEXT]; /**< empty: it went well */
};

static struct run *runs[MAX_RUNS];
static unsigned num_runs;
static atomic_uint next_run;

/** What the network does follows from the seed alone. */
static struct fault_params network(uint64_t seed)
{
    struct prng g = {seed};
    struct fault_params f;

    fault_params_defaults(&f);
    f.seed = seed;
    f.loss = (double)prng_below(&g, 50) / 1000;
    f.dup = (double)prng_below(&g, 30) / 1000;
    f.reorder = (double)prng_below(&g, 50) / 1000;
    f.delay_us = prng_below(&g, 3) ? prng_below(&g, 3000) : 0;
    f.jitter_us = prng_below(&g, 500);
    return f;
}

static void go(struct run *r)
{
    const struct talk_params talk = {.listener_worker = r->seed % 2 ? TALK_ALL : 0, .parallel = 64};
    const struct echo_params echo = {.window = 1};
    struct twin_params p = place_params(&r->place);
    struct fault_params f = network(r->seed);
    struct scenario *s = &r->scenario;
    const char *failure;

    p.fault = &f;
    p.arp = r->seed % 3 == 0;
    p.wakes = true;
    p.config = "idle = sleep\nrcvbuf = 32768\nsndbuf = 32768\n";
    scenario_init(s, &talk, &echo);
    s->lossy = true;
    scenario_talk(s, &p, TALK_CLIENT_CLOSES, 2, BYTES, BYTES / 2);
    scenario_talk(s, &p, TALK_SERVER_CLOSES, 2, BYTES / 2, BYTES);
    scenario_talk(s, &p, TALK_HALF_CLOSE, 2, BYTES, BYTES);
    failure = scenario_run(s, &p);
    if (failure)
        snprintf(r->failure, sizeof(r->failure), "seed %llu: %s", (unsigned long long)r->seed, failure);
    scenario_fini(s);
}

static void *run_them(void *arg)
{
    unsigned i;

    (void)arg;
    while ((i = atomic_fetch_add(&next_run, 1)) < num_runs)
        go(runs[i]);
    return NULL;
}

/** Once for all cases. */
static int run_all(void **state)
{
    pthread_t id[AT_ONCE];

    (void)state;
    for (unsigned i = 0; i < AT_ONCE; i++)
        if (pthread_create(&id[i], NULL, run_them, NULL) != 0)
            return -1;
    for (unsigned i = 0; i < AT_ONCE; i++)
        pthread_join(id[i], NULL);
    return 0;
}

static void show(void **state)
{
    const struct run *r = *state;

    if (r->failure[0])
        fail_msg("%s", r->failure);
}

static unsigned number(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);

    return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void add_run(const struct place *place, uint64_t seed, struct CMUnitTest *test)
{
    struct run *r = calloc(1, sizeof(*r));
    char *name = NULL;

    r->place = *place;
    r->seed = seed;
    if (asprintf(&name, "%s W%u Q%u seed %llu", place->design, place->workers, place->queues,
                 (unsigned long long)seed) < 0)
        exit(1);
    *test = (struct CMUnitTest){.name = name, .test_func = show, .initial_state = r};
    runs[num_runs++] = r;
}

int main(void)
{
    static struct CMUnitTest tests[MAX_RUNS];
    unsigned seeds = number("VNFLAB_SEEDS", 1), only = number("VNFLAB_SEED", 0);
    struct place places[PLACES_MAX];
    size_t num_places = places_list(places);
    int failed;

    for (size_t i = 0; i < num_places; i++)
        for (unsigned s = 0; s < seeds && num_runs < MAX_RUNS; s++)
            add_run(&places[i], only ? only : 1 + i * 1000 + s, &tests[num_runs]);
    failed = _cmocka_run_group_tests("loss", tests, num_runs, run_all, NULL);
    for (unsigned i = 0; i < num_runs; i++) {
        free(runs[i]);
        free((void *)(uintptr_t)tests[i].name);
    }
    return failed;
}
