/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Distribution under fire: four workers drain two queues for each other while a fifth thread has random
 * buckets moved, one worker comes late, and some flows never move. Each flow's frames carry numbers: every
 * frame must be processed once, by the worker that has the flow, in order. Nothing may be lost: fewer frames
 * are under way than any ring holds. Run it under ThreadSanitizer, too. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "base/prng.h"
#include "steer/flow_hash.h"
#include "steer/steer_testkit.h"

#define WORKERS 4u
#define LATE 3u /* the worker that comes late */
#define QUEUES 2u
#define FLOWS 600u
#define IN_FLIGHT 900
#define BURST 24u
#define GIVEN UINT64_C(0x8000000000000000) /* not ordered: the frame was given by hand */

struct flow {
    struct steer_flow id;
    uint32_t bucket;
    uint32_t sent;    /* written under the lock of its queue */
    uint32_t arrived; /* of its owner */
    bool pinned;      /* of its owner */
};

struct test {
    struct steer *s;
    struct flow flow[FLOWS];
    atomic_int live;
    atomic_bool stop_sending, stop;
    atomic_uint errors;
    atomic_uint given;
};

struct actor {
    struct test *t;
    unsigned index;
    struct prng rnd;
    bool owned[FLOWS];
    uint64_t processed, attached;
};

struct cargo {
    unsigned num;
    uint16_t flow[FLOWS];
};

static void *detach(void *ctx, const struct steer_buckets *set, unsigned to)
{
    struct actor *a = ctx;
    struct cargo *c = calloc(1, sizeof(*c));

    (void)to;
    for (unsigned i = 0; i < FLOWS; i++) {
        struct flow *f = &a->t->flow[i];

        if (!a->owned[i] || !steer_buckets_has(set, f->bucket))
            continue;
        if (prng_below(&a->rnd, 4) == 0) { /* stays, this time */
            steer_pin(a->t->s, &f->id, a->index);
            f->pinned = true;
            continue;
        }
        if (f->pinned)
            steer_unpin(a->t->s, &f->id);
        f->pinned = false;
        a->owned[i] = false;
        c->flow[c->num++] = (uint16_t)i;
    }
    if (c->num)
        return c;
    free(c);
    return NULL;
}

static void attach(void *ctx, void *cargo)
{
    struct actor *a = ctx;
    struct cargo *c = cargo;

    for (unsigned i = 0; i < c->num; i++)
        a->owned[c->flow[i]] = true;
    a->attached += c->num;
    free(c);
}

static const struct steer_ops ops = {detach, attach, NULL};

static void complain(struct actor *a, const char *what, unsigned flow, uint64_t got, uint64_t want)
{
    struct flow *f = &a->t->flow[flow];

    if (atomic_fetch_add(&a->t->errors, 1) < 10)
        fprintf(stderr, "worker %u: flow %u (bucket %u, home %u): %s: %llu instead of %llu\n", a->index, flow,
                f->bucket, steer_bucket_worker(a->t->s, f->bucket), what, (unsigned long long)got,
                (unsigned long long)want);
}

static void process(struct actor *a, struct pkt *p)
{
    uint64_t tag = kit_tag(p);
    unsigned i = (unsigned)(tag >> 32) & 0xffff;
    struct flow *f = &a->t->flow[i];

    if (!a->owned[i]) {
        complain(a, "a frame of another worker's flow", i, a->index, a->index);
    } else if (!(tag & GIVEN)) {
        if ((uint32_t)tag != f->arrived)
            complain(a, "order", i, (uint32_t)tag, f->arrived);
        f->arrived = (uint32_t)tag + 1;
    }
    a->processed++;
    pkt_free(p);
}

static struct pkt *next_frame(struct actor *a, unsigned queue)
{
    unsigned i = (unsigned)prng_below(&a->rnd, FLOWS / QUEUES) * QUEUES + queue;
    struct flow *f = &a->t->flow[i];

    return kit_pkt(&a->t->live, &f->id, TCP_ACK, (uint64_t)i << 32 | f->sent++);
}

static void drain_queue(struct actor *a, unsigned queue)
{
    struct pkt *frames[BURST];
    unsigned n = 0, mine;

    if (!steer_rx_enter(a->t->s, queue))
        return;
    while (n < BURST && atomic_load(&a->t->live) < IN_FLIGHT && !atomic_load(&a->t->stop_sending))
        frames[n++] = next_frame(a, queue);
    mine = steer_distribute(a->t->s, queue, a->index, frames, n);
    if (prng_below(&a->rnd, 8) == 0)
        sched_yield(); /* inside: others must do without the queue */
    steer_rx_leave(a->t->s, queue);
    for (unsigned i = 0; i < mine; i++)
        process(a, frames[i]);
}

/* As with a datagram put together from fragments: it is at the wrong worker, and says so. */
static void give_one(struct actor *a)
{
    unsigned i = (unsigned)prng_below(&a->rnd, FLOWS);
    struct flow *f = &a->t->flow[i];
    unsigned to = steer_target(a->t->s, &f->id, false);
    struct pkt *p;

    if (to == a->index || to == STEER_NOBODY || atomic_load(&a->t->live) >= IN_FLIGHT ||
        atomic_load(&a->t->stop_sending))
        return;
    p = kit_pkt(&a->t->live, &f->id, TCP_ACK, GIVEN | (uint64_t)i << 32);
    atomic_fetch_add(&a->t->given, 1);
    if (prng_below(&a->rnd, 4) == 0)
        sched_yield(); /* what was found out grows old */
    steer_give(a->t->s, a->index, to, p);
}

