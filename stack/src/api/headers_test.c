/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What programs written for mTCP take for granted of the public headers: names, types, values, layouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cpu.h"
#include "debug.h"
#include "mtcp_api.h"
#include "mtcp_epoll.h"
#include "mudp_api.h"
#include "rss.h"

#include "api/api_testkit.h" /* the test links the library without its interfaces */

static void values(void **state)
{
    static const struct {
        const char *name;
        uint32_t is, should_be;
    } table[] = {
        {"MTCP_SOCK_UNUSED", MTCP_SOCK_UNUSED, 0},
        {"MTCP_SOCK_STREAM", MTCP_SOCK_STREAM, 1},
        {"MTCP_SOCK_PROXY", MTCP_SOCK_PROXY, 2},
        {"MTCP_SOCK_LISTENER", MTCP_SOCK_LISTENER, 3},
        {"MTCP_SOCK_EPOLL", MTCP_SOCK_EPOLL, 4},
        {"MTCP_SOCK_PIPE", MTCP_SOCK_PIPE, 5},
        {"MTCP_SOCK_DGRAM", MTCP_SOCK_DGRAM, 6},
        {"MTCP_EPOLL_CTL_ADD", MTCP_EPOLL_CTL_ADD, 1},
        {"MTCP_EPOLL_CTL_DEL", MTCP_EPOLL_CTL_DEL, 2},
        {"MTCP_EPOLL_CTL_MOD", MTCP_EPOLL_CTL_MOD, 3},
        {"MTCP_EPOLLNONE", MTCP_EPOLLNONE, 0},
        {"MTCP_EPOLLIN", MTCP_EPOLLIN, 0x1},
        {"MTCP_EPOLLPRI", MTCP_EPOLLPRI, 0x2},
        {"MTCP_EPOLLOUT", MTCP_EPOLLOUT, 0x4},
        {"MTCP_EPOLLERR", MTCP_EPOLLERR, 0x8},
        {"MTCP_EPOLLHUP", MTCP_EPOLLHUP, 0x10},
        {"MTCP_EPOLLRDNORM", MTCP_EPOLLRDNORM, 0x40},
        {"MTCP_EPOLLRDBAND", MTCP_EPOLLRDBAND, 0x80},
        {"MTCP_EPOLLWRNORM", MTCP_EPOLLWRNORM, 0x100},
        {"MTCP_EPOLLWRBAND", MTCP_EPOLLWRBAND, 0x200},
        {"MTCP_EPOLLMSG", MTCP_EPOLLMSG, 0x400},
        {"MTCP_EPOLLRDHUP", MTCP_EPOLLRDHUP, 0x2000},
        {"MTCP_EPOLLMOVED", MTCP_EPOLLMOVED, 0x10000},
        {"MTCP_EPOLLONESHOT", MTCP_EPOLLONESHOT, 1u << 30},
        {"MTCP_EPOLLET", (uint32_t)MTCP_EPOLLET, 1u << 31},
        {"INPORT_ANY", INPORT_ANY, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].is != table[i].should_be)
            fail_msg("%s is %#x, should be %#x", table[i].name, table[i].is, table[i].should_be);
}

static void layouts(void **state)
{
    struct mtcp_conf conf;
    int fields[7] = {1, 2, 3, 4, 5, 6, 7};
    struct mtcp_context context = {.cpu = 3};
    mctx_t mctx = &context;

    (void)state;
    assert_int_equal(sizeof(struct mtcp_epoll_event), 16);
    assert_int_equal(offsetof(struct mtcp_epoll_event, data), 8);
    assert_int_equal(sizeof(mtcp_epoll_data_t), 8);
    assert_int_equal(sizeof(conf), sizeof(fields));
    memcpy(&conf, fields, sizeof(conf));
    assert_int_equal(conf.num_cores, 1);
    assert_int_equal(conf.max_concurrency, 2);
    assert_int_equal(conf.max_num_buffers, 3);
    assert_int_equal(conf.rcvbuf_size, 4);
    assert_int_equal(conf.sndbuf_size, 5);
    assert_int_equal(conf.tcp_timewait, 6);
    assert_int_equal(conf.tcp_timeout, 7);
    assert_int_equal(mctx->cpu, 3);
}

/** The types that old programs assign the functions to. */
static void types(void **state)
{
    ssize_t (*read_fn)(mctx_t, int, char *, size_t) = mtcp_read;
    ssize_t (*write_fn)(mctx_t, int, const char *, size_t) = mtcp_write;
    int (*writev_fn)(mctx_t, int, const struct iovec *, int) = mtcp_writev;
    int (*rss_fn)(mctx_t, in_addr_t, int, in_addr_t, in_addr_t) = mtcp_init_rss;
    int (*wait_fn)(mctx_t, int, struct mtcp_epoll_event *, int, int) = mtcp_epoll_wait;
    mtcp_sighandler_t (*signal_fn)(int, mtcp_sighandler_t) = mtcp_register_signal;
    char *(*name_fn)(uint32_t) = EventToString;

    (void)state;
    assert_true(read_fn && write_fn && writev_fn && rss_fn && wait_fn && signal_fn && name_fn);
    TRACE_ERROR("not printed: %d\n", 1);
    TRACE_APP("not printed\n");
}

static void hashes_are_symmetric_and_spread(void **state)
{
    unsigned per_queue[4] = {0};

    (void)state;
    assert_true(GetNumCPUs() >= 1);
    for (unsigned i = 0; i < 4096; i++) {
        in_addr_t a = 0x0a000001 + i % 7, b = 0xa9fe0908;
        in_port_t p = (in_port_t)(1024 + i * 13), q = 80;
        int queue = GetRSSCPUCore(a, b, p, q, 4);

        assert_true(GetRSSHash(a, b, p, q) == GetRSSHash(b, a, q, p));
        assert_in_range(queue, 0, 3);
        per_queue[queue]++;
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(per_queue[i], 4096 / 8, 4096 / 2);
    assert_int_equal(GetRSSCPUCore(1, 2, 3, 4, 0), 0);
    assert_int_equal(GetRSSCPUCore(1, 2, 3, 4, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(layouts),
        cmocka_unit_test(types),
        cmocka_unit_test(hashes_are_symmetric_and_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
