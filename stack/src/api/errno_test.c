/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What each call of the API says to arguments that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <cmocka.h>

#include "api/api_testkit.h"

/** Descriptors of every kind, for the calls below; `none` is not open. */
static struct kit kit;
static int fresh, listener, conn, peer, dgram, ep;
enum { none = 40 };

static mctx_t M(void)
{
    return kit.ctx[1];
}

static struct sockaddr *at(int host, uint16_t port)
{
    static struct sockaddr_in a;

    a = kit_addr(host, port);
    return (struct sockaddr *)&a;
}

static struct sockaddr *of_family(int family)
{
    static struct sockaddr_in a;

    a = kit_addr(1, 1000);
    a.sin_family = (sa_family_t)family;
    return (struct sockaddr *)&a;
}

static int make_world(void **state)
{
    (void)state;
    kit_open(&kit, 1);
    listener = kit_listener(&kit, 1, KIT_PORT);
    kit_connect(&kit, listener, &peer, &conn);
    fresh = kit_socket(&kit, 1, SOCK_STREAM);
    dgram = kit_socket(&kit, 1, SOCK_DGRAM);
    ep = mtcp_epoll_create(M(), 1);
    assert_true(ep >= 0);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    kit_close(&kit);
    return 0;
}

#define LEN sizeof(struct sockaddr_in)
#define EXPECT(call, err)                                             \
    do {                                                              \
        errno = 0;                                                    \
        if ((call) != -1 || errno != (err))                           \
            fail_msg("%s: errno %d, expected %d", #call, errno, err); \
    } while (0)

static char buf[64];
static int value;
static socklen_t optlen = sizeof(value), addrlen = LEN;
static struct sockaddr_in name;
static struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN};
static struct iovec iov[2] = {{buf, 8}, {buf, 8}};

/** Every call that takes a context and a descriptor, with arguments that are otherwise good. */
static ssize_t call_by_number(int number, mctx_t m, int fd)
{
    struct sockaddr *a = (struct sockaddr *)&name;

    switch (number) {
    case 0:
        return mtcp_bind(m, fd, at(1, 99), LEN);
    case 1:
        return mtcp_listen(m, fd, 1);
    case 2:
        return mtcp_accept(m, fd, NULL, NULL);
    case 3:
        return mtcp_connect(m, fd, at(0, 99), LEN);
    case 4:
        return mtcp_getsockname(m, fd, a, &addrlen);
    case 5:
        return mtcp_getpeername(m, fd, a, &addrlen);
    case 6:
        return mtcp_shutdown(m, fd, SHUT_WR);
    case 7:
        return mtcp_close(m, fd);
    case 8:
        return mtcp_abort(m, fd);
    case 9:
        return mtcp_getsockopt(m, fd, SOL_SOCKET, SO_ERROR, &value, &optlen);
    case 10:
        return mtcp_setsockopt(m, fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value));
    case 11:
        return mtcp_setsock_nonblock(m, fd);
    case 12:
        return mtcp_socket_ioctl(m, fd, FIONREAD, &value);
    case 13:
        return mtcp_read(m, fd, buf, sizeof(buf));
    case 14:
        return mtcp_recv(m, fd, buf, sizeof(buf), 0);
    case 15:
        return mtcp_readv(m, fd, iov, 2);
    case 16:
        return mtcp_write(m, fd, buf, 1);
    case 17:
        return mtcp_send(m, fd, buf, 1, 0);
    case 18:
        return mtcp_writev(m, fd, iov, 2);
    case 19:
        return mtcp_recvfrom(m, fd, buf, sizeof(buf), 0, NULL, NULL);
    case 20:
        return mtcp_sendto(m, fd, buf, 1, 0, at(0, 99), LEN);
    case 21:
        return mudp_sendto(m, fd, buf, 1, 0, at(0, 99), LEN);
    case 22:
        return mudp_recvfrom(m, fd, buf, sizeof(buf), 0, NULL, NULL);
    case 23:
        return mudp_close(m, fd);
    case 24:
        return mtcp_epoll_ctl(m, fd, MTCP_EPOLL_CTL_ADD, fresh, &ev);
    case 25:
        return mtcp_epoll_ctl(m, ep, MTCP_EPOLL_CTL_ADD, fd, &ev);
    case 26:
        return mtcp_epoll_wait(m, fd, &ev, 1, 0);
    default:
        return -2;
    }
}
#define NUM_CALLS 27

