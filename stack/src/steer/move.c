/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Buckets move from worker A to worker B. Each step belongs to one of them; README.md has the argument why no
 * flow is reordered. In short: (1) A sets the table to B, which holds the bucket's frames back. (2) Grace: no
 * distributor uses the old entry any more. (3) A processes what its lanes held then, detaches, and waits
 * until what it sent has left. Flows that stay are pinned to A; from here on A holds back frames of these
 * buckets that come to it directly. (4) B attaches, and hands on to A what it held back of flows that stay.
 * (5) Second grace: no distributor overlooks the new pins any more. (6) B hands on what its lanes held then.
 * (7) A has taken all that was handed on: what it held back comes out behind it. Steps 5 to 7 fall away when
 * no flow stays. */
#include <string.h>

#include "steer/steer_priv.h"

/* ---- asking ---- */

static bool may_move(const struct steer *s, unsigned from, unsigned to)
{
    return from != to && steer_is_present(s, from) && steer_is_present(s, to) && s->worker[from].can_move &&
           s->worker[to].can_move && !s->worker[to].leaving;
}

bool steer_move(struct steer *s, unsigned bucket, unsigned to)
{
    unsigned from;
    bool ok;

    if (s->params.design == STEER_DIRECT || bucket >= STEER_BUCKETS || to >= s->params.num_workers)
        return false;
    pthread_mutex_lock(&s->moves_lock);
    from = entry_home(bucket_entry(&s->table, bucket));
    ok = !s->busy[bucket] && may_move(s, from, to);
    if (ok) {
        s->busy[bucket] = true;
        s->want[bucket] = (uint8_t)to;
        steer_buckets_add(&s->worker[from].requested, bucket);
        moving_add(s, from, 1);
    }
    pthread_mutex_unlock(&s->moves_lock);
    return ok;
}

unsigned steer_bucket_worker(const struct steer *s, unsigned bucket)
{
    return entry_home(bucket_entry(&s->table, bucket % STEER_BUCKETS));
}

/* moves_lock is held. */
static void request_end(struct steer *s, unsigned from, unsigned b, bool dropped)
{
    steer_buckets_del(&s->worker[from].requested, b);
    moving_add(s, from, -1);
    if (dropped)
        s->busy[b] = false;
}

void move_drop_requests(struct steer *s, unsigned worker)
{
    for_each_bucket(b, &s->worker[worker].requested)
        request_end(s, worker, b, true);
}

bool move_still_has(const struct steer *s, unsigned worker, unsigned bucket)
{
    const struct steer_batch *m = &s->worker[worker].batch;
    enum move_phase phase = batch_phase(m);

    return (phase == MOVE_GRACE || phase == MOVE_DRAIN) && steer_buckets_has(&m->set, bucket);
}

/* ---- the steps ---- */

static void finish(struct steer *s, unsigned from, bool moved)
{
    struct steer_batch *m = &s->worker[from].batch;
    uint64_t n = 0;

    pthread_mutex_lock(&s->moves_lock);
    for_each_bucket(b, &m->set) {
        s->busy[b] = false;
        n++;
    }
    if (moved) {
        lane_count_add(&s->worker[from].buckets_out, n);
        lane_count_add(&s->worker[batch_to(m)].buckets_in, n);
    }
    moving_add(s, from, -1);
    moving_add(s, batch_to(m), -1);
    batch_set_phase(m, MOVE_IDLE);
    pthread_mutex_unlock(&s->moves_lock);
}

/* A batch of all requests that have the first one's destination; false when there is none. */
static bool batch_make(struct steer *s, unsigned from)
{
    struct steer_batch *m = &s->worker[from].batch;
    bool any = false;

    memset(&m->set, 0, sizeof(m->set));
    memset(&m->stays, 0, sizeof(m->stays));
    m->any_stays = false;
    m->cargo = NULL;
    atomic_store_explicit(&m->refused, false, memory_order_relaxed);
    pthread_mutex_lock(&s->moves_lock);
    for_each_bucket(b, &s->worker[from].requested) {
        bool possible = may_move(s, from, s->want[b]);

        if (any && possible && s->want[b] != batch_to(m))
            continue;
        request_end(s, from, b, !possible);
        if (possible) {
            any = true;
            atomic_store_explicit(&m->to, s->want[b], memory_order_relaxed);
            steer_buckets_add(&m->set, b);
        }
    }
    if (any) {
        moving_add(s, from, 1);
        moving_add(s, batch_to(m), 1);
        for_each_bucket(b, &m->set)
            bucket_move_begin(&s->table, b, from, batch_to(m));
        batch_set_phase(m, MOVE_GRACE); /* all under the lock: who leaves sees it, or the requests */
    }
    pthread_mutex_unlock(&s->moves_lock);
    return any;
}

