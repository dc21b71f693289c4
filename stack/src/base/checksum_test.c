/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Internet checksum: the example of RFC 1071, and any cut of any data against the plain definition. */
#include "base/checksum.h"

#include "base/byteorder.h"
#include "base/prng.h"
#include "testing/unit.h"

static uint16_t naive(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void rfc1071_example(void **state)
{
    static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    (void)state;
    assert_int_equal(checksum(data, sizeof(data)), (uint16_t)~0xddf2);
}

static void corner_values(void **state)
{
    uint8_t data[64];

    (void)state;
    assert_int_equal(checksum(NULL, 0), 0xffff);
    memset(data, 0xff, sizeof(data));
    for (size_t len = 0; len <= sizeof(data); len++)
        assert_int_equal(checksum(data, len), naive(data, len));
}

static void equals_the_definition_at_any_length_and_alignment(void **state)
{
    struct prng g = {.state = 1};
    uint8_t data[2100];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)prng_next(&g);
    for (unsigned round = 0; round < 20000; round++) {
        size_t at = prng_below(&g, 64), len = prng_below(&g, round % 4 ? 200 : sizeof(data) - 64);
        size_t cut = prng_below(&g, len + 1) & ~(size_t)1;
        uint32_t sum = checksum_add(checksum_add(0, data + at, cut), data + at + cut, len - cut);

        assert_int_equal(checksum_finish(sum), naive(data + at, len));
    }
}

static void a_right_checksum_sums_to_zero(void **state)
{
    struct prng g = {.state = 2};
    uint8_t data[128];

    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = (uint8_t)prng_next(&g);
        put_be16(data + 10, 0);
        put_be16(data + 10, checksum(data, sizeof(data)));
        assert_int_equal(checksum(data, sizeof(data)), 0);
        data[prng_below(&g, sizeof(data))] ^= (uint8_t)(1 + prng_below(&g, 254));
        assert_int_not_equal(checksum(data, sizeof(data)), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc1071_example),
        cmocka_unit_test(corner_values),
        cmocka_unit_test(equals_the_definition_at_any_length_and_alignment),
        cmocka_unit_test(a_right_checksum_sums_to_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
