/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading and writing in place: the same bytes as the copying calls give, in any mixture with them; what was
 * not released comes again, what was not committed is not sent; errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "api/connected_testkit.h"
#include "base/prng.h"

#define STREAM_BYTES 3000000u
#define PIECE_MOST 100000u

static uint8_t byte_at(size_t pos)
{
    return (uint8_t)(pos ^ pos >> 7 ^ pos >> 15);
}

static void fill(void *buf, size_t len, size_t pos)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = byte_at(pos + i);
}

static void check(const void *buf, size_t len, size_t pos)
{
    for (size_t i = 0; i < len; i++)
        if (((const uint8_t *)buf)[i] != byte_at(pos + i))
            fail_msg("byte %zu is wrong", pos + i);
}

/* Writes up to len bytes of the stream in place, but commits only some of what it has filled. */
static size_t write_in_place(struct prng *g, size_t len, size_t pos)
{
    struct iovec span[2];
    ssize_t n = mtcp_send_zc(C, client, len, span, 0);
    size_t used;

    if (n < 0)
        return 0;
    assert_true((size_t)n <= len);
    assert_int_equal(span[0].iov_len + span[1].iov_len, n);
    fill(span[0].iov_base, span[0].iov_len, pos);
    fill(span[1].iov_base, span[1].iov_len, pos + span[0].iov_len);
    used = prng_below(g, 4) ? (size_t)n : (size_t)prng_below(g, (uint64_t)n + 1);
    assert_int_equal(mtcp_send_commit(C, client, used), 0);
    return used;
}

static size_t write_copied(size_t len, size_t pos)
{
    static char buf[PIECE_MOST];
    ssize_t n;

    fill(buf, len, pos);
    n = mtcp_write(C, client, buf, len);
    return n > 0 ? (size_t)n : 0;
}

/* Looks at all that is there and releases some of it, in two steps. */
static size_t read_in_place(struct prng *g, size_t pos)
{
    struct iovec span[2];
    ssize_t n = mtcp_recv_zc(S, server, span, 0);
    size_t first, second;

    if (n <= 0)
        return 0;
    assert_int_equal(span[0].iov_len + span[1].iov_len, n);
    first = prng_below(g, (uint64_t)n + 1);
    second = prng_below(g, (uint64_t)n - first + 1);
    assert_int_equal(mtcp_recv_release(S, server, first), 0);
    check(span[0].iov_base, span[0].iov_len, pos); /* all of it stays where it is */
    check(span[1].iov_base, span[1].iov_len, pos + span[0].iov_len);
    assert_int_equal(mtcp_recv_release(S, server, second), 0);
    return first + second;
}

static size_t read_copied(struct prng *g, size_t pos)
{
    static char buf[PIECE_MOST];
    ssize_t n = mtcp_read(S, server, buf, 1 + (size_t)prng_below(g, PIECE_MOST));

    if (n <= 0)
        return 0;
    check(buf, (size_t)n, pos);
    return (size_t)n;
}

static void any_mixture_gives_the_same_bytes(void **state)
{
    struct prng g = {20};
    size_t written = 0, received = 0;

    (void)state;
    for (unsigned rounds = 0; received < STREAM_BYTES; rounds++) {
        size_t len = 1 + (size_t)prng_below(&g, PIECE_MOST);

        if (len > STREAM_BYTES - written)
            len = STREAM_BYTES - written;
        if (len)
            written += prng_below(&g, 2) ? write_in_place(&g, len, written) : write_copied(len, written);
        if (prng_below(&g, 3))
            kit_run(&kit);
        received += prng_below(&g, 2) ? read_in_place(&g, received) : read_copied(&g, received);
        assert_true(rounds < 100000);
    }
    assert_int_equal(written, STREAM_BYTES);
}