static bool step_start(struct steer *s, unsigned from)
{
    struct steer_batch *m = &s->worker[from].batch;

    if (!batch_make(s, from))
        return false;
    grace_begin(s, &m->wait);
    return true;
}

/* The destination has refused: the buckets are here again, and with them what was held back. */
static void step_undo(struct steer *s, unsigned from)
{
    struct steer_worker *w = &s->worker[from];

    for_each_bucket(b, &w->batch.set)
        bucket_move_back(&s->table, b, from);
    w->some_open = w->held > 0;
    batch_set_phase(&w->batch, MOVE_RETURN_FLUSH);
}

/* Pins count again, and what comes directly of the buckets with some waits for what B hands on. */
static void step_detached(struct steer *s, unsigned from)
{
    struct steer_worker *w = &s->worker[from];
    struct steer_batch *m = &w->batch;

    for_each_bucket(b, &m->set)
        if (bucket_move_detached(&s->table, b, from)) {
            steer_buckets_add(&m->stays, b);
            steer_buckets_add(&w->returning, b);
            w->num_returning++;
            m->any_stays = true;
        }
}

static void return_end(struct steer_worker *w, const struct steer_batch *m)
{
    for_each_bucket(b, &m->stays)
        if (steer_buckets_has(&w->returning, b)) {
            steer_buckets_del(&w->returning, b);
            w->num_returning--;
        }
    w->some_open = w->held > 0;
}

static void step_detach(struct steer *s, unsigned from)
{
    struct steer_worker *w = &s->worker[from];
    struct steer_batch *m = &w->batch;

    m->cargo = w->ops->detach(w->ctx, &m->set, batch_to(m));
    step_detached(s, from);
    m->sent_mark = 0;
    batch_set_phase(m, MOVE_SENT);
}

static bool all_is_sent(const struct steer_worker *w, struct steer_batch *m)
{
    return !w->ops->sent_all || w->ops->sent_all(w->ctx, &m->sent_mark);
}

static void step_hand_over(struct steer *s, unsigned from)
{
    struct steer_worker *w = &s->worker[from];
    struct steer_batch *m = &w->batch;
    bool refused;

    pthread_mutex_lock(&s->moves_lock);
    refused = batch_is_refused(m);
    if (!refused)
        batch_set_phase(m, MOVE_ATTACH);
    pthread_mutex_unlock(&s->moves_lock);
    if (!refused)
        return;
    if (m->cargo)
        w->ops->attach(w->ctx, m->cargo);
    m->cargo = NULL;
    return_end(w, m);
    step_undo(s, from);
}

static void step_attach(struct steer *s, struct steer_batch *m, unsigned self)
{
    struct steer_worker *w = &s->worker[self];

    if (m->cargo)
        w->ops->attach(w->ctx, m->cargo);
    m->cargo = NULL;
    for_each_bucket(b, &m->set)
        bucket_move_attached(&s->table, b);
    w->some_open = w->held > 0;
    if (!m->any_stays) {
        batch_set_phase(m, MOVE_FLUSH);
        return;
    }
    for_each_bucket(b, &m->stays)
        steer_buckets_add(&w->relaying, b), w->num_relaying++;
    hold_relay(s, self);
    grace_begin(s, &m->wait);
    batch_set_phase(m, MOVE_RELAY_GRACE);
}

static void relay_end(struct steer_worker *w, const struct steer_batch *m)
{
    for_each_bucket(b, &m->stays)
        if (steer_buckets_has(&w->relaying, b)) {
            steer_buckets_del(&w->relaying, b);
            w->num_relaying--;
        }
}

/* Nothing of the buckets is held back here any more. The source goes on, if it waits and is there. */
static void step_flushed(struct steer *s, unsigned from)
{
    struct steer_batch *m = &s->worker[from].batch;
    struct lane *l = atomic_load_explicit(&s->worker[from].lane[batch_to(m)], memory_order_relaxed);
    bool goes_on = false;

    m->return_head = l ? l->staged : 0;
    pthread_mutex_lock(&s->moves_lock);
    if (m->any_stays && steer_is_present(s, from)) {
        batch_set_phase(m, MOVE_RETURN);
        goes_on = true;
    }
    pthread_mutex_unlock(&s->moves_lock);
    if (!goes_on)
        finish(s, from, true);
}

static bool return_is_complete(const struct steer *s, unsigned from)
{
    const struct steer_batch *m = &s->worker[from].batch;
    struct lane *l = atomic_load_explicit(&s->worker[from].lane[batch_to(m)], memory_order_acquire);

    return !l || lane_reached(l, m->return_head);
}

