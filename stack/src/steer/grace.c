/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How a worker learns that what was distributed before a change of the table has been processed, without
 * anybody's having to wait: grace, drained lanes, empty hands. And what a worker needs that for when it
 * begins to listen: before, opening segments of its flows went to others, who may still have them, and the
 * peer may have repeated them since. Until all of that is processed, whoever opens a connection pins it, and
 * only one can; after it, this worker's own opens need no pin. */
#include "steer/steer_priv.h"

/* fetch_add(0): whoever enters a queue after it synchronizes with it and sees the new table; whoever is
 * inside shows an odd word, and has let go when the word has changed, its lanes being visible then. */
void grace_begin(struct steer *s, struct steer_wait *w)
{
    for (unsigned q = 0; q < s->params.num_queues; q++)
        w->awaited[q] = atomic_fetch_add_explicit(&s->queue[q].lock, 0, memory_order_acq_rel);
}

bool grace_is_over(struct steer *s, struct steer_wait *w)
{
    bool over = true;

    for (unsigned q = 0; q < s->params.num_queues; q++) {
        if ((w->awaited[q] & 1) == 0)
            continue;
        if (atomic_load_explicit(&s->queue[q].lock, memory_order_acquire) == w->awaited[q])
            over = false;
        else
            w->awaited[q] = 0;
    }
    return over;
}

void drain_begin(struct steer *s, struct steer_wait *wait, unsigned worker)
{
    struct steer_worker *w = &s->worker[worker];

    for (unsigned q = 0; q < s->params.num_queues; q++)
        wait->queue_heads[q] = atomic_load_explicit(&s->queue[q].lane[worker]->head, memory_order_acquire);
    wait->worker_lanes = 0;
    for (unsigned from = 0; from < s->params.num_workers; from++) {
        struct lane *l = atomic_load_explicit(&w->lane[from], memory_order_acquire);

        if (!l)
            continue;
        wait->worker_heads[from] = atomic_load_explicit(&l->head, memory_order_acquire);
        wait->worker_lanes |= UINT64_C(1) << from;
    }
}

bool drain_is_over(struct steer *s, const struct steer_wait *wait, unsigned worker)
{
    struct steer_worker *w = &s->worker[worker];

    for (unsigned q = 0; q < s->params.num_queues; q++)
        if (!lane_reached(s->queue[q].lane[worker], wait->queue_heads[q]))
            return false;
    for (uint64_t left = wait->worker_lanes; left; left &= left - 1) {
        unsigned from = (unsigned)__builtin_ctzll(left);

        if (!lane_reached(atomic_load_explicit(&w->lane[from], memory_order_acquire),
                          wait->worker_heads[from]))
            return false;
    }
    return true;
}

/* ---- a worker that begins to listen ---- */

enum { SETTLED, SETTLE_GRACE, SETTLE_DRAIN, SETTLE_HANDS };

void settle_begin(struct steer *s, unsigned worker)
{
    struct settling *n = &s->worker[worker].settling;

    if (n->step == SETTLED)
        moving_add(s, worker, 1);
    n->step = SETTLE_GRACE;
    grace_begin(s, &n->wait);
}

void settle_end(struct steer *s, unsigned worker)
{
    struct settling *n = &s->worker[worker].settling;

    if (n->step != SETTLED)
        moving_add(s, worker, -1);
    n->step = SETTLED;
}

bool is_settling(const struct steer *s, unsigned worker)
{
    return s->worker[worker].settling.step != SETTLED;
}

/* The others in turn, from n->other on; a worker that has gone has nothing left. */
static void next_other(struct steer *s, struct settling *n, unsigned self)
{
    while (n->other < s->params.num_workers && (n->other == self || !steer_is_present(s, n->other)))
        n->other++;
    if (n->other == s->params.num_workers) {
        settle_end(s, self);
        return;
    }
    n->step = SETTLE_DRAIN;
    drain_begin(s, &n->wait, n->other);
}

static bool settle_step(struct steer *s, unsigned self)
{
    struct settling *n = &s->worker[self].settling;
    bool gone = n->step >= SETTLE_DRAIN && !steer_is_present(s, n->other);

    switch (n->step) {
    case SETTLE_GRACE:
        if (!grace_is_over(s, &n->wait))
            return false;
        n->other = 0;
        next_other(s, n, self);
        return true;
    case SETTLE_DRAIN:
        if (!gone && !drain_is_over(s, &n->wait, n->other))
            return false;
        n->hands = hands_of(&s->worker[n->other]);
        n->step = SETTLE_HANDS;
        return true;
    case SETTLE_HANDS:
        if (!gone && (n->hands & 1) && hands_of(&s->worker[n->other]) == n->hands)
            return false;
        n->other++;
        next_other(s, n, self);
        return true;
    default:
        return false;
    }
}

void settle_go_on(struct steer *s, unsigned worker)
{
    while (settle_step(s, worker)) {
    }
}
