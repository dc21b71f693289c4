/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The folded hash against the definition, bit by bit: window i of the repeated key for input bit i. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/prng.h"
#include "steer/flow_hash.h"

#define MAX_BYTES 36u /* two IPv6 addresses and two ports */

/* Toeplitz as Microsoft's receive-side scaling defines it, with a key of any length repeated. */
static uint32_t by_definition(const uint8_t *data, unsigned len)
{
    static const uint8_t key[2] = {0x6d, 0x5a};
    uint32_t hash = 0;

    for (unsigned bit = 0; bit < len * 8; bit++) {
        uint32_t window = 0;

        if (!(data[bit / 8] >> (7 - bit % 8) & 1))
            continue;
        for (unsigned k = bit; k < bit + 32; k++)
            window = window << 1 | (key[k / 8 % 2] >> (7 - k % 8) & 1);
        hash ^= window;
    }
    return hash;
}

static uint16_t fold_bytes(const uint8_t *data, unsigned len)
{
    uint16_t sum = 0;

    for (unsigned i = 0; i < len; i += 2)
        sum ^= (uint16_t)(data[i] << 8 | data[i + 1]);
    return sum;
}

static void every_word_has_the_defined_hash(void **state)
{
    (void)state;
    for (uint32_t word = 0; word < 65536; word++) {
        const uint8_t data[2] = {(uint8_t)(word >> 8), (uint8_t)word};

        assert_int_equal(flow_hash_word((uint16_t)word), by_definition(data, 2));
        assert_true(flow_hash_word((uint16_t)word) != FLOW_HASH_NONE);
    }
}

static void longer_inputs_fold(void **state)
{
    struct prng rnd = {1};
    uint8_t data[MAX_BYTES];

    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        unsigned len = 4 + (unsigned)prng_below(&rnd, MAX_BYTES / 4) * 4;

        for (unsigned i = 0; i < len; i++)
            data[i] = (uint8_t)prng_next(&rnd);
        assert_int_equal(flow_hash_word(fold_bytes(data, len)), by_definition(data, len));
    }
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void ipv4_flows_are_symmetric(void **state)
{
    struct prng rnd = {2};

    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        uint32_t a = (uint32_t)prng_next(&rnd), b = (uint32_t)prng_next(&rnd),
                 ports = (uint32_t)prng_next(&rnd);
        uint8_t data[12];

        put32(data, a);
        put32(data + 4, b);
        put32(data + 8, ports);
        assert_int_equal(flow_hash_ipv4(a, b, (uint16_t)(ports >> 16), (uint16_t)ports),
                         by_definition(data, 12));
        assert_int_equal(flow_hash_ipv4(b, a, (uint16_t)ports, (uint16_t)(ports >> 16)),
                         by_definition(data, 12));
        assert_int_equal(flow_hash_ipv4(a, b, 0, 0), by_definition(data, 8));
    }
}

/* One client with consecutive ports, as benchmarks have it: the buckets must not be a few. */
static void consecutive_ports_spread(void **state)
{
    unsigned seen[4] = {0};

    (void)state;
    for (unsigned port = 40000; port < 41000; port++)
        seen[flow_hash_ipv4(0x0a000001, 0x0a000002, (uint16_t)port, 80) % 512 % 4]++;
    for (unsigned w = 0; w < 4; w++)
        assert_in_range(seen[w], 225, 275);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_has_the_defined_hash),
        cmocka_unit_test(longer_inputs_fold),
        cmocka_unit_test(ipv4_flows_are_symmetric),
        cmocka_unit_test(consecutive_ports_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
