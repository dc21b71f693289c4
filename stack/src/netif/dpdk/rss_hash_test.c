/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The stack's flow hash gives what DPDK's Toeplitz hashes give with the same key: the scalar one, and the one
 * with Galois-field instructions where the processor has them. So a device programmed with this key spreads
 * flows as the software does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <rte_thash.h>

#include "base/byteorder.h"
#include "base/prng.h"
#include "netif/dpdk/rss_gfni.h"
#include "steer/flow_hash.h"

#define KEY_LEN 40u
#define TUPLE_LEN 36u /* two IPv6 addresses and two ports */
#define ROUNDS 50000u

static void key_init(uint8_t *key)
{
    for (unsigned i = 0; i < KEY_LEN; i += 2)
        put_be16(key + i, FLOW_HASH_KEY);
}

/* A tuple of len bytes in network order; returns its hash by our function. */
static uint32_t random_tuple(struct prng *rnd, uint8_t *tuple, unsigned len)
{
    uint16_t sum = 0;

    for (unsigned i = 0; i < len; i += 2) {
        uint16_t word = (uint16_t)prng_next(rnd);

        put_be16(tuple + i, word);
        sum ^= word;
    }
    return flow_hash_word(sum);
}

static void equals_the_scalar_hash(void **state)
{
    struct prng rnd = {3};
    uint8_t key[KEY_LEN], tuple[TUPLE_LEN];

    (void)state;
    key_init(key);
    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned len = n % 2 ? TUPLE_LEN : RTE_THASH_V4_L4_LEN * 4;
        uint32_t words[TUPLE_LEN / 4], ours = random_tuple(&rnd, tuple, len);

        for (unsigned i = 0; i < len / 4; i++) /* it takes words in host order */
            words[i] = get_be32(tuple + i * 4);
        assert_int_equal(rte_softrss(words, len / 4, key), ours);
    }
}

static void equals_the_vector_hash(void **state)
{
    struct prng rnd = {4};
    uint8_t key[KEY_LEN], tuple[TUPLE_LEN];

    (void)state;
    key_init(key);
    if (!rss_gfni_works()) {
        print_message("nothing to compare: this processor has no Galois-field instructions\n");
        return;
    }
    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned len = n % 2 ? TUPLE_LEN : RTE_THASH_V4_L4_LEN * 4;
        uint32_t ours = random_tuple(&rnd, tuple, len);

        assert_int_equal(rss_gfni(key, KEY_LEN, tuple, len), ours);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_scalar_hash),
        cmocka_unit_test(equals_the_vector_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
