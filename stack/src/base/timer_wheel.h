/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hierarchical timing wheel (Varghese and Lauck) with a resolution of one microsecond: 11 levels of 64 slots
 * reach over all 64 bits. Add and cancel are O(1); a timer moves down one level at a time. One thread.
 * Timers fire in the order of their deadlines, never early; those of one deadline in no promised order. */
#ifndef BASE_TIMER_WHEEL_H
#define BASE_TIMER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define TIMER_WHEEL_LEVELS 11u
#define TIMER_WHEEL_SLOTS 64u
#define TIMER_NONE UINT64_MAX

struct timer {
    struct list link;
    uint64_t deadline_us;
    /** ctx is that of timer_wheel_advance(). The timer is already disarmed and may be added again or freed.
     */
    void (*fire)(struct timer *t, void *ctx, uint64_t now_us);
};

struct timer_wheel {
    uint64_t now_us;  /**< how far the wheel has turned */
    size_t count;     /**< armed timers */
    uint64_t next_us; /**< earliest deadline, when next_known */
    bool next_known;
    uint64_t occupied[TIMER_WHEEL_LEVELS]; /**< bit = slot may have timers */
    struct list slot[TIMER_WHEEL_LEVELS][TIMER_WHEEL_SLOTS];
    struct list due; /**< added with a deadline that had passed already */
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_us);

/** Prepares a timer; it is disarmed. */
void timer_init(struct timer *t, void (*fire)(struct timer *t, void *ctx, uint64_t now_us));
static inline bool timer_armed(const struct timer *t)
{
    return !list_empty(&t->link);
}
/** Arms a timer, or moves it when armed. A deadline in the past fires at the next advance. */
void timer_wheel_add(struct timer_wheel *w, struct timer *t, uint64_t deadline_us);
/** Disarms; nothing happens when it is not armed. */
void timer_wheel_cancel(struct timer_wheel *w, struct timer *t);
/** Fires every timer whose deadline is <= now_us. Their functions may add and cancel timers; one that is
 * added with a deadline already fired past waits for the next advance. Time does not go back. */
void timer_wheel_advance(struct timer_wheel *w, uint64_t now_us, void *ctx);
/** The earliest deadline of all armed timers, TIMER_NONE when there is none. */
uint64_t timer_wheel_next_deadline(struct timer_wheel *w);

#endif
