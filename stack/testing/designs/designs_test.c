/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every design of distribution with 1 to 4 workers at both ends, in threads, on however few cores: what TCP
 * and UDP promise holds in all of them, and on a clean cable nothing is lost anywhere.
 * VNFLAB_DESIGNS=shared,1kb runs only these, VNFLAB_CASE=bulk only tests with this in their name. */
#include "testing/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "testing/designs/places.h"
#include "testing/designs/scenario.h"

/** As small as to keep all that is under way within the rings between workers. */
#define SMALL_BUFFERS "rcvbuf = 16384\nsndbuf = 16384\n"
#define MAX_TESTS 1024

struct test {
    char name[96];
    struct place place;
    bool one_listener;
    void (*body)(const struct twin_params *p, bool one_listener);
};

static const struct talk_params talk_all = {.listener_worker = TALK_ALL, .parallel = 4};
static const struct echo_params echo_all = {.server_worker = ECHO_ALL, .datagrams = 500, .window = 4};

static void run(struct scenario *s, const struct twin_params *p)
{
    const char *failure = scenario_run(s, p);

    scenario_fini(s);
    if (failure)
        fail_msg("%s", failure);
}

/** The tables for a place, and the run's parameters with more configuration. */
static struct scenario *prepare(struct twin_params *p, bool one_listener, const char *config)
{
    static struct scenario s; /* large; one run at a time */
    struct talk_params talk = talk_all;
    struct echo_params echo = echo_all;

    talk.listener_worker = one_listener ? p->side[0].workers - 1 : TALK_ALL;
    echo.server_worker = one_listener ? p->side[0].workers - 1 : ECHO_ALL;
    p->config = config;
    scenario_init(&s, &talk, &echo);
    return &s;
}

/* ---- what is tested everywhere ---- */

static void handshakes(const struct twin_params *params, bool one_listener)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_listener, SMALL_BUFFERS);

    p.arp = true;
    s->allowed = "inet.drop_arp_queue_full";
    scenario_talk(s, &p, TALK_CLIENT_CLOSES, 8, 1, 1);
    run(s, &p);
}

static void bulk_both_ways(const struct twin_params *params, bool one_listener)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_listener, SMALL_BUFFERS);

    scenario_talk(s, &p, TALK_CLIENT_CLOSES, 2, 400000, 300000);
    run(s, &p);
}

static void all_ways_to_end(const struct twin_params *params, bool one_listener)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_listener, SMALL_BUFFERS);

    /* Segments under way when a connection is reset find nobody; who answers may be another worker, whose
     * RST overtakes. */
    s->allowed = "tcp.drop_no_connection tcp.drop_reset_no_connection tcp.drop_data_after_close "
                 "tcp.drop_listen_flags tcp.drop_out_of_window";
    for (unsigned i = 0; i < 3; i++)
        for (unsigned kind = 0; kind < TALK_KINDS; kind++)
            if (kind != TALK_STALL)
                scenario_talk(s, &p, kind, 1, 40000 + i, 50000 + i);
    run(s, &p);
}

static void churn(const struct twin_params *params, bool one_listener)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_listener, SMALL_BUFFERS "max_concurrency = 64\n");

    scenario_talk(s, &p, TALK_CLIENT_CLOSES, 150, 64, 64);
    scenario_talk(s, &p, TALK_SERVER_CLOSES, 150, 64, 64);
    run(s, &p);
}

static void closed_windows(const struct twin_params *params, bool one_listener)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_listener, SMALL_BUFFERS);

    s->allowed = "tcp.drop_zero_window"; /* probes carry a byte */
    scenario_talk(s, &p, TALK_STALL, 2, 100000, 1000);
    run(s, &p);
}

static void datagrams(const struct twin_params *params, bool one_socket)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_socket, "");

    scenario_echo(s, &p, 2);
    run(s, &p);
}

static void sleepers_are_woken(const struct twin_params *params, bool one_listener)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_listener, SMALL_BUFFERS "idle = sleep\n");

    p.wakes = true;
    s->echo.p.datagrams = 100;
    scenario_talk(s, &p, TALK_HALF_CLOSE, 3, 30000, 30000);
    scenario_echo(s, &p, 1);
    run(s, &p);
}

