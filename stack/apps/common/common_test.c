/* SPDX-License-Identifier: BSD-3-Clause
 *
 * HTTP headers, numbers of options, quantiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/app.h"
#include "common/histogram.h"
#include "common/http_parsing.h"

static void a_header_is_complete_with_its_empty_line(void **state)
{
    (void)state;
    assert_int_equal(find_http_header("GET / HTTP/1.1\r\n\r\nbody", 22), 18);
    assert_int_equal(find_http_header("GET / HTTP/1.1\r\n\r", 17), 0);
    assert_int_equal(find_http_header("", 0), 0);
}

static void header_values_are_trimmed_and_bounded(void **state)
{
    const char *h = "HTTP/1.1 200 OK\r\ncontent-length:  42 \r\nX: y\r\n\r\n";
    char v[8];

    (void)state;
    assert_int_equal(
        http_header_long_val(h, HTTP_HEADER_CONTENT_LENGTH, sizeof(HTTP_HEADER_CONTENT_LENGTH) - 1), 42);
    assert_string_equal(http_header_str_val(h, "\nX:", 3, v, sizeof(v)), "y");
    assert_null(http_header_str_val(h, "\nX:", 3, v, 1));
    assert_null(http_header_str_val(h, "\nZ:", 3, v, sizeof(v)));
    assert_int_equal(http_header_long_val("\r\nX: 4a\r\n", "\nX:", 3), -1);
    assert_int_equal(http_header_long_val("\r\nX: -4\r\n", "\nX:", 3), -1);
    assert_int_equal(http_get_status_code(h), 200);
    assert_int_equal(http_get_status_code("SSH-2.0"), 0);
}

static void urls_come_from_request_lines_only(void **state)
{
    char url[8];

    (void)state;
    assert_string_equal(http_get_url("GET /a HTTP/1.1\r\n", 17, url, sizeof(url)), "/a");
    assert_null(http_get_url("GET /a\r\n", 8, url, sizeof(url)));
    assert_null(http_get_url("GET  HTTP/1.1\r\n", 15, url, sizeof(url)));
    assert_null(http_get_url("GET /aaaaaaaaaa HTTP/1.1\r\n", 26, url, sizeof(url)));
    assert_null(http_get_url("GET", 3, url, sizeof(url)));
}

static void connections_are_kept_as_version_and_header_say(void **state)
{
    static const struct {
        const char *text;
        bool keep;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", true},
        {"GET /\r\nX: HTTP/1.1\r\n\r\n", false},
        {"HTTP/1.1 200 OK\r\n\r\n", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (http_keeps_alive(cases[i].text) != cases[i].keep)
            fail_msg("%s", cases[i].text);
}

static void option_values_are_checked_whole(void **state)
{
    uint64_t bytes;
    in_addr_t addr;
    long n;

    (void)state;
    assert_true(app_bytes("-b", "1g", &bytes));
    assert_int_equal(bytes, 1 << 30);
    assert_true(app_bytes("-b", "3K", &bytes));
    assert_int_equal(bytes, 3072);
    assert_false(app_bytes("-b", "1gb", &bytes));
    assert_false(app_bytes("-b", "-1", &bytes));
    assert_false(app_bytes("-b", "99999999999999999g", &bytes));
    assert_true(app_number("-n", "7", 1, 7, &n));
    assert_false(app_number("-n", "8", 1, 7, &n));
    assert_false(app_number("-n", "7x", 1, 7, &n));
    assert_false(app_number("-n", "", 0, 7, &n));
    assert_true(app_address("-a", "10.0.0.1", &addr));
    assert_false(app_address("-a", "10.0.0", &addr));
}

static void quantiles_are_right_within_a_bucket(void **state)
{
    struct histogram *h = calloc(2, sizeof(*h));

    (void)state;
    assert_int_equal(histogram_quantile(h, 0.5), 0);
    for (uint64_t v = 1; v <= 100000; v++)
        histogram_add(&h[v % 2], v);
    histogram_merge(&h[0], &h[1]);
    assert_int_equal(h->count, 100000);
    assert_int_equal(h->min, 1);
    assert_in_range(histogram_quantile(h, 0.5), 50000, 50400);
    assert_in_range(histogram_quantile(h, 0.99), 99000, 100000);
    assert_int_equal(histogram_quantile(h, 1), 100000);
    histogram_add(h, UINT64_MAX);
    assert_true(histogram_quantile(h, 1) == UINT64_MAX);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_complete_with_its_empty_line),
        cmocka_unit_test(header_values_are_trimmed_and_bounded),
        cmocka_unit_test(urls_come_from_request_lines_only),
        cmocka_unit_test(connections_are_kept_as_version_and_header_say),
        cmocka_unit_test(option_values_are_checked_whole),
        cmocka_unit_test(quantiles_are_right_within_a_bucket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
