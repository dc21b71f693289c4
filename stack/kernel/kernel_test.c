/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mTCP API on the kernel's sockets: what the applications rely on. Over the loopback interface of a
 * network namespace of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mtcp_epoll.h"
#include "mudp_api.h"
#include "testing/own_network.h"

#define CONF "io = tap\nport = t0\naddress = %s/8\nlog = error\nnum_cores = 2\nmax_concurrency = 100\n"
#define WAIT_MS 5000

static mctx_t a, b;
static int signals;

static int init_with(const char *text)
{
    char path[] = "/tmp/mtcp-kernel-test-XXXXXX";
    int fd = mkstemp(path), rc;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    rc = mtcp_init(path);
    unlink(path);
    return rc;
}

static int start_at(void **state, const char *address)
{
    char text[256];

    (void)state;
    snprintf(text, sizeof(text), CONF, address);
    if (init_with(text))
        return -1;
    a = mtcp_create_context(0);
    b = mtcp_create_context(1);
    return a && b ? 0 : -1;
}

static int start(void **state)
{
    return start_at(state, OWN_ADDRESS);
}

static int start_elsewhere(void **state)
{
    return start_at(state, "10.7.0.77");
}

static int stop(void **state)
{
    (void)state;
    mtcp_destroy_context(a);
    mtcp_destroy(); /* takes b along */
    return 0;
}

