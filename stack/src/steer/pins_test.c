/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/siphash.h"
#include "steer/pins.h"

#define FLOWS 20000u

static const uint8_t known[SIPHASH_KEY_LEN] = {1}, secret[SIPHASH_KEY_LEN] = {2};

static struct pin_key flow(uint32_t n)
{
    return (struct pin_key){be32(0x0a000001), be32(0x0a010000 + n / 256), be16(80), be16(1024 + n % 256), 6};
}

static uint32_t longest_chain(const struct pins *p)
{
    uint32_t longest = 0;

    for (uint32_t i = 0; i < p->chains; i++) {
        uint32_t n = 0;

        for (const struct pin *pin = p->chain[i]; pin; pin = pin->next)
            n++;
        longest = n > longest ? n : longest;
    }
    return longest;
}

static void finds_what_was_added_until_it_is_removed(void **state)
{
    struct pins p = {.key = known};
    struct pin_key key;
    unsigned worker;

    (void)state;
    for (uint32_t i = 0; i < FLOWS; i++) {
        key = flow(i);
        assert_null(pins_find(&p, &key));
        assert_int_equal(pins_add(&p, &key, i % 3), ST_OK);
    }
    assert_int_equal(pins_of(&p, 0), (FLOWS + 2) / 3);
    assert_int_equal(pins_elsewhere(&p, 0, 1), FLOWS / 3);
    for (uint32_t i = 0; i < FLOWS; i++) {
        key = flow(i);
        assert_int_equal(pins_find(&p, &key)->worker, i % 3);
        assert_true(pins_remove(&p, &key, &worker));
        assert_int_equal(worker, i % 3);
        assert_false(pins_remove(&p, &key, &worker));
    }
    assert_int_equal(p.count, 0);
    pins_fini(&p);
}

/* A peer that knew the key could pick flows that all share a chain; they must not share one under another. */
static void chosen_flows_do_not_share_a_chain_under_another_key(void **state)
{
    struct pins guess = {.key = known}, real = {.key = secret};

    (void)state;
    for (uint32_t i = 0; i < FLOWS; i++) {
        struct pin_key key = flow(i);

        assert_int_equal(pins_add(&guess, &key, 0), ST_OK);
    }
    for (uint32_t i = 0; i < guess.chains; i += 64)
        for (const struct pin *pin = guess.chain[i]; pin; pin = pin->next)
            assert_int_equal(pins_add(&real, &pin->key, 0), ST_OK);
    assert_true(real.count > FLOWS / 128);
    assert_in_range(longest_chain(&real), 1, 12);
    pins_fini(&guess);
    pins_fini(&real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added_until_it_is_removed),
        cmocka_unit_test(chosen_flows_do_not_share_a_chain_under_another_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
