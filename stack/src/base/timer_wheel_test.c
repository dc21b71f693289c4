/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The timer wheel against a plain array of deadlines, and its behaviour when a timer's function arms, moves
 * and cancels timers. */
#include "base/timer_wheel.h"

#include "base/prng.h"
#include "testing/unit.h"

#define NUM_TIMERS 200

struct world {
    struct timer_wheel wheel;
    struct timer timer[NUM_TIMERS];
    bool armed[NUM_TIMERS]; /* the model */
    uint64_t last_fired_us;
    unsigned fired;
};

static void fire_checked(struct timer *t, void *ctx, uint64_t now_us)
{
    struct world *w = ctx;
    size_t i = (size_t)(t - w->timer);

    assert_false(timer_armed(t));
    assert_true(w->armed[i]);
    assert_true(t->deadline_us <= now_us);
    w->armed[i] = false;
    w->fired++;
    w->last_fired_us = t->deadline_us;
}

static uint64_t model_min(const struct world *w)
{
    uint64_t min_us = TIMER_NONE;

    for (unsigned i = 0; i < NUM_TIMERS; i++)
        if (w->armed[i] && w->timer[i].deadline_us < min_us)
            min_us = w->timer[i].deadline_us;
    return min_us;
}

static void random_step(struct world *w, struct prng *g, uint64_t now_us)
{
    static const uint64_t range_us[] = {64, 5000, 300000, 100000000, 1ull << 40, 1ull << 62};
    size_t i = prng_below(g, NUM_TIMERS);

    if (prng_below(g, 3)) {
        timer_wheel_add(&w->wheel, &w->timer[i], now_us + prng_below(g, range_us[prng_below(g, 6)]));
        w->armed[i] = true;
    } else {
        timer_wheel_cancel(&w->wheel, &w->timer[i]);
        w->armed[i] = false;
    }
}

static void behaves_as_a_sorted_list(void **state)
{
    struct prng g = {.state = 3};
    uint64_t now_us = 12345678901u;
    static struct world w;

    (void)state;
    timer_wheel_init(&w.wheel, now_us);
    for (unsigned i = 0; i < NUM_TIMERS; i++)
        timer_init(&w.timer[i], fire_checked);
    for (unsigned round = 0; round < 20000; round++) {
        random_step(&w, &g, now_us);
        if (prng_below(&g, 4) == 0)
            now_us += prng_below(&g, 1ull << prng_below(&g, 30));
        else if (prng_below(&g, 8) == 0 && model_min(&w) != TIMER_NONE && model_min(&w) > now_us)
            now_us = model_min(&w);
        timer_wheel_advance(&w.wheel, now_us, &w);
        assert_true(model_min(&w) > now_us);
        assert_true(timer_wheel_next_deadline(&w.wheel) == model_min(&w));
    }
    assert_true(w.fired > 3000);
}

static void fire_in_order(struct timer *t, void *ctx, uint64_t now_us)
{
    struct world *w = ctx;

    (void)now_us;
    assert_true(t->deadline_us >= w->last_fired_us);
    w->last_fired_us = t->deadline_us;
    w->fired++;
}

static void fires_in_the_order_of_deadlines(void **state)
{
    struct prng g = {.state = 4};
    static struct world w;

    (void)state;
    timer_wheel_init(&w.wheel, 7);
    for (unsigned i = 0; i < NUM_TIMERS; i++) {
        timer_init(&w.timer[i], fire_in_order);
        timer_wheel_add(&w.wheel, &w.timer[i], 8 + prng_below(&g, 1000000));
    }
    timer_wheel_advance(&w.wheel, 2000000, &w);
    assert_int_equal(w.fired, NUM_TIMERS);
    assert_true(timer_wheel_next_deadline(&w.wheel) == TIMER_NONE);
}

/* Timer 0 arms itself again at once, arms 1 in the past, moves 2 and cancels 3. */
static void fire_meddling(struct timer *t, void *ctx, uint64_t now_us)
{
    struct world *w = ctx;

    w->fired++;
    if (t != &w->timer[0])
        return;
    timer_wheel_add(&w->wheel, t, now_us);
    timer_wheel_add(&w->wheel, &w->timer[1], 1);
    timer_wheel_add(&w->wheel, &w->timer[2], now_us + 500);
    timer_wheel_cancel(&w->wheel, &w->timer[3]);
}

static void functions_may_arm_move_and_cancel(void **state)
{
    static struct world w;

    (void)state;
    timer_wheel_init(&w.wheel, 0);
    for (unsigned i = 0; i < 4; i++)
        timer_init(&w.timer[i], fire_meddling);
    timer_wheel_add(&w.wheel, &w.timer[0], 100);
    timer_wheel_add(&w.wheel, &w.timer[2], 150);
    timer_wheel_add(&w.wheel, &w.timer[3], 150);
    timer_wheel_advance(&w.wheel, 99, &w);
    assert_int_equal(w.fired, 0);
    timer_wheel_advance(&w.wheel, 200, &w);
    assert_int_equal(w.fired, 2); /* 0 for 100, and again for 200; 1 is late and waits for the next turn */
    assert_false(timer_armed(&w.timer[3]));
    timer_wheel_cancel(&w.wheel, &w.timer[0]);
    assert_int_equal(timer_wheel_next_deadline(&w.wheel), 1);
    timer_wheel_advance(&w.wheel, 200, &w);
    assert_int_equal(w.fired, 3);
    assert_int_equal(timer_wheel_next_deadline(&w.wheel), 700);
    timer_wheel_advance(&w.wheel, 700, &w);
    assert_int_equal(w.fired, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_as_a_sorted_list),
        cmocka_unit_test(fires_in_the_order_of_deadlines),
        cmocka_unit_test(functions_may_arm_move_and_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