/* One step of the batch that leaves `self`; false: nothing to do now. */
static bool advance_out(struct steer *s, unsigned self)
{
    struct steer_batch *m = &s->worker[self].batch;
    enum move_phase phase = batch_phase(m);

    if ((phase == MOVE_GRACE || phase == MOVE_DRAIN) && batch_is_refused(m)) {
        step_undo(s, self);
        return true;
    }
    switch (phase) {
    case MOVE_IDLE:
        return step_start(s, self);
    case MOVE_GRACE:
        if (!grace_is_over(s, &m->wait))
            return false;
        drain_begin(s, &m->wait, self);
        batch_set_phase(m, MOVE_DRAIN);
        return true;
    case MOVE_DRAIN:
        if (!drain_is_over(s, &m->wait, self))
            return false;
        step_detach(s, self);
        return true;
    case MOVE_SENT:
        if (!all_is_sent(&s->worker[self], m))
            return false;
        step_hand_over(s, self);
        return true;
    case MOVE_RETURN:
        if (!return_is_complete(s, self))
            return false;
        return_end(&s->worker[self], m);
        batch_set_phase(m, MOVE_RETURN_FLUSH);
        return true;
    case MOVE_RETURN_FLUSH:
        if (hold_has(&s->worker[self], &m->set))
            return false;
        finish(s, self, !batch_is_refused(m));
        return true;
    default:
        return false;
    }
}

/* One step of a batch from `from` to `self`. */
static bool advance_in(struct steer *s, unsigned from, unsigned self)
{
    struct steer_batch *m = &s->worker[from].batch;

    switch (batch_phase(m)) {
    case MOVE_ATTACH:
        step_attach(s, m, self);
        return true;
    case MOVE_RELAY_GRACE:
        if (!grace_is_over(s, &m->wait))
            return false;
        drain_begin(s, &m->wait, self);
        batch_set_phase(m, MOVE_RELAY_DRAIN);
        return true;
    case MOVE_RELAY_DRAIN:
        if (!drain_is_over(s, &m->wait, self))
            return false;
        relay_end(&s->worker[self], m);
        batch_set_phase(m, MOVE_FLUSH);
        return true;
    case MOVE_FLUSH:
        if (hold_has(&s->worker[self], &m->set))
            return false;
        step_flushed(s, from);
        return true;
    default:
        return false;
    }
}

/* Whether the phase is one in which the destination acts, and that is it. */
static bool is_inward(const struct steer_batch *m, unsigned self)
{
    return phase_is_inward(batch_phase(m)) && batch_to(m) == self;
}

void steer_moves(struct steer *s, unsigned worker)
{
    hands_are_empty(&s->worker[worker]);
    if (__builtin_expect(atomic_load_explicit(&s->worker[worker].moving, memory_order_relaxed) == 0, 1))
        return;
    settle_go_on(s, worker);
    while (advance_out(s, worker)) {
    }
    for (unsigned from = 0; from < s->params.num_workers; from++)
        while (is_inward(&s->worker[from].batch, worker) && advance_in(s, from, worker)) {
        }
}

/* ---- leaving in the middle ---- */

/* The batch from the worker, which goes with all its connections: whoever has them next gets none. */
static void abandon_out(struct steer *s, unsigned worker)
{
    struct steer_batch *m = &s->worker[worker].batch;
    enum move_phase phase = batch_phase(m);

    if (phase == MOVE_GRACE || phase == MOVE_DRAIN)
        for_each_bucket(b, &m->set)
            bucket_move_detached(&s->table, b, worker);
    if (phase >= MOVE_GRACE && phase <= MOVE_SENT)
        step_hand_over(s, worker);
    phase = batch_phase(m);
    if (phase == MOVE_RETURN || phase == MOVE_RETURN_FLUSH)
        finish(s, worker, !batch_is_refused(m));
    memset(&s->worker[worker].returning, 0, sizeof(s->worker[worker].returning));
    s->worker[worker].num_returning = 0;
}

static void abandon_in(struct steer *s, unsigned from, unsigned worker)
{
    struct steer_batch *m = &s->worker[from].batch;

    if (!is_inward(m, worker))
        return;
    if (batch_phase(m) == MOVE_ATTACH)
        step_attach(s, m, worker);
    relay_end(&s->worker[worker], m);
    step_flushed(s, from);
}

void move_abandon(struct steer *s, unsigned worker)
{
    abandon_out(s, worker);
    for (unsigned from = 0; from < s->params.num_workers; from++)
        abandon_in(s, from, worker);
}