static void round_of(struct actor *a)
{
    struct pkt *frames[BURST];
    unsigned n, want = 1 + (unsigned)prng_below(&a->rnd, BURST);

    do {
        n = steer_take(a->t->s, a->index, frames, want);
        for (unsigned i = 0; i < n; i++)
            process(a, frames[i]);
    } while (n == want && prng_below(&a->rnd, 4));
    for (unsigned q = 0; q < QUEUES; q++)
        drain_queue(a, (q + a->index) % QUEUES);
    if (prng_below(&a->rnd, 4) == 0)
        give_one(a);
    steer_moves(a->t->s, a->index);
    if (prng_below(&a->rnd, 16) == 0)
        sched_yield();
    if (prng_below(&a->rnd, 2000) == 0) /* an application that takes its time */
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
}

/* The flows of a worker that is not there begin at its stand-in, pinned. */
static void own_first(struct actor *a)
{
    for (unsigned i = 0; i < FLOWS; i++) {
        struct flow *f = &a->t->flow[i];

        if (steer_target(a->t->s, &f->id, false) != a->index)
            continue;
        a->owned[i] = true;
        if (!steer_owns(a->t->s, a->index, &f->id)) {
            f->pinned = true;
            steer_pin(a->t->s, &f->id, a->index);
        }
    }
}

static void *work(void *arg)
{
    struct actor *a = arg;

    if (a->index == LATE) {
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        steer_join(a->t->s, LATE, &ops, a);
    }
    while (!atomic_load(&a->t->stop))
        round_of(a);
    return NULL;
}

static void *move_about(void *arg)
{
    struct test *t = arg;
    struct prng rnd = {42};

    while (!atomic_load(&t->stop_sending)) {
        unsigned b = (unsigned)prng_below(&rnd, STEER_BUCKETS);

        for (unsigned n = (unsigned)prng_below(&rnd, 12); n > 0; n--)
            steer_move(t->s, (b + n * 7) % STEER_BUCKETS, (unsigned)prng_below(&rnd, WORKERS));
        sched_yield();
    }
    return NULL;
}

static void make_flows(struct test *t)
{
    struct prng rnd = {7};

    for (unsigned i = 0; i < FLOWS; i++) {
        struct steer_flow *f = &t->flow[i].id;

        f->proto = IP_PROTO_TCP;
        f->local = 0x0a000001;
        f->peer = 0x0a000100 + (uint32_t)prng_below(&rnd, 200);
        f->local_port = 80;
        f->peer_port = (uint16_t)(1024 + i * 7);
        t->flow[i].bucket = flow_hash_ipv4(f->local, f->peer, 80, f->peer_port) % STEER_BUCKETS;
    }
}

static void wait_until_empty(struct test *t)
{
    for (unsigned i = 0; atomic_load(&t->live) > 0 && i < 20000; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void check_sums(struct test *t, struct actor *actors)
{
    struct steer_counters c;
    uint64_t moved = 0, parked = 0;

    for (unsigned w = 0; w < WORKERS; w++) {
        steer_get_counters(t->s, w, &c);
        moved += c.buckets_in;
        parked += c.parked;
        assert_int_equal(c.drop_ring_full, 0);
        assert_int_equal(c.drop_park_full, 0);
        print_message("# worker %u: %llu frames, %llu flows taken over, %llu held back, %u buckets\n", w,
                      (unsigned long long)actors[w].processed, (unsigned long long)actors[w].attached,
                      (unsigned long long)c.parked, c.buckets);
    }
    print_message("# %llu buckets moved, %u frames given by hand\n", (unsigned long long)moved,
                  atomic_load(&t->given));
    assert_true(moved > 100);
    assert_true(parked > 100);
    for (unsigned i = 0; i < FLOWS; i++)
        assert_int_equal(t->flow[i].sent, t->flow[i].arrived);
}

static void order_holds_while_buckets_move(void **state)
{
    static struct test t;
    static struct actor actors[WORKERS];
    const struct steer_params params = {STEER_SHARED, WORKERS, QUEUES, 1024, 1024, 32768, 60999, {0}};
    pthread_t thread[WORKERS], mover;

    (void)state;
    make_flows(&t);
    assert_int_equal(steer_create(&params, &t.s), ST_OK);
    for (unsigned w = 0; w < WORKERS; w++) {
        actors[w] = (struct actor){.t = &t, .index = w, .rnd = {w + 1}};
        if (w != LATE)
            steer_join(t.s, w, &ops, &actors[w]);
    }
    for (unsigned w = 0; w < WORKERS; w++)
        own_first(&actors[w]);
    for (unsigned w = 0; w < WORKERS; w++)
        pthread_create(&thread[w], NULL, work, &actors[w]);
    pthread_create(&mover, NULL, move_about, &t);
    nanosleep(&(struct timespec){.tv_sec = 3}, NULL);
    atomic_store(&t.stop_sending, true);
    pthread_join(mover, NULL);
    wait_until_empty(&t);
    atomic_store(&t.stop, true);
    for (unsigned w = 0; w < WORKERS; w++)
        pthread_join(thread[w], NULL);
    assert_int_equal(atomic_load(&t.live), 0);
    assert_int_equal(atomic_load(&t.errors), 0);
    check_sums(&t, actors);
    for (unsigned w = 0; w < WORKERS; w++)
        steer_leave(t.s, w);
    steer_destroy(t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_holds_while_buckets_move)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
