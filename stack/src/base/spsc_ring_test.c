/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pointer ring: order, refusal when full, wrap-around, and two threads at once. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/spsc_ring.h"

#define ITEMS 200000u

static void keeps_order_and_refuses(void **state)
{
    struct spsc_ring *r = spsc_ring_create(3);
    char mem[6];
    void *in[6], *out[6];

    (void)state;
    assert_int_equal(r->size, 4);
    for (unsigned i = 0; i < 6; i++)
        in[i] = &mem[i];
    assert_int_equal(spsc_ring_take(r, out, 6), 0);
    assert_int_equal(spsc_ring_put(r, in, 6), 4);
    assert_int_equal(spsc_ring_put(r, in, 1), 0);
    assert_int_equal(spsc_ring_take(r, out, 2), 2);
    assert_ptr_equal(out[1], in[1]);
    assert_int_equal(spsc_ring_put(r, in + 4, 2), 2);
    assert_int_equal(spsc_ring_take(r, out, 6), 4);
    assert_ptr_equal(out[0], in[2]);
    assert_ptr_equal(out[3], in[5]);
    free(r);
}

static void counts_may_wrap(void **state)
{
    struct spsc_ring *r = spsc_ring_create(4);
    void *item = r, *out;

    (void)state;
    atomic_store(&r->head, UINT32_MAX - 1);
    atomic_store(&r->tail, UINT32_MAX - 1);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(spsc_ring_put(r, &item, 1), 1);
        assert_int_equal(spsc_ring_take(r, &out, 1), 1);
        assert_ptr_equal(out, item);
    }
    free(r);
}

static void *produce(void *arg)
{
    for (uintptr_t i = 1; i <= ITEMS; i++) {
        void *item = (void *)i;

        while (!spsc_ring_put(arg, &item, 1))
            sched_yield();
    }
    return NULL;
}

static void two_threads_lose_nothing(void **state)
{
    struct spsc_ring *r = spsc_ring_create(64);
    pthread_t thread;
    void *items[16];

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, produce, r), 0);
    for (uintptr_t want = 1; want <= ITEMS;) {
        unsigned n = spsc_ring_take(r, items, 16);

        for (unsigned i = 0; i < n; i++)
            assert_int_equal((uintptr_t)items[i], want++);
        if (!n)
            sched_yield();
    }
    pthread_join(thread, NULL);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_and_refuses),
        cmocka_unit_test(counts_may_wrap),
        cmocka_unit_test(two_threads_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
