/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The way of a received frame: entering a queue, sorting a burst, taking what waits.
 * No read-modify-write of shared memory per frame: a frame costs its hash, one word of the indirection table,
 * one count and one slot; a burst costs one store per worker that gets something. Frames are read a few
 * ahead, because their first touch is a cache miss. */
#include "steer/steer_priv.h"

#define PREFETCH_AHEAD 6u

bool steer_rx_enter(struct steer *s, unsigned queue)
{
    _Atomic uint64_t *lock = &s->queue[queue].lock;
    uint64_t seen = atomic_load_explicit(lock, memory_order_relaxed);

    return (seen & 1) == 0 && atomic_compare_exchange_strong_explicit(
                                  lock, &seen, seen + 1, memory_order_acquire, memory_order_relaxed);
}

void steer_rx_leave(struct steer *s, unsigned queue)
{
    atomic_fetch_add_explicit(&s->queue[queue].lock, 1, memory_order_release);
}

/* One call of steer_distribute(). */
struct sorting {
    struct steer *s;
    struct steer_queue *q;
    unsigned queue, self;
    struct pkt **keep; /* where the frames that stay go */
    unsigned kept;
    uint64_t filled; /* bit w: the lane of w has got frames */
};

/* The frame is of the worker that sorts. */
static inline void keep(struct sorting *run, struct pkt *frame, uint32_t entry)
{
    struct steer_worker *w = &run->s->worker[run->self];
    struct lane *l = run->q->lane[run->self];

    if (__builtin_expect(!lane_is_empty(l), 0)) {
        if (lane_stage(l, frame))
            run->filled |= UINT64_C(1) << run->self;
        else
            pkt_free(frame);
        return;
    }
    if (__builtin_expect((entry & ENTRY_HOLD) || !hold_is_idle(w), 0) &&
        !hold_admit(run->s, run->self, frame, false))
        return;
    run->keep[run->kept++] = frame;
}

static inline void put(struct sorting *run, unsigned target, struct pkt *frame, uint32_t entry)
{
    if (__builtin_expect(target == STEER_NOBODY, 0)) {
        atomic_fetch_add_explicit(&run->s->drop_absent, 1, memory_order_relaxed);
        pkt_free(frame);
    } else if (target == run->self) {
        keep(run, frame, entry);
    } else if (lane_stage(run->q->lane[target], frame)) {
        run->filled |= UINT64_C(1) << target;
    } else {
        pkt_free(frame);
    }
}

/* No flow: for whoever is here. */
static unsigned anyone(const struct sorting *run)
{
    return run->self != STEER_NOBODY ? run->self : steer_stand_in(run->s, 0);
}

static inline void sort_one(struct sorting *run, struct pkt *frame)
{
    const struct steer *s = run->s;
    struct flow_class c;
    uint32_t entry;
    unsigned b, home;

    flow_classify(frame->data, frame->len, frame->more_len, &c);
    frame->hash = c.hash;
    if (__builtin_expect(c.kind == FLOW_NONE, 0)) {
        put(run, anyone(run), frame, 0);
        return;
    }
    b = bucket_of_hash(c.hash);
    entry = bucket_entry(&s->table, b);
    lane_count_add(&run->q->bucket_frames[b], 1);
    home = steer_stand_in(s, s->params.design == STEER_DIRECT ? run->queue % s->params.num_workers
                                                              : entry_home(entry));
    if ((entry & ENTRY_PINS) || c.kind != FLOW_TCP || s->params.design == STEER_DIRECT)
        home = steer_route(run->s, &c, entry, home);
    put(run, home, frame, entry);
}

unsigned steer_distribute(struct steer *s, unsigned queue, unsigned self, struct pkt **frames, unsigned n)
{
    struct sorting run = {.s = s, .q = &s->queue[queue], .queue = queue, .self = self, .keep = frames};

    for (unsigned i = 0; i < n && i < PREFETCH_AHEAD; i++)
        __builtin_prefetch(frames[i]->data);
    for (unsigned i = 0; i < n; i++) {
        /* Frames that stay move to the front: what is ahead is not overwritten before it is read. */
        if (i + 2 * PREFETCH_AHEAD < n)
            __builtin_prefetch(frames[i + 2 * PREFETCH_AHEAD]);
        if (i + PREFETCH_AHEAD < n)
            __builtin_prefetch(frames[i + PREFETCH_AHEAD]->data);
        sort_one(&run, frames[i]);
    }
    for (uint64_t left = run.filled; left; left &= left - 1)
        lane_publish(run.q->lane[__builtin_ctzll(left)]);
    if (run.kept) {
        lane_count_add(&s->worker[self].kept, run.kept);
        hands_are_full(&s->worker[self]);
    }
    return run.kept;
}