static void no_context_and_no_descriptor(void **state)
{
    (void)state;
    for (int i = 0; i < NUM_CALLS; i++) {
        errno = 0;
        if (call_by_number(i, NULL, fresh) != -1 || errno != EINVAL)
            fail_msg("call %d without a context: errno %d", i, errno);
        for (int fd = -1; fd <= 1000000; fd = fd == -1     ? none
                                              : fd == none ? 64
                                              : fd == 64   ? 1000000
                                                           : fd + 1) {
            errno = 0;
            if (call_by_number(i, M(), fd) != -1 || errno != EBADF)
                fail_msg("call %d with descriptor %d: errno %d", i, fd, errno);
        }
    }
}

static void an_epoll_is_no_socket(void **state)
{
    (void)state;
    for (int i = 0; i < 24; i++) {
        if (i == 7 || i == 11) /* close and nonblock are good for every descriptor */
            continue;
        errno = 0;
        if (call_by_number(i, M(), ep) != -1 || errno != ENOTSOCK)
            fail_msg("call %d with an epoll: errno %d", i, errno);
    }
}

static void making_sockets(void **state)
{
    (void)state;
    EXPECT(mtcp_socket(NULL, AF_INET, SOCK_STREAM, 0), EINVAL);
    EXPECT(mtcp_socket(M(), AF_INET6, SOCK_STREAM, 0), EAFNOSUPPORT);
    EXPECT(mtcp_socket(M(), AF_INET, SOCK_RAW, 0), EINVAL);
    EXPECT(mtcp_socket(M(), AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    EXPECT(mtcp_socket(M(), AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    EXPECT(mtcp_pipe(M(), NULL), EFAULT);
    EXPECT(mtcp_pipe(M(), iov[0].iov_base), ENOSYS);
    EXPECT(mtcp_pipe(NULL, NULL), EINVAL);
}

static void names(void **state)
{
    socklen_t small = 4;

    (void)state;
    EXPECT(mtcp_bind(M(), fresh, NULL, LEN), EFAULT);
    EXPECT(mtcp_bind(M(), fresh, at(1, 99), 4), EINVAL);
    EXPECT(mtcp_bind(M(), fresh, of_family(AF_INET6), LEN), EAFNOSUPPORT);
    EXPECT(mtcp_bind(M(), fresh, at(7, 99), LEN), EADDRNOTAVAIL);
    EXPECT(mtcp_bind(M(), listener, at(1, 99), LEN), EINVAL);
    EXPECT(mtcp_bind(M(), conn, at(1, 99), LEN), EINVAL);
    EXPECT(mtcp_getsockname(M(), fresh, NULL, &addrlen), EFAULT);
    EXPECT(mtcp_getsockname(M(), fresh, (struct sockaddr *)&name, NULL), EFAULT);
    EXPECT(mtcp_getpeername(M(), fresh, (struct sockaddr *)&name, &addrlen), ENOTCONN);
    EXPECT(mtcp_getpeername(M(), listener, (struct sockaddr *)&name, &addrlen), ENOTCONN);
    EXPECT(mtcp_getpeername(M(), dgram, (struct sockaddr *)&name, &addrlen), ENOTCONN);
    assert_int_equal(mtcp_getsockname(M(), conn, (struct sockaddr *)&name, &small), 0);
    assert_int_equal(small, LEN);
}

static void listening_and_connecting(void **state)
{
    int second = kit_bound(&kit, 1, SOCK_STREAM, KIT_PORT);

    (void)state;
    EXPECT(mtcp_listen(M(), fresh, 1), EINVAL);
    EXPECT(mtcp_listen(M(), listener, 1), EINVAL);
    EXPECT(mtcp_listen(M(), conn, 1), EINVAL);
    EXPECT(mtcp_listen(M(), dgram, 1), ENOTSOCK);
    EXPECT(mtcp_listen(M(), second, 0), EINVAL);
    EXPECT(mtcp_listen(M(), second, 65), EINVAL);
    EXPECT(mtcp_listen(M(), second, 1), EADDRINUSE);
    EXPECT(mtcp_accept(M(), fresh, NULL, NULL), EINVAL);
    EXPECT(mtcp_accept(M(), conn, NULL, NULL), EINVAL);
    EXPECT(mtcp_accept(M(), dgram, NULL, NULL), ENOTSOCK);
    EXPECT(mtcp_accept(M(), listener, NULL, NULL), EAGAIN);
    EXPECT(mtcp_accept(M(), listener, (struct sockaddr *)&name, NULL), EFAULT);
    EXPECT(mtcp_connect(M(), fresh, NULL, LEN), EFAULT);
    EXPECT(mtcp_connect(M(), fresh, at(0, 99), 3), EINVAL);
    EXPECT(mtcp_connect(M(), fresh, of_family(AF_UNIX), LEN), EAFNOSUPPORT);
    EXPECT(mtcp_connect(M(), fresh, at(0, 0), LEN), EINVAL);
    EXPECT(mtcp_connect(M(), fresh, at(0x01000000, 99), LEN), ENETUNREACH);
    EXPECT(mtcp_connect(M(), conn, at(0, 99), LEN), EISCONN);
    EXPECT(mtcp_connect(M(), listener, at(0, 99), LEN), EISCONN);
    EXPECT(mtcp_connect(M(), fresh, at(0, 99), LEN), EINPROGRESS);
    EXPECT(mtcp_connect(M(), fresh, at(0, 99), LEN), EALREADY);
    kit_run(&kit); /* nobody listens there */
    EXPECT(mtcp_connect(M(), fresh, at(0, 99), LEN), ECONNREFUSED);
}

static void reading_and_writing_streams(void **state)
{
    (void)state;
    EXPECT(mtcp_read(M(), fresh, buf, 1), ENOTCONN);
    EXPECT(mtcp_read(M(), listener, buf, 1), ENOTCONN);
    EXPECT(mtcp_read(M(), conn, NULL, 1), EFAULT);
    EXPECT(mtcp_read(M(), conn, buf, 1), EAGAIN);
    EXPECT(mtcp_recv(M(), conn, buf, 1, MSG_OOB), EINVAL);
    EXPECT(mtcp_write(M(), fresh, buf, 1), ENOTCONN);
    EXPECT(mtcp_write(M(), conn, NULL, 1), EFAULT);
    EXPECT(mtcp_send(M(), conn, buf, 1, MSG_OOB), EINVAL);
    EXPECT(mtcp_readv(M(), conn, NULL, 1), EFAULT);
    EXPECT(mtcp_readv(M(), conn, iov, 0), EINVAL);
    EXPECT(mtcp_readv(M(), conn, iov, 1025), EINVAL);
    EXPECT(mtcp_readv(M(), conn, iov, 2), EAGAIN);
    EXPECT(mtcp_writev(M(), conn, NULL, 1), EFAULT);
    EXPECT(mtcp_writev(M(), conn, iov, -1), EINVAL);
    EXPECT(mtcp_writev(M(), dgram, iov, 2), ENOTSOCK);
    EXPECT(mtcp_shutdown(M(), conn, 9), EINVAL);
    EXPECT(mtcp_shutdown(M(), fresh, SHUT_WR), ENOTCONN);
    EXPECT(mtcp_shutdown(M(), dgram, SHUT_WR), ENOTSOCK);
    EXPECT(mtcp_abort(M(), fresh), ENOTCONN);
    EXPECT(mtcp_abort(M(), listener), ENOTCONN);
    assert_int_equal(mtcp_shutdown(M(), conn, SHUT_WR), 0);
    EXPECT(mtcp_write(M(), conn, buf, 1), EPIPE);
}

static void datagrams(void **state)
{
    static char big[65536];

    (void)state;
    EXPECT(mudp_sendto(M(), dgram, buf, 1, 0, NULL, 0), ENOTCONN);
    EXPECT(mudp_sendto(M(), dgram, NULL, 1, 0, at(0, 9), LEN), EFAULT);
    EXPECT(mudp_sendto(M(), dgram, buf, 1, MSG_OOB, at(0, 9), LEN), EINVAL);
    EXPECT(mudp_sendto(M(), dgram, buf, 1, 0, at(0, 9), 3), EINVAL);
    EXPECT(mudp_sendto(M(), dgram, buf, 1, 0, of_family(AF_INET6), LEN), EAFNOSUPPORT);
    EXPECT(mudp_sendto(M(), dgram, big, sizeof(big), 0, at(0, 9), LEN), EMSGSIZE);
    EXPECT(mudp_sendto(M(), dgram, buf, 1, 0, at(0x01000000, 9), LEN), ENETUNREACH);
    EXPECT(mudp_sendto(M(), fresh, buf, 1, 0, at(0, 9), LEN), ENOTSOCK);
    EXPECT(mudp_recvfrom(M(), dgram, NULL, 1, 0, NULL, NULL), EFAULT);
    EXPECT(mudp_recvfrom(M(), dgram, buf, 1, 0, (struct sockaddr *)&name, NULL), EFAULT);
    EXPECT(mudp_recvfrom(M(), fresh, buf, 1, 0, NULL, NULL), ENOTSOCK);
    EXPECT(mudp_close(M(), fresh), ENOTSOCK);
    EXPECT(mtcp_recvfrom(M(), dgram, buf, 1, 0, NULL, NULL), EAGAIN);
    assert_int_equal(mudp_recvfrom(M(), dgram, buf, 1, 0, NULL, NULL), 0);
}

static void options_and_ioctls(void **state)
{
    void *pointer = NULL;
    socklen_t pointer_len = sizeof(pointer);
    socklen_t small = 1;

    (void)state;
    EXPECT(mtcp_getsockopt(M(), conn, SOL_SOCKET, SO_ERROR, NULL, &optlen), EFAULT);
    EXPECT(mtcp_getsockopt(M(), conn, SOL_SOCKET, SO_ERROR, &value, NULL), EFAULT);
    EXPECT(mtcp_getsockopt(M(), conn, SOL_SOCKET, SO_ERROR, &value, &small), EINVAL);
    EXPECT(mtcp_getsockopt(M(), conn, SOL_SOCKET, SO_KEEPALIVE, &value, &optlen), ENOPROTOOPT);
    EXPECT(mtcp_getsockopt(M(), conn, IPPROTO_IP, 1, &value, &optlen), ENOPROTOOPT);
    EXPECT(mtcp_getsockopt(M(), dgram, IPPROTO_TCP, 1, &value, &optlen), ENOPROTOOPT);
    EXPECT(mtcp_getsockopt(M(), fresh, IPPROTO_TCP, 2, &value, &optlen), ENOTCONN);
    EXPECT(mtcp_setsockopt(M(), conn, SOL_SOCKET, SO_REUSEADDR, NULL, sizeof(int)), EFAULT);
    EXPECT(mtcp_setsockopt(M(), conn, SOL_SOCKET, SO_REUSEADDR, &value, 1), EINVAL);
    EXPECT(mtcp_setsockopt(M(), conn, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof(int)), ENOPROTOOPT);
    EXPECT(mtcp_setsockopt(M(), conn, SOL_SOCKET, SO_LINGER, &value, sizeof(int)), ENOPROTOOPT);
    EXPECT(mtcp_setsockopt(M(), dgram, IPPROTO_TCP, 1, &value, sizeof(int)), ENOPROTOOPT);
    EXPECT(mtcp_setsockopt(M(), dgram, SOL_MTCP, MTCP_MOVABLE, &value, sizeof(int)), ENOPROTOOPT);
    EXPECT(mtcp_getsockopt(M(), dgram, SOL_MTCP, MTCP_MOVABLE, &value, &optlen), ENOPROTOOPT);
    EXPECT(mtcp_setsockopt(M(), listener, SOL_MTCP, MTCP_USER_DATA, &pointer, sizeof(pointer)), ENOPROTOOPT);
    EXPECT(mtcp_getsockopt(M(), listener, SOL_MTCP, MTCP_USER_DATA, &pointer, &pointer_len), ENOPROTOOPT);
    EXPECT(mtcp_setsockopt(M(), conn, SOL_MTCP, MTCP_USER_DATA, &pointer, sizeof(int)), EINVAL);
    EXPECT(mtcp_getsockopt(M(), conn, SOL_MTCP, MTCP_USER_DATA, &pointer, &optlen), EINVAL);
    EXPECT(mtcp_setsockopt(M(), conn, SOL_MTCP, 99, &value, sizeof(int)), ENOPROTOOPT);
    EXPECT(mtcp_socket_ioctl(M(), conn, 0x1234, &value), EINVAL);
    EXPECT(mtcp_socket_ioctl(M(), conn, FIONREAD, NULL), EFAULT);
}

static void epoll_calls(void **state)
{
    (void)state;
    EXPECT(mtcp_epoll_create(M(), 0), EINVAL);
    EXPECT(mtcp_epoll_create1(M(), 1), EINVAL);
    EXPECT(mtcp_epoll_create(NULL, 1), EINVAL);
    EXPECT(mtcp_epoll_ctl(M(), fresh, MTCP_EPOLL_CTL_ADD, conn, &ev), EINVAL);
    EXPECT(mtcp_epoll_ctl(M(), ep, 9, conn, &ev), EINVAL);
    EXPECT(mtcp_epoll_ctl(M(), ep, MTCP_EPOLL_CTL_ADD, conn, NULL), EFAULT);
    EXPECT(mtcp_epoll_ctl(M(), ep, MTCP_EPOLL_CTL_ADD, ep, &ev), EINVAL);
    EXPECT(mtcp_epoll_ctl(M(), ep, MTCP_EPOLL_CTL_MOD, conn, &ev), ENOENT);
    EXPECT(mtcp_epoll_ctl(M(), ep, MTCP_EPOLL_CTL_DEL, conn, NULL), ENOENT);
    assert_int_equal(mtcp_epoll_ctl(M(), ep, MTCP_EPOLL_CTL_ADD, conn, &ev), 0);
    EXPECT(mtcp_epoll_ctl(M(), ep, MTCP_EPOLL_CTL_ADD, conn, &ev), EEXIST);
    EXPECT(mtcp_epoll_wait(M(), ep, NULL, 1, 0), EFAULT);
    EXPECT(mtcp_epoll_wait(M(), ep, &ev, 0, 0), EINVAL);
    EXPECT(mtcp_epoll_wait(M(), conn, &ev, 1, 0), EINVAL);
}

static void contexts_and_settings(void **state)
{
    (void)state;
    EXPECT(mtcp_init(NULL), EINVAL);
    EXPECT(mtcp_getconf(NULL), EINVAL);
    EXPECT(mtcp_setconf(NULL), EINVAL);
    EXPECT(mtcp_interrupt(NULL), EINVAL);
    EXPECT(mtcp_init_rss(NULL, 0, 1, 0, 0), EINVAL);
    EXPECT(mtcp_init_rss(M(), 0, 0, 0, 0), EINVAL);
    EXPECT(mtcp_core_affinitize(-1), EINVAL);
    EXPECT(mtcp_core_affinitize(1000), EINVAL);
    errno = 0;
    assert_null(mtcp_create_context(-1));
    assert_int_equal(errno, EINVAL);
    assert_null(mtcp_create_context(0));
    assert_int_equal(errno, EPERM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_context_and_no_descriptor),
        TEST(an_epoll_is_no_socket),
        TEST(making_sockets),
        TEST(names),
        TEST(listening_and_connecting),
        TEST(reading_and_writing_streams),
        TEST(datagrams),
        TEST(options_and_ioctls),
        TEST(epoll_calls),
        TEST(contexts_and_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
