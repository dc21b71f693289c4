/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The fault model: fixed sequence for a seed, rates near what was asked, order under delay and jitter, and
 * what the text form refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "netif/fault_model.h"

#define FRAMES 100000

static void parse_ok(const char *text, struct fault_params *p)
{
    char error[128] = "";

    assert_int_equal(fault_params_parse(text, p, error, sizeof(error)), ST_OK);
    assert_string_equal(error, "");
}

static void refuses(const char *text, const char *part)
{
    struct fault_params p;
    char error[160] = "";

    assert_int_equal(fault_params_parse(text, &p, error, sizeof(error)), ST_INVALID);
    assert_non_null(strstr(error, part));
}

static void reads_all_knobs(void **state)
{
    struct fault_params p;

    (void)state;
    parse_ok("seed=7,loss=0.25,delay_us=1000,jitter_us=20,reorder=0.5,reorder_us=300,dup=1", &p);
    assert_int_equal(p.seed, 7);
    assert_true(p.loss == 0.25 && p.reorder == 0.5 && p.dup == 1);
    assert_int_equal(p.delay_us, 1000);
    assert_int_equal(p.jitter_us, 20);
    assert_int_equal(p.reorder_us, 300);
    parse_ok("", &p);
    assert_int_equal(p.seed, 1);
    assert_true(p.loss == 0);
}

static void refuses_bad_text(void **state)
{
    (void)state;
    refuses("los=0.1", "allowed: seed, loss");
    refuses("loss=1.5", "'loss' needs a probability");
    refuses("loss=nan", "'loss' needs a probability");
    refuses("loss=", "'loss' needs a probability");
    refuses("loss", "'loss' needs a probability");
    refuses("delay_us=-1", "'delay_us' needs microseconds");
    refuses("delay_us=99999999999999999999999", "'delay_us' needs microseconds");
    refuses("seed=x", "'seed' needs a whole number");
    refuses("loss=0.1,,dup=0.1", "'' is unknown");
    refuses("loss=0.00000000000000000000000000000000000000000000000000000000000001", "too long");
}

static void same_seed_same_decisions(void **state)
{
    struct fault_params p;
    struct fault_model a, b;
    struct fault_verdict va, vb;

    (void)state;
    parse_ok("seed=42,loss=0.1,jitter_us=500,reorder=0.1,dup=0.1", &p);
    fault_model_init(&a, &p);
    p.dup = 0; /* another knob must not disturb the losses */
    fault_model_init(&b, &p);
    for (unsigned i = 0; i < FRAMES; i++) {
        fault_model_decide(&a, i, &va);
        fault_model_decide(&b, i, &vb);
        assert_int_equal(va.copies == 0, vb.copies == 0);
        assert_int_equal(va.due_us[0], vb.due_us[0]);
    }
}

/* Holds the generator to its algorithm: these verdicts are the same for ever. */
static void fixed_sequence(void **state)
{
    struct fault_params p;
    struct fault_model m;
    struct fault_verdict v;
    char got[33] = "";

    (void)state;
    parse_ok("seed=1,loss=0.3,dup=0.3", &p);
    fault_model_init(&m, &p);
    for (unsigned i = 0; i < 32; i++) {
        fault_model_decide(&m, 0, &v);
        got[i] = (char)('0' + v.copies);
    }
    assert_string_equal(got, "11011000212111112211110021112110");
}

static void rates_are_near(void **state)
{
    struct fault_params p;
    struct fault_model m;
    struct fault_verdict v;
    unsigned lost = 0, doubled = 0, reordered = 0;

    (void)state;
    parse_ok("seed=3,loss=0.05,dup=0.02,reorder=0.1", &p);
    fault_model_init(&m, &p);
    for (unsigned i = 0; i < FRAMES; i++) {
        fault_model_decide(&m, i, &v);
        lost += v.copies == 0;
        doubled += v.copies == 2;
        reordered += v.reordered;
    }
    assert_in_range(lost, 4700, 5300);
    assert_in_range(doubled, 1700, 2100);
    assert_in_range(reordered, 9100, 9900);
}

static void jitter_keeps_order(void **state)
{
    struct fault_params p;
    struct fault_model m;
    struct fault_verdict v;
    uint64_t last_us = 0;

    (void)state;
    parse_ok("delay_us=1000,jitter_us=900", &p);
    fault_model_init(&m, &p);
    for (unsigned i = 0; i < FRAMES; i++) {
        fault_model_decide(&m, i, &v);
        assert_int_equal(v.copies, 1);
        assert_true(v.due_us[0] >= last_us && v.due_us[0] >= i + 1000);
        last_us = v.due_us[0];
    }
}

static void reordered_is_overtaken(void **state)
{
    struct fault_params p;
    struct fault_model m;
    struct fault_verdict v;

    (void)state;
    parse_ok("delay_us=10,reorder=1,reorder_us=500", &p);
    fault_model_init(&m, &p);
    fault_model_decide(&m, 100, &v);
    assert_true(v.reordered);
    assert_int_equal(v.due_us[0], 610);
    assert_int_equal(m.last_due_us, 0); /* later frames do not wait for it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_knobs),          cmocka_unit_test(refuses_bad_text),
        cmocka_unit_test(same_seed_same_decisions), cmocka_unit_test(fixed_sequence),
        cmocka_unit_test(rates_are_near),           cmocka_unit_test(jitter_keeps_order),
        cmocka_unit_test(reordered_is_overtaken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
