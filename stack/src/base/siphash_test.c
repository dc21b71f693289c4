/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SipHash-2-4 against the vectors published with it (key 00..0f, input 00, 00 01, ...; appendix A of the
 * paper is the one of 15 bytes), and the log's filter. */
#include "base/siphash.h"

#include "base/log.h"
#include "testing/unit.h"

static void published_vectors(void **state)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {
        {0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu},  {7, 0xab0200f58b01d137u},
        {8, 0x93f5f5799a932462u}, {15, 0xa129ca6149be45e5u}, {63, 0x958a324ceb064572u},
    };
    uint8_t key[SIPHASH_KEY_LEN], data[64];

    (void)state;
    for (unsigned i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        assert_true(siphash24(key, data, vectors[i].len) == vectors[i].hash);
}

static void remember_line(void *ctx, enum log_level level, const char *line)
{
    (void)level;
    strncpy(ctx, line, 31);
}

static void log_lets_through_what_was_asked_for(void **state)
{
    char line[32] = "";
    struct log log = {LOG_INFO, remember_line, line};

    (void)state;
    log_say(NULL, LOG_ERROR, "nobody hears");
    log_say(&log, LOG_DEBUG, "too detailed");
    assert_string_equal(line, "");
    log_say(&log, LOG_INFO, "port %d", 80);
    assert_string_equal(line, "port 80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(log_lets_through_what_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
