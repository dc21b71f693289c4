/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Streams and files as content, at any position and across the end of the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bulk/content.h"

static void a_file_is_there_again_and_again(void **state)
{
    struct content c = {.bytes = (uint8_t *)"abcde", .len = 5};
    char got[13] = "";
    size_t n = 100;

    (void)state;
    content_fill(&c, 3, got, 12);
    assert_string_equal(got, "deabcdeabcde");
    assert_true(content_check(&c, 3, got, 12));
    assert_false(content_check(&c, 4, got, 12));
    got[11] = 'x';
    assert_false(content_check(&c, 3, got, 12));
    assert_memory_equal(content_piece(&c, UINT64_C(5000000002), &n), "cde", 3);
    assert_int_equal(n, 3);
    n = 2;
    assert_memory_equal(content_piece(&c, 7, &n), "cd", 2);
    assert_int_equal(n, 2);
}

static void a_stream_is_that_of_its_seed_and_any_bytes_are_any(void **state)
{
    struct content c = {.seed = 7};
    uint8_t a[64], b[64];

    (void)state;
    content_fill(&c, 1000, a, sizeof(a));
    assert_true(content_check(&c, 1000, a, sizeof(a)));
    assert_false(content_check(&c, 1001, a, sizeof(a)));
    c.seed = 0;
    memcpy(b, a, sizeof(b));
    content_fill(&c, 0, b, sizeof(b));
    assert_memory_equal(a, b, sizeof(b));
    assert_true(content_check(&c, 0, a, sizeof(a)));
}

static void only_a_file_with_bytes_is_taken(void **state)
{
    char path[] = "/tmp/vnflab-content-XXXXXX";
    int fd = mkstemp(path);
    struct content c = {0};

    (void)state;
    assert_true(fd >= 0);
    assert_false(content_load(&c, path)); /* empty */
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_true(content_load(&c, path));
    assert_int_equal(c.len, 5);
    assert_memory_equal(c.bytes, "hello", 5);
    assert_int_equal(ftruncate(fd, (off_t)CONTENT_FILE_MOST + 1), 0);
    assert_false(content_load(&c, path));
    assert_null(c.bytes);
    assert_false(content_load(&c, "/dev/zero"));
    assert_false(content_load(&c, "/nowhere/at/all"));
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_there_again_and_again),
        cmocka_unit_test(a_stream_is_that_of_its_seed_and_any_bytes_are_any),
        cmocka_unit_test(only_a_file_with_bytes_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