/** A listener of b at a port that the kernel chose. */
static int listen_any(struct sockaddr_in *at)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = mtcp_socket(b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof(*at);

    assert_true(fd >= 0);
    assert_int_equal(mtcp_bind(b, fd, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(mtcp_listen(b, fd, 10), 0);
    assert_int_equal(mtcp_getsockname(b, fd, (struct sockaddr *)at, &len), 0);
    at->sin_addr.s_addr = inet_addr(OWN_ADDRESS);
    return fd;
}

static int epoll_with(mctx_t mctx, int fd, uint32_t events)
{
    struct mtcp_epoll_event ev = {.events = events, .data.sockid = fd};
    int ep = mtcp_epoll_create(mctx, 8);

    assert_true(ep >= 0);
    assert_int_equal(mtcp_epoll_ctl(mctx, ep, MTCP_EPOLL_CTL_ADD, fd, &ev), 0);
    return ep;
}

/** Waits until exactly this descriptor is ready for these events. */
static void await_event(mctx_t mctx, int ep, int fd, uint32_t events)
{
    struct mtcp_epoll_event ev[4];

    assert_int_equal(mtcp_epoll_wait(mctx, ep, ev, 4, WAIT_MS), 1);
    assert_int_equal(ev[0].data.sockid, fd);
    assert_int_equal(ev[0].events & events, events);
}

/** A connection from a to b; the descriptors of both ends. */
static void connect_both(int *client, int *server)
{
    struct sockaddr_in at;
    int listener = listen_any(&at), ep = epoll_with(b, listener, MTCP_EPOLLIN);

    *client = mtcp_socket(a, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(mtcp_connect(a, *client, (struct sockaddr *)&at, sizeof(at)), 0);
    await_event(b, ep, listener, MTCP_EPOLLIN);
    *server = mtcp_accept(b, listener, NULL, NULL);
    assert_true(*server >= 0);
    assert_int_equal(mtcp_accept(b, listener, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    mtcp_close(b, listener);
    mtcp_close(b, ep);
}

static void a_stream_carries_bytes_and_its_end(void **state)
{
    struct iovec out[2] = {{(char *)"head", 4}, {(char *)"body", 4}};
    int client, server, ep;
    char buf[16] = "";

    (void)state;
    connect_both(&client, &server);
    assert_int_equal(mtcp_setsock_nonblock(b, server), 0);
    ep = epoll_with(b, server, MTCP_EPOLLIN);
    assert_int_equal(mtcp_read(b, server, buf, sizeof(buf)), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(mtcp_writev(a, client, out, 2), 8);
    await_event(b, ep, server, MTCP_EPOLLIN);
    assert_int_equal(mtcp_recv(b, server, buf, sizeof(buf), MSG_PEEK), 8);
    assert_int_equal(mtcp_read(b, server, buf, sizeof(buf)), 8);
    assert_memory_equal(buf, "headbody", 8);
    assert_int_equal(mtcp_close(a, client), 0);
    await_event(b, ep, server, MTCP_EPOLLIN);
    assert_int_equal(mtcp_read(b, server, buf, sizeof(buf)), 0);
    mtcp_close(b, server);
    mtcp_close(b, ep);
}

static void a_write_to_a_reset_connection_is_an_error_not_a_signal(void **state)
{
    int client, server, ep, err = 0;
    socklen_t len = sizeof(err);

    (void)state;
    connect_both(&client, &server);
    ep = epoll_with(b, server, 0);
    assert_int_equal(mtcp_abort(a, client), 0);
    await_event(b, ep, server, MTCP_EPOLLERR);
    assert_int_equal(mtcp_getsockopt(b, server, SOL_SOCKET, SO_ERROR, &err, &len), 0);
    assert_int_equal(err, ECONNRESET);
    assert_int_equal(mtcp_write(b, server, "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    mtcp_close(b, server);
    mtcp_close(b, ep);
}

static void small_writes_leave_at_once_as_with_libmtcp(void **state)
{
    int ends[2], on = 0;
    socklen_t len = sizeof(on);

    (void)state;
    connect_both(&ends[0], &ends[1]);
    for (int i = 0; i < 2; i++) {
        on = 0;
        assert_int_equal(mtcp_getsockopt(i ? b : a, ends[i], IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
        assert_true(on);
        mtcp_close(i ? b : a, ends[i]);
    }
}

static void connections_leave_with_the_address_of_the_file(void **state)
{
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    int client, server;

    (void)state;
    connect_both(&client, &server);
    assert_int_equal(mtcp_getpeername(b, server, (struct sockaddr *)&from, &len), 0);
    assert_int_equal(from.sin_addr.s_addr, inet_addr("10.7.0.77"));
    mtcp_close(a, client);
    mtcp_close(b, server);
}

static void two_contexts_listen_on_one_port(void **state)
{
    struct sockaddr_in at;
    int first = listen_any(&at), second = mtcp_socket(a, AF_INET, SOCK_STREAM, 0);

    (void)state;
    at.sin_addr.s_addr = INADDR_ANY;
    assert_int_equal(mtcp_bind(a, second, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(mtcp_listen(a, second, 1), 0);
    mtcp_close(a, second);
    mtcp_close(b, first);
}

static void datagrams_have_both_kinds_of_return_values(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(OWN_ADDRESS)}, from;
    int to = mtcp_socket(b, AF_INET, SOCK_DGRAM, 0), fd = mtcp_socket(a, AF_INET, SOCK_DGRAM, 0), bytes = 0;
    socklen_t len = sizeof(at);
    char buf[16];

    (void)state;
    assert_int_equal(mtcp_bind(b, to, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(mtcp_getsockname(b, to, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(mudp_recvfrom(b, to, buf, sizeof(buf), 0, NULL, NULL), 0);
    assert_int_equal(mtcp_recvfrom(b, to, buf, sizeof(buf), MSG_DONTWAIT, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(mudp_sendto(a, fd, "abc", 3, 0, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(mtcp_sendto(a, fd, "de", 2, 0, (struct sockaddr *)&at, sizeof(at)), 2);
    assert_int_equal(mtcp_socket_ioctl(b, to, FIONREAD, &bytes), 0);
    assert_int_equal(bytes, 3);
    len = sizeof(from);
    assert_int_equal(mudp_recvfrom(b, to, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 3);
    assert_int_equal(from.sin_addr.s_addr, inet_addr(OWN_ADDRESS));
    assert_int_equal(mtcp_recvfrom(b, to, buf, sizeof(buf), 0, NULL, NULL), 2);
    mudp_close(a, fd);
    mudp_close(b, to);
}

static void *interrupt_later(void *mctx)
{
    mtcp_interrupt(mctx);
    return NULL;
}

static void a_wait_is_interrupted_once_and_loses_no_event(void **state)
{
    struct mtcp_epoll_event ev[4];
    int p[2], ep;
    pthread_t t;

    (void)state;
    assert_int_equal(mtcp_pipe(a, p), 0);
    ep = epoll_with(a, p[0], MTCP_EPOLLIN | MTCP_EPOLLET);
    assert_int_equal(pthread_create(&t, NULL, interrupt_later, a), 0);
    assert_int_equal(mtcp_epoll_wait(a, ep, ev, 4, WAIT_MS), -1);
    assert_int_equal(errno, EINTR);
    pthread_join(t, NULL);
    assert_int_equal(mtcp_epoll_wait(a, ep, ev, 4, 0), 0);
    assert_int_equal(mtcp_write(a, p[1], "x", 1), 1);
    mtcp_interrupt(a);
    await_event(a, ep, p[0], MTCP_EPOLLIN);
    assert_int_equal(mtcp_epoll_wait(a, ep, ev, 4, 0), -1);
    assert_int_equal(errno, EINTR);
    assert_int_equal(mtcp_epoll_wait(a, ep, ev, 4, 0), 0);
    mtcp_close(a, p[0]);
    mtcp_close(a, p[1]);
    mtcp_close(a, ep);
}

static void on_signal(int signum)
{
    signals += signum == SIGUSR1;
}

static void a_signal_ends_the_waits_of_all_contexts(void **state)
{
    int ep[2] = {mtcp_epoll_create(a, 1), mtcp_epoll_create(b, 1)};
    struct mtcp_epoll_event ev;

    (void)state;
    assert_ptr_not_equal(mtcp_register_signal(SIGUSR1, on_signal), SIG_ERR);
    raise(SIGUSR1);
    assert_int_equal(signals, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mtcp_epoll_wait(i ? b : a, ep[i], &ev, 1, WAIT_MS), -1);
        assert_int_equal(errno, EINTR);
    }
    mtcp_register_signal(SIGUSR1, SIG_DFL);
}

static void descriptors_stay_below_the_limit_that_is_told(void **state)
{
    struct mtcp_conf conf;
    int fd, last = -1, first = -1;

    (void)state;
    assert_int_equal(mtcp_getconf(&conf), 0);
    assert_true(conf.max_concurrency >= 200); /* of both contexts */
    while ((fd = mtcp_socket(a, AF_INET, SOCK_STREAM, 0)) >= 0) {
        first = first < 0 ? fd : first;
        last = fd;
    }
    assert_int_equal(errno, ENFILE);
    assert_true(last < conf.max_concurrency && last - first >= 199);
    for (fd = first; fd <= last; fd++)
        mtcp_close(a, fd);
}

static void a_destroyed_context_closes_what_it_made(void **state)
{
    int fd = mtcp_socket(a, AF_INET, SOCK_STREAM, 0), other = mtcp_socket(b, AF_INET, SOCK_STREAM, 0);

    (void)state;
    mtcp_destroy_context(a);
    assert_int_equal(mtcp_socket_ioctl(b, fd, FIONREAD, &(int){0}), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(mtcp_close(b, other), 0);
    a = mtcp_create_context(0);
    assert_non_null(a);
    assert_null(mtcp_create_context(0));
    assert_int_equal(errno, ENFILE);
}

static void bad_starts_are_refused(void **state)
{
    (void)state;
    assert_null(mtcp_create_context(0));
    assert_int_equal(errno, EPERM);
    assert_int_equal(mtcp_init(NULL), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(init_with("address = 1\n"), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(mtcp_socket(NULL, AF_INET, SOCK_STREAM, 0), -1);
    assert_int_equal(errno, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_starts_are_refused),
        cmocka_unit_test_setup_teardown(a_stream_carries_bytes_and_its_end, start, stop),
        cmocka_unit_test_setup_teardown(a_write_to_a_reset_connection_is_an_error_not_a_signal, start, stop),
        cmocka_unit_test_setup_teardown(small_writes_leave_at_once_as_with_libmtcp, start, stop),
        cmocka_unit_test_setup_teardown(connections_leave_with_the_address_of_the_file, start_elsewhere,
                                        stop),
        cmocka_unit_test_setup_teardown(two_contexts_listen_on_one_port, start, stop),
        cmocka_unit_test_setup_teardown(datagrams_have_both_kinds_of_return_values, start, stop),
        cmocka_unit_test_setup_teardown(a_wait_is_interrupted_once_and_loses_no_event, start, stop),
        cmocka_unit_test_setup_teardown(a_signal_ends_the_waits_of_all_contexts, start, stop),
        cmocka_unit_test_setup_teardown(descriptors_stay_below_the_limit_that_is_told, start, stop),
        cmocka_unit_test_setup_teardown(a_destroyed_context_closes_what_it_made, start, stop),
    };

    return cmocka_run_group_tests(tests, own_network, NULL);
}