/* Keeps of n frames from one lane what may be processed now. */
static unsigned admit_all(struct steer *s, unsigned self, struct pkt **frames, unsigned n, bool given)
{
    unsigned kept = 0;

    if (!given && hold_is_idle(&s->worker[self]))
        return n;
    for (unsigned i = 0; i < n; i++)
        if (hold_admit(s, self, frames[i], given))
            frames[kept++] = frames[i];
    return kept;
}

/* Up to n frames of one lane; fewer only when it is empty, however many had to be held back. */
static unsigned take_lane(struct steer *s, unsigned self, struct lane *l, struct pkt **frames, unsigned n,
                          bool given)
{
    unsigned got = 0, more;

    while (got < n && (more = lane_take(l, frames + got, n - got)) > 0)
        got += admit_all(s, self, frames + got, more, given);
    return got;
}

unsigned steer_take(struct steer *s, unsigned worker, struct pkt **frames, unsigned n)
{
    struct steer_worker *w = &s->worker[worker];
    unsigned lanes = s->params.num_queues, got = 0;
    uint64_t from = atomic_load_explicit(&w->lane_from, memory_order_acquire);

    hands_are_full(w);
    if (w->some_open)
        got = hold_take(s, worker, frames, n);
    for (; from && got < n; from &= from - 1) {
        struct lane *l = atomic_load_explicit(&w->lane[__builtin_ctzll(from)], memory_order_relaxed);

        got += take_lane(s, worker, l, frames + got, n - got, true);
    }
    if (w->next_lane >= lanes)
        w->next_lane = 0;
    for (unsigned i = 0; i < lanes && got < n; i++) {
        unsigned at = w->next_lane + i;
        struct lane *l = s->queue[at < lanes ? at : at - lanes].lane[worker];

        got += take_lane(s, worker, l, frames + got, n - got, false);
    }
    w->next_lane++;
    return got;
}

unsigned steer_waiting(const struct steer *s, unsigned worker)
{
    const struct steer_worker *w = &s->worker[worker];
    uint64_t from = atomic_load_explicit(&w->lane_from, memory_order_acquire);
    unsigned sum = 0;

    for (unsigned q = 0; q < s->params.num_queues; q++)
        sum += lane_waiting(s->queue[q].lane[worker]);
    for (; from; from &= from - 1)
        sum += lane_waiting(atomic_load_explicit(&w->lane[__builtin_ctzll(from)], memory_order_relaxed));
    return sum;
}

/* The lane is made when it is used first; only its producer does that. */
static struct lane *lane_between(struct steer *s, unsigned from, unsigned to)
{
    struct steer_worker *w = &s->worker[to];
    struct lane *l = atomic_load_explicit(&w->lane[from], memory_order_relaxed);

    if (l)
        return l;
    l = lane_create(s->params.ring_frames);
    if (!l)
        return NULL;
    atomic_store_explicit(&w->lane[from], l, memory_order_release);
    atomic_fetch_or_explicit(&w->lane_from, UINT64_C(1) << from, memory_order_release);
    return l;
}

bool steer_give_frame(struct steer *s, unsigned from, unsigned to, struct pkt *frame)
{
    struct lane *l = lane_between(s, from, to);
    bool ok = l && lane_stage(l, frame);

    if (ok) {
        lane_publish(l);
    } else {
        if (!l)
            atomic_fetch_add_explicit(&s->drop_absent, 1, memory_order_relaxed);
        pkt_free(frame);
    }
    return ok;
}

bool steer_give(struct steer *s, unsigned from, unsigned to, struct pkt *frame)
{
    struct flow_class c;

    flow_classify(frame->data, frame->len, frame->more_len, &c);
    frame->hash = c.hash;
    return steer_give_frame(s, from, to, frame);
}
