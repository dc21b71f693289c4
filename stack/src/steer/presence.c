/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Workers come and go. Who leaves refuses first what is on its way to it: no connection goes to where nobody
 * will have it, and a bucket's frames go to its old worker again, which holds them back until it has taken
 * notice. From then on a leaving worker hands on what still reaches it of these buckets, and at last all that
 * waits for it. Nothing here waits for another worker's thread. */
#include <string.h>

#include "steer/steer_priv.h"

/* moves_lock is held: who has each worker's buckets now, itself or the next one that is there. */
static void presence_set(struct steer *s, uint64_t present)
{
    unsigned n = s->params.num_workers;

    atomic_store_explicit(&s->present, present, memory_order_release);
    for (unsigned w = 0; w < n; w++) {
        unsigned at = w, tried = 0;

        while (tried < n && !(present >> at & 1)) {
            at = (at + 1) % n;
            tried++;
        }
        atomic_store_explicit(&s->stand_in[w], tried < n ? at : NOBODY_U8, memory_order_release);
    }
}

/* What was put into the worker's lanes before it came, or after it went. */
static void free_waiting(struct steer *s, unsigned worker)
{
    for (unsigned q = 0; q < s->params.num_queues; q++)
        lane_drain(s->queue[q].lane[worker]);
    for (unsigned from = 0; from < s->params.num_workers; from++) {
        struct lane *l = atomic_load_explicit(&s->worker[worker].lane[from], memory_order_acquire);

        if (l)
            lane_drain(l);
    }
}

void steer_join(struct steer *s, unsigned worker, const struct steer_ops *ops, void *ctx)
{
    struct steer_worker *w = &s->worker[worker];

    free_waiting(s, worker);
    w->ops = ops;
    w->ctx = ctx;
    pthread_mutex_lock(&s->moves_lock);
    w->leaving = false;
    w->can_move = ops != NULL;
    presence_set(s, atomic_load_explicit(&s->present, memory_order_relaxed) | UINT64_C(1) << worker);
    pthread_mutex_unlock(&s->moves_lock);
}

/* moves_lock is held, here and below. */
static void refuse(struct steer *s, struct steer_batch *m, unsigned from, unsigned worker)
{
    for_each_bucket(b, &m->set) {
        bucket_move_turn(&s->table, b, from);
        steer_buckets_add(&s->worker[worker].refused, b);
    }
    atomic_store_explicit(&m->refused, true, memory_order_release);
    if (batch_phase(m) == MOVE_ATTACH)
        batch_set_phase(m, MOVE_SENT); /* the cargo is the source's again */
}

/* When the source has left, its cargo has nowhere else to go. */
static void refuse_all(struct steer *s, unsigned worker)
{
    for (unsigned from = 0; from < s->params.num_workers; from++) {
        struct steer_batch *m = &s->worker[from].batch;
        enum move_phase phase = batch_phase(m);

        if (phase >= MOVE_GRACE && phase <= MOVE_ATTACH && batch_to(m) == worker &&
            steer_is_present(s, from) && !batch_is_refused(m))
            refuse(s, m, from, worker);
    }
}

/* Whether some move waits for this worker. */
static bool is_awaited(const struct steer *s, unsigned worker)
{
    for (unsigned from = 0; from < s->params.num_workers; from++) {
        const struct steer_batch *m = &s->worker[from].batch;
        enum move_phase phase = batch_phase(m);

        if (phase != MOVE_IDLE && worker == (phase_is_inward(phase) ? batch_to(m) : from))
            return true;
    }
    return false;
}

bool steer_leave_begin(struct steer *s, unsigned worker)
{
    bool first, free_to_go;

    pthread_mutex_lock(&s->moves_lock);
    first = !s->worker[worker].leaving;
    if (first) {
        s->worker[worker].leaving = true;
        move_drop_requests(s, worker);
        moving_add(s, worker, 1); /* so that every frame is looked at */
        refuse_all(s, worker);
    }
    free_to_go = !is_awaited(s, worker);
    pthread_mutex_unlock(&s->moves_lock);
    if (first)
        hold_pass_on(s, worker);
    return free_to_go;
}

static void hand_on_all(struct steer *s, unsigned worker, struct lane *l)
{
    struct pkt *frame;

    while (l && lane_take(l, &frame, 1))
        if (!hold_hand_on(s, worker, frame))
            pkt_free(frame);
}

/* What waits for the worker goes to who has it now. */
static void hand_on_waiting(struct steer *s, unsigned worker)
{
    struct steer_worker *w = &s->worker[worker];

    memset(&w->refused, 0xff, sizeof(w->refused));
    hold_pass_on(s, worker);
    memset(&w->refused, 0, sizeof(w->refused));
    hold_drop_all(w);
    for (unsigned from = 0; from < s->params.num_workers; from++)
        hand_on_all(s, worker, atomic_load_explicit(&w->lane[from], memory_order_acquire));
    for (unsigned q = 0; q < s->params.num_queues; q++)
        hand_on_all(s, worker, s->queue[q].lane[worker]);
}

void steer_leave(struct steer *s, unsigned worker)
{
    steer_leave_begin(s, worker);
    pthread_mutex_lock(&s->moves_lock);
    s->worker[worker].can_move = s->worker[worker].leaving = false;
    move_drop_requests(s, worker);
    presence_set(s, atomic_load_explicit(&s->present, memory_order_relaxed) & ~(UINT64_C(1) << worker));
    pthread_mutex_unlock(&s->moves_lock);
    move_abandon(s, worker);
    hand_on_waiting(s, worker);
    settle_end(s, worker);
    moving_add(s, worker, -1);
    ports_forget(&s->ports, worker);
}
