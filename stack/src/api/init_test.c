/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mtcp_init() to mtcp_destroy(): the file, mtcp_setconf() before and after, contexts, signals. */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "api/api_testkit.h"

static char path[] = "/tmp/mtcp-init-test-XXXXXX";
static struct netif *other_end;

static int write_file(const char *text)
{
    int fd;

    strcpy(path + strlen(path) - 6, "XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return close(fd);
}

/** mtcp_init() on one end of a cable with so many queues. */
static int init(const char *text, unsigned queues)
{
    struct netif_params p = {.num_queues = queues, .mtu = 1500};
    int rc;

    assert_int_equal(pair_open(&p, &kit_netif_for_init, &other_end), ST_OK);
    write_file(text);
    rc = mtcp_init(path);
    unlink(path);
    if (kit_netif_for_init)
        kit_netif_for_init->ops->close(kit_netif_for_init);
    kit_netif_for_init = NULL;
    return rc;
}

static void end(void)
{
    mtcp_destroy();
    other_end->ops->close(other_end);
}

#define GOOD "io = tap\nport = t0\naddress = 10.0.0.1/24\nlog = error\nmax_concurrency = 100\nnum_cores = 1\n"

static void the_file_gives_the_settings(void **state)
{
    struct mtcp_conf c;

    (void)state;
    mtcp_getconf(&c);
    assert_int_equal(c.num_cores, 0);
    assert_int_equal(c.max_concurrency, 0);
    assert_int_equal(init(GOOD, 1), 0);
    mtcp_getconf(&c);
    assert_int_equal(c.num_cores, 1);
    assert_int_equal(c.max_concurrency, 100);
    assert_true(c.rcvbuf_size > 0);
    end();
}

static void settings_made_before_override_the_file(void **state)
{
    struct mtcp_conf c;

    (void)state;
    mtcp_getconf(&c); /* as epserver does it: read, change one field, write */
    c.num_cores = 2;
    mtcp_setconf(&c);
    assert_int_equal(init(GOOD, 2), 0);
    assert_int_equal(kit_cores_wanted, 2);
    mtcp_getconf(&c);
    assert_int_equal(c.num_cores, 2);
    assert_int_equal(c.max_concurrency, 100);
    end();
}

static void settings_made_after_hold_for_new_contexts(void **state)
{
    struct mtcp_conf c = {.max_concurrency = 5, .rcvbuf_size = -1};
    mctx_t m;

    (void)state;
    assert_int_equal(init(GOOD, 1), 0);
    mtcp_setconf(&c); /* as epwget does it */
    m = mtcp_create_context(3);
    assert_non_null(m);
    assert_int_equal(m->cpu, 3);
    for (int i = 0; i < 5; i++)
        assert_int_equal(mtcp_socket(m, AF_INET, SOCK_STREAM, 0), i);
    assert_int_equal(mtcp_socket(m, AF_INET, SOCK_STREAM, 0), -1);
    assert_int_equal(errno, ENFILE);
    mtcp_destroy_context(m);
    end();
}

static void as_many_contexts_as_workers(void **state)
{
    mctx_t a, b;

    (void)state;
    assert_int_equal(init(GOOD "idle = sleep\n", 1), 0);
    a = mtcp_create_context(7);
    assert_non_null(a);
    b = mtcp_create_context(8);
    assert_null(b);
    assert_int_equal(errno, ENFILE);
    mtcp_destroy_context(a);
    assert_non_null(mtcp_create_context(8));
    end(); /* destroys the context that is left */
}

static void core_mask_says_where_workers_run(void **state)
{
    cpu_set_t before, after;
    int last = -1;
    char conf[256];

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
    for (int i = 0; i < 64; i++)
        last = CPU_ISSET(i, &before) ? i : last;
    snprintf(conf, sizeof(conf), "%score_mask = 0x%llx\n", GOOD, 1ull << last);
    assert_int_equal(init(conf, 1), 0);
    mtcp_destroy_context(mtcp_create_context(0));
    assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
    assert_int_equal(CPU_COUNT(&after), 1);
    assert_true(CPU_ISSET(last, &after));
    sched_setaffinity(0, sizeof(before), &before);
    end();
}

static void bad_starts_are_refused(void **state)
{
    (void)state;
    assert_int_equal(init("io = tap\nfoo = bar\n", 1), -1);
    assert_int_equal(errno, EINVAL);
    other_end->ops->close(other_end);
    assert_int_equal(mtcp_init("/nonexistent/stack.conf"), -1);
    assert_int_equal(errno, EINVAL);
    write_file(GOOD);
    assert_int_equal(mtcp_init(path), -1); /* no interface */
    assert_int_equal(errno, ENODEV);
    unlink(path);
    assert_int_equal(init(GOOD, 1), 0);
    assert_int_equal(mtcp_init(path), -1);
    assert_int_equal(errno, EALREADY);
    end();
    mtcp_destroy(); /* again: nothing happens */
}

static volatile sig_atomic_t seen;

static void handler(int signum)
{
    seen = signum;
}

static void a_signal_calls_the_handler_and_ends_waits(void **state)
{
    struct mtcp_epoll_event ev;
    mctx_t m;
    int ep;

    (void)state;
    assert_int_equal(init(GOOD, 1), 0);
    m = mtcp_create_context(0);
    ep = mtcp_epoll_create(m, 1);
    assert_ptr_equal(mtcp_register_signal(SIGUSR1, handler), SIG_DFL);
    assert_ptr_equal(mtcp_register_signal(SIGUSR1, handler), handler);
    raise(SIGUSR1);
    assert_int_equal(seen, SIGUSR1);
    assert_int_equal(mtcp_epoll_wait(m, ep, &ev, 1, -1), -1);
    assert_int_equal(errno, EINTR);
    assert_ptr_equal(mtcp_register_signal(SIGUSR1, SIG_DFL), handler);
    assert_ptr_equal(mtcp_register_signal(0, handler), SIG_ERR);
    assert_ptr_equal(mtcp_register_signal(SIGKILL, handler), SIG_ERR);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_gives_the_settings),
        cmocka_unit_test(settings_made_before_override_the_file),
        cmocka_unit_test(settings_made_after_hold_for_new_contexts),
        cmocka_unit_test(as_many_contexts_as_workers),
        cmocka_unit_test(core_mask_says_where_workers_run),
        cmocka_unit_test(bad_starts_are_refused),
        cmocka_unit_test(a_signal_calls_the_handler_and_ends_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