static void what_is_not_released_comes_again(void **state)
{
    struct iovec span[2];

    (void)state;
    assert_int_equal(mtcp_write(C, client, "abcdef", 6), 6);
    kit_run(&kit);
    assert_int_equal(mtcp_recv_zc(S, server, span, MSG_DONTWAIT), 6);
    assert_int_equal(mtcp_recv_zc(S, server, span, 0), 6);
    assert_memory_equal(span[0].iov_base, "abcdef", 6);
    assert_int_equal(span[1].iov_len, 0);
    assert_int_equal(mtcp_recv_release(S, server, 2), 0);
    assert_int_equal(mtcp_recv_zc(S, server, span, 0), 4);
    assert_memory_equal(span[0].iov_base, "cdef", 4);
    assert_int_equal(mtcp_recv_release(S, server, 5), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(mtcp_recv_release(S, server, 4), 0);
    assert_int_equal(mtcp_recv_zc(S, server, span, 0), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(mtcp_close(C, client), 0);
    kit_run(&kit);
    assert_int_equal(mtcp_recv_zc(S, server, span, 0), 0);
}

static void a_claim_ends_with_a_write_or_a_commit(void **state)
{
    struct iovec span[2];
    char buf[16];

    (void)state;
    assert_int_equal(mtcp_send_commit(C, client, 1), -1); /* nothing was claimed */
    assert_int_equal(errno, EINVAL);
    assert_int_equal(mtcp_send_zc(C, client, 4, span, 0), 4);
    assert_int_equal(mtcp_send_commit(C, client, 5), -1);
    assert_int_equal(errno, EINVAL);
    memcpy(span[0].iov_base, "1234", 4);
    assert_int_equal(mtcp_send_commit(C, client, 4), 0);
    assert_int_equal(mtcp_send_commit(C, client, 1), -1);
    assert_int_equal(mtcp_send_zc(C, client, 4, span, 0), 4);
    assert_int_equal(mtcp_write(C, client, "56", 2), 2);
    assert_int_equal(mtcp_send_commit(C, client, 4), -1);
    assert_int_equal(mtcp_send_zc(C, client, 4, span, 0), 4); /* never committed: not sent */
    kit_run(&kit);
    assert_int_equal(mtcp_read(S, server, buf, sizeof(buf)), 6);
    assert_memory_equal(buf, "123456", 6);
}

static void a_full_buffer_reports_room_again(void **state)
{
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLOUT, .data.sockid = client};
    int ep = mtcp_epoll_create(C, 1);
    struct iovec span[2];
    ssize_t n;

    (void)state;
    while ((n = mtcp_send_zc(C, client, PIECE_MOST, span, 0)) > 0)
        assert_int_equal(mtcp_send_commit(C, client, (size_t)n), 0);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(mtcp_epoll_ctl(C, ep, MTCP_EPOLL_CTL_ADD, client, &ev), 0);
    for (unsigned i = 0; i < 50; i++) {
        kit_run(&kit);
        while ((n = mtcp_recv_zc(S, server, span, 0)) > 0)
            assert_int_equal(mtcp_recv_release(S, server, (size_t)n), 0);
    }
    assert_int_equal(mtcp_epoll_wait(C, ep, &ev, 1, 0), 1);
    assert_true(mtcp_send_zc(C, client, 10, span, 0) == 10);
}

#define EXPECT(call, err)               \
    do {                                \
        assert_int_equal((call), -1);   \
        assert_int_equal(errno, (err)); \
    } while (0)

static void errors(void **state)
{
    int udp = kit_socket(&kit, 0, SOCK_DGRAM), fresh = kit_socket(&kit, 0, SOCK_STREAM);
    struct iovec span[2];

    (void)state;
    EXPECT(mtcp_recv_zc(NULL, client, span, 0), EINVAL);
    EXPECT(mtcp_recv_zc(C, 63, span, 0), EBADF);
    EXPECT(mtcp_recv_zc(C, udp, span, 0), ENOTSOCK);
    EXPECT(mtcp_recv_zc(C, fresh, span, 0), ENOTCONN);
    EXPECT(mtcp_recv_zc(C, client, NULL, 0), EFAULT);
    EXPECT(mtcp_recv_zc(C, client, span, MSG_PEEK), EINVAL);
    EXPECT(mtcp_recv_release(C, udp, 0), ENOTSOCK);
    EXPECT(mtcp_recv_release(C, fresh, 0), ENOTCONN);
    EXPECT(mtcp_send_zc(C, udp, 1, span, 0), ENOTSOCK);
    EXPECT(mtcp_send_zc(C, fresh, 1, span, 0), ENOTCONN);
    EXPECT(mtcp_send_zc(C, client, 1, NULL, 0), EFAULT);
    EXPECT(mtcp_send_zc(C, client, 1, span, MSG_NOSIGNAL), EINVAL);
    EXPECT(mtcp_send_commit(C, 63, 0), EBADF);
    assert_int_equal(mtcp_shutdown(C, client, SHUT_WR), 0);
    EXPECT(mtcp_send_zc(C, client, 1, span, 0), EPIPE);
    EXPECT(mtcp_send_commit(C, client, 0), EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_mixture_gives_the_same_bytes, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_is_not_released_comes_again, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_claim_ends_with_a_write_or_a_commit, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_full_buffer_reports_room_again, make_world, end_world),
        cmocka_unit_test_setup_teardown(errors, make_world, end_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