static void floods_lose_nothing_uncounted(const struct twin_params *params, bool one_socket)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_socket, SMALL_BUFFERS);

    s->echo.p = (struct echo_params){
        .server_worker = s->echo.p.server_worker, .datagrams = 3000, .window = 0, .len = 64};
    s->allowed = "udp.* steer.drop_ring_full worker.drop_handover_full";
    scenario_echo(s, &p, 1);
    scenario_talk(s, &p, TALK_CLIENT_CLOSES, 2, 100000, 100000); /* nothing is left of it */
    run(s, &p);
}

/** Buckets move all the time, with the connections that may and beside those that may not. */
static void moves_lose_and_disorder_nothing(const struct twin_params *params, bool one_listener)
{
    struct twin_params p = *params;
    struct scenario *s = prepare(&p, one_listener, SMALL_BUFFERS);

    /* Without TIME-WAIT another worker may take a port again before the server is done with it. */
    s->allowed = "tcp.drop_syn_sent_ack tcp.drop_syn_in_window tcp.drop_listen_flags tcp.drop_no_connection "
                 "tcp.drop_reset_no_connection";
    /* The new worker may send by another queue of the device, and between queues there is no order: of
     * datagrams only one is under way then. */
    if (p.side[0].queues > 1) {
        s->echo.p.window = 1;
        s->allowed = "tcp.drop_syn_sent_ack tcp.drop_syn_in_window tcp.drop_listen_flags "
                     "tcp.drop_no_connection tcp.drop_reset_no_connection tcp.drop_paws "
                     "tcp.drop_out_of_window tcp.rx_out_of_order";
    }
    s->moves = true;
    s->talk.p.movable = true;
    s->echo.p.len = 200; /* as many as there are fit into the small buffer of one socket */
    scenario_echo(s, &p, 2);
    scenario_talk(s, &p, TALK_CLIENT_CLOSES, 3, 200000, 100000);
    scenario_talk(s, &p, TALK_SERVER_CLOSES, 3, 50000, 100000);
    scenario_talk(s, &p, TALK_HALF_CLOSE, 3, 5000, 9000);
    run(s, &p);
}

/* ---- the list ---- */

static const struct {
    const char *name;
    void (*body)(const struct twin_params *p, bool one_listener);
} bodies[] = {
    {"handshakes", handshakes},
    {"bulk_both_ways", bulk_both_ways},
    {"all_ways_to_end", all_ways_to_end},
    {"churn", churn},
    {"closed_windows", closed_windows},
    {"datagrams", datagrams},
    {"sleepers_are_woken", sleepers_are_woken},
    {"moves_lose_and_disorder_nothing", moves_lose_and_disorder_nothing},
    {"floods_lose_nothing_uncounted", floods_lose_nothing_uncounted},
};

static void run_case(void **state)
{
    const struct test *t = *state;
    struct twin_params p = place_params(&t->place);

    t->body(&p, t->one_listener);
}

static struct test tests[MAX_TESTS];
static size_t num_tests;

static void add_place(const struct place *p, const char *only)
{
    for (unsigned one = 0; one <= (p->workers > 1); one++)
        for (size_t b = 0; b < sizeof(bodies) / sizeof(bodies[0]) && num_tests < MAX_TESTS; b++) {
            struct test *t = &tests[num_tests];

            *t = (struct test){.place = *p, .one_listener = one, .body = bodies[b].body};
            snprintf(t->name, sizeof(t->name), "%s: %s W%u Q%u %s", bodies[b].name, p->design, p->workers,
                     p->queues, one ? "one listener" : "a listener each");
            num_tests += !only || strstr(t->name, only) != NULL;
        }
}

int main(void)
{
    static struct CMUnitTest all[MAX_TESTS];
    struct place places[PLACES_MAX];
    size_t num_places = places_list(places);

    for (size_t i = 0; i < num_places; i++)
        add_place(&places[i], getenv("VNFLAB_CASE"));
    for (size_t i = 0; i < num_tests; i++)
        all[i] =
            (struct CMUnitTest){.name = tests[i].name, .test_func = run_case, .initial_state = &tests[i]};
    return _cmocka_run_group_tests("designs", all, num_tests, NULL, NULL);
}
