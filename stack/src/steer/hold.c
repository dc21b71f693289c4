/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames that a worker holds back while their bucket moves: one queue in the order of arrival, and a count
 * per bucket. A frame that arrives while others of its bucket are held goes behind them, so that order holds
 * until the last one is out. The whole is the worker's thread's own. */
#include "steer/steer_priv.h"

static void hold(struct steer *s, unsigned self, unsigned b, struct pkt *frame)
{
    struct steer_worker *w = &s->worker[self];

    if (w->held >= s->params.park_frames || w->held_of[b] == UINT16_MAX) {
        lane_count_add(&w->drop_park_full, 1);
        pkt_free(frame);
        return;
    }
    if (w->held == 0)
        w->held_end = &w->held_first;
    frame->next = NULL;
    *w->held_end = frame;
    w->held_end = &frame->next;
    w->held++;
    w->held_of[b]++;
    lane_count_add(&w->parked, 1);
}

/* Frames of the bucket must wait: it has not arrived, or what the destination hands back comes first. */
static bool is_closed(struct steer *s, unsigned self, unsigned b)
{
    const struct steer_worker *w = &s->worker[self];
    uint32_t entry = bucket_entry(&s->table, b);

    return ((entry & ENTRY_HOLD) && entry_home(entry) == self) ||
           (w->num_returning && steer_buckets_has(&w->returning, b));
}

/* True when the frame's flow is pinned to another worker, which has been given the frame. */
static bool relay(struct steer *s, unsigned self, unsigned b, struct pkt *frame)
{
    struct flow_class c;
    struct pin_key key;
    unsigned to;

    flow_classify(frame->data, frame->len, frame->more_len, &c);
    if (!pin_key_of_class(&c, &key))
        return false;
    to = bucket_pinned_to(&s->table, b, &key);
    if (to == STEER_NOBODY || to == self || !steer_is_present(s, to))
        return false;
    steer_give_frame(s, self, to, frame);
    return true;
}

bool hold_hand_on(struct steer *s, unsigned self, struct pkt *frame)
{
    struct flow_class c;
    unsigned to;

    flow_classify(frame->data, frame->len, frame->more_len, &c);
    to = steer_route_anywhere(s, &c);
    if (to == STEER_NOBODY || to == self)
        return false;
    steer_give_frame(s, self, to, frame);
    return true;
}

/* True when the frame is of a bucket that this worker, leaving, has refused, and has gone on. */
static bool pass_on(struct steer *s, unsigned self, unsigned b, struct pkt *frame)
{
    (void)b;
    return hold_hand_on(s, self, frame);
}

/* A frame from another worker: it has been looked at there, but since then the flow may have gone on. It
 * passes what is held back here for its return: that is behind it. */
static bool admit_given(struct steer *s, unsigned self, unsigned b, struct pkt *frame)
{
    uint32_t entry = bucket_entry(&s->table, b);
    struct flow_class c;
    unsigned to;

    flow_classify(frame->data, frame->len, frame->more_len, &c);
    to = steer_route_anywhere(s, &c);
    if (to != self && to != STEER_NOBODY) {
        if (move_still_has(s, self, b) && to == entry_home(entry))
            return true;
        steer_give_frame(s, self, to, frame);
        return false;
    }
    if ((entry & ENTRY_HOLD) && entry_home(entry) == self) {
        hold(s, self, b, frame);
        return false;
    }
    return true;
}

bool hold_admit(struct steer *s, unsigned self, struct pkt *frame, bool given)
{
    struct steer_worker *w = &s->worker[self];
    unsigned b = bucket_of_hash(frame->hash);

    if (frame->hash == FLOW_HASH_NONE)
        return true;
    if (given)
        return admit_given(s, self, b, frame);
    if (steer_buckets_has(&w->refused, b) && pass_on(s, self, b, frame))
        return false;
    if (w->num_relaying && steer_buckets_has(&w->relaying, b) && relay(s, self, b, frame))
        return false;
    if (w->held_of[b] == 0 && !is_closed(s, self, b))
        return true;
    hold(s, self, b, frame);
    return false;
}

unsigned hold_take(struct steer *s, unsigned self, struct pkt **frames, unsigned n)
{
    struct steer_worker *w = &s->worker[self];
    struct pkt **at = &w->held_first, *frame;
    unsigned got = 0;

    if (w->held == 0)
        w->held_first = NULL;
    while ((frame = *at) != NULL && got < n) {
        unsigned b = bucket_of_hash(frame->hash);

        if (is_closed(s, self, b)) {
            at = &frame->next;
            continue;
        }
        *at = frame->next;
        w->held--;
        w->held_of[b]--;
        frames[got++] = frame;
    }
    if (!frame) {
        w->some_open = false;
        w->held_end = at;
    }
    return got;
}

/* Takes out what `gone` has sent elsewhere. */
static void filter(struct steer *s, unsigned self, const struct steer_buckets *set,
                   bool (*gone)(struct steer *s, unsigned self, unsigned b, struct pkt *frame))
{
    struct steer_worker *w = &s->worker[self];
    struct pkt **at = &w->held_first, *frame;

    if (w->held == 0)
        return;
    while ((frame = *at) != NULL) {
        unsigned b = bucket_of_hash(frame->hash);
        struct pkt *next = frame->next;

        if (steer_buckets_has(set, b) && gone(s, self, b, frame)) {
            *at = next;
            w->held--;
            w->held_of[b]--;
        } else {
            at = &frame->next;
        }
    }
    w->held_end = at;
}

void hold_relay(struct steer *s, unsigned self)
{
    filter(s, self, &s->worker[self].relaying, relay);
}

void hold_pass_on(struct steer *s, unsigned self)
{
    filter(s, self, &s->worker[self].refused, pass_on);
}

bool hold_has(const struct steer_worker *w, const struct steer_buckets *set)
{
    if (w->held == 0)
        return false;
    for (unsigned b = 0; b < STEER_BUCKETS; b++)
        if (w->held_of[b] && steer_buckets_has(set, b))
            return true;
    return false;
}

void hold_drop_all(struct steer_worker *w)
{
    struct pkt *frame = w->held ? w->held_first : NULL;

    while (frame) {
        struct pkt *next = frame->next;

        w->held_of[bucket_of_hash(frame->hash)] = 0;
        pkt_free(frame);
        frame = next;
    }
    w->held = 0;
    w->held_first = NULL;
    w->some_open = false;
}
