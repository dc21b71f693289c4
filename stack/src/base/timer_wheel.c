/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a timer stands: write its deadline and the wheel's now in base 64; the level is the highest digit in
 * which they differ, the slot is the deadline's digit there. So a slot of level 0 holds one exact deadline, a
 * lower level always comes before a higher one, and slots behind now's digit are empty.
 * A bit in occupied[] may be stale after a cancel; whoever looks clears it. */
#include "base/timer_wheel.h"

#include <string.h>

#define LEVEL_BITS 6u

static unsigned digit(uint64_t us, unsigned level)
{
    return (unsigned)(us >> (LEVEL_BITS * level)) & (TIMER_WHEEL_SLOTS - 1);
}

void timer_wheel_init(struct timer_wheel *w, uint64_t now_us)
{
    memset(w, 0, sizeof(*w));
    w->now_us = now_us;
    list_init(&w->due);
    for (unsigned l = 0; l < TIMER_WHEEL_LEVELS; l++)
        for (unsigned s = 0; s < TIMER_WHEEL_SLOTS; s++)
            list_init(&w->slot[l][s]);
}

void timer_init(struct timer *t, void (*fire)(struct timer *t, void *ctx, uint64_t now_us))
{
    list_init(&t->link);
    t->deadline_us = 0;
    t->fire = fire;
}

static void wheel_place(struct timer_wheel *w, struct timer *t)
{
    unsigned level, s;

    if (t->deadline_us <= w->now_us) {
        list_push_back(&w->due, &t->link);
        return;
    }
    level = (63u - (unsigned)__builtin_clzll(t->deadline_us ^ w->now_us)) / LEVEL_BITS;
    s = digit(t->deadline_us, level);
    w->occupied[level] |= 1ull << s;
    list_push_back(&w->slot[level][s], &t->link);
}

void timer_wheel_add(struct timer_wheel *w, struct timer *t, uint64_t deadline_us)
{
    timer_wheel_cancel(w, t);
    t->deadline_us = deadline_us;
    wheel_place(w, t);
    w->count++;
    if (w->next_known && deadline_us < w->next_us)
        w->next_us = deadline_us;
}

void timer_wheel_cancel(struct timer_wheel *w, struct timer *t)
{
    if (!timer_armed(t))
        return;
    list_remove(&t->link);
    w->count--;
    if (t->deadline_us == w->next_us)
        w->next_known = false;
}

/* The first slot of a level with timers in it, -1 when there is none. */
static int wheel_first_slot(struct timer_wheel *w, unsigned level)
{
    while (w->occupied[level]) {
        unsigned s = (unsigned)__builtin_ctzll(w->occupied[level]);

        if (!list_empty(&w->slot[level][s]))
            return (int)s;
        w->occupied[level] &= w->occupied[level] - 1;
    }
    return -1;
}

/* The first slot of all with timers in it. */
static bool wheel_first(struct timer_wheel *w, unsigned *level, unsigned *slot)
{
    for (unsigned l = 0; l < TIMER_WHEEL_LEVELS; l++) {
        int s = wheel_first_slot(w, l);

        if (s >= 0) {
            *level = l;
            *slot = (unsigned)s;
            return true;
        }
    }
    return false;
}

/* The time at which a slot of this level begins, given that now agrees in all higher digits. */
static uint64_t wheel_slot_start(const struct timer_wheel *w, unsigned level, unsigned slot)
{
    unsigned above = LEVEL_BITS * (level + 1); /* bits of this level and the lower ones */
    uint64_t high = above < 64 ? w->now_us >> above << above : 0;

    return high | (uint64_t)slot << (LEVEL_BITS * level);
}

static void wheel_fire(struct timer_wheel *w, struct list *batch, uint64_t now_us, void *ctx)
{
    struct list *node;

    while ((node = list_pop_front(batch))) {
        struct timer *t = container_of(node, struct timer, link);

        w->count--;
        w->next_known = false;
        t->fire(t, ctx, now_us);
    }
}

/* Turns the wheel to the begin of a slot: its timers fire or move to lower levels. */
static void wheel_enter_slot(struct timer_wheel *w, unsigned level, unsigned slot, struct list *fire)
{
    struct list *from = &w->slot[level][slot], *node;

    w->now_us = wheel_slot_start(w, level, slot);
    w->occupied[level] &= ~(1ull << slot);
    if (level == 0) {
        list_splice_back(fire, from);
        return;
    }
    while ((node = list_pop_front(from))) {
        struct timer *t = container_of(node, struct timer, link);

        if (t->deadline_us == w->now_us)
            list_push_back(fire, node);
        else
            wheel_place(w, t);
    }
}

void timer_wheel_advance(struct timer_wheel *w, uint64_t now_us, void *ctx)
{
    struct list fire;
    unsigned level, slot;

    list_init(&fire);
    list_splice_back(&fire, &w->due);
    wheel_fire(w, &fire, now_us, ctx);
    while (w->count && wheel_first(w, &level, &slot) && wheel_slot_start(w, level, slot) <= now_us) {
        wheel_enter_slot(w, level, slot, &fire);
        wheel_fire(w, &fire, now_us, ctx);
    }
    if (now_us > w->now_us)
        w->now_us = now_us;
}

static uint64_t list_min_deadline(const struct list *head)
{
    uint64_t min_us = TIMER_NONE;

    list_for_each(node, head) {
        const struct timer *t = container_of(node, struct timer, link);

        if (t->deadline_us < min_us)
            min_us = t->deadline_us;
    }
    return min_us;
}

uint64_t timer_wheel_next_deadline(struct timer_wheel *w)
{
    unsigned level, slot;

    if (w->next_known)
        return w->next_us;
    if (!list_empty(&w->due))
        w->next_us = list_min_deadline(&w->due);
    else if (w->count && wheel_first(w, &level, &slot))
        w->next_us = list_min_deadline(&w->slot[level][slot]);
    else
        w->next_us = TIMER_NONE;
    w->next_known = true;
    return w->next_us;
}
