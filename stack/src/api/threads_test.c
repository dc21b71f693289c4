/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Blocking sockets in threads: two stacks of two workers each, a thread and a queue for each worker, both
 * ends of every connection waiting in calls. Also run under ThreadSanitizer. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <cmocka.h>

#include "api/api_testkit.h"

#define ROUNDS 20
#define BLOCK 30000

static struct kit kit;

struct peer {
    pthread_t id;
    mctx_t ctx;
    atomic_int *listening;
    const char *failed; /**< the step that failed; asserts belong to the main thread */
};

static bool read_all(mctx_t m, int fd, char *buf, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = mtcp_read(m, fd, buf + got, len - got);

        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/** Echoes blocks of one connection until it ends. */
static void *serve(void *arg)
{
    struct peer *p = arg;
    struct sockaddr_in a = kit_addr(1, KIT_PORT);
    int l = mtcp_socket(p->ctx, AF_INET, SOCK_STREAM, 0), fd;
    char *buf = malloc(BLOCK);

    p->failed = "listen";
    if (mtcp_bind(p->ctx, l, (struct sockaddr *)&a, sizeof(a)) == 0 && mtcp_listen(p->ctx, l, 4) == 0) {
        atomic_fetch_add(p->listening, 1);
        fd = mtcp_accept(p->ctx, l, NULL, NULL);
        p->failed = fd < 0 ? "accept" : NULL;
        while (!p->failed && read_all(p->ctx, fd, buf, BLOCK))
            if (mtcp_write(p->ctx, fd, buf, BLOCK) != BLOCK)
                p->failed = "server's write";
    }
    free(buf);
    api_ctx_destroy(p->ctx, 1000000);
    return NULL;
}

static void *ask(void *arg)
{
    struct peer *p = arg;
    struct sockaddr_in a = kit_addr(1, KIT_PORT);
    int fd = mtcp_socket(p->ctx, AF_INET, SOCK_STREAM, 0);
    char *out = malloc(BLOCK), *in = malloc(BLOCK);

    while (atomic_load(p->listening) < 2)
        worker_round(((struct api_ctx *)p->ctx)->worker);
    p->failed = mtcp_connect(p->ctx, fd, (struct sockaddr *)&a, sizeof(a)) ? "connect" : NULL;
    for (int r = 0; r < ROUNDS && !p->failed; r++) {
        memset(out, 'a' + r, BLOCK);
        if (mtcp_write(p->ctx, fd, out, BLOCK) != BLOCK)
            p->failed = "client's write";
        else if (!read_all(p->ctx, fd, in, BLOCK))
            p->failed = "client's read";
        else if (memcmp(in, out, BLOCK) != 0)
            p->failed = "content";
    }
    mtcp_close(p->ctx, fd);
    free(out);
    free(in);
    api_ctx_destroy(p->ctx, 1000000);
    return NULL;
}

static void two_workers_at_each_end_echo(void **state)
{
    struct peer server[2] = {0}, client[2] = {0};
    atomic_int listening = 0;

    (void)state;
    kit_open(&kit, 2);
    for (int i = 0; i < 2; i++) {
        server[i].listening = client[i].listening = &listening;
        client[i].ctx = kit.ctx[0];
        server[i].ctx = kit.ctx[1];
        if (i == 0) {
            assert_int_equal(api_ctx_create(kit.stack[0], 1, &kit.ctx[0]), ST_OK);
            assert_int_equal(api_ctx_create(kit.stack[1], 1, &kit.ctx[1]), ST_OK);
        }
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&server[i].id, NULL, serve, &server[i]), 0);
        assert_int_equal(pthread_create(&client[i].id, NULL, ask, &client[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(client[i].id, NULL);
        pthread_join(server[i].id, NULL);
    }
    kit.ctx[0] = kit.ctx[1] = NULL; /* the threads destroyed them */
    kit_close(&kit);
    for (int i = 0; i < 2; i++) {
        if (client[i].failed || server[i].failed)
            fail_msg("client %s, server %s", client[i].failed, server[i].failed);
    }
}

static void *interrupt_later(void *arg)
{
    struct timespec ts = {.tv_nsec = 20000000};

    nanosleep(&ts, NULL);
    mtcp_interrupt(arg);
    return NULL;
}

static void an_interrupt_ends_a_sleeping_wait(void **state)
{
    struct mtcp_epoll_event ev;
    pthread_t id;
    int ep;

    (void)state;
    kit_open(&kit, 1);
    kit.cfg[0].idle = CONFIG_IDLE_SLEEP;
    ep = mtcp_epoll_create(kit.ctx[0], 1);
    pthread_create(&id, NULL, interrupt_later, kit.ctx[0]);
    assert_int_equal(mtcp_epoll_wait(kit.ctx[0], ep, &ev, 1, -1), -1);
    assert_int_equal(errno, EINTR);
    pthread_join(id, NULL);
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_workers_at_each_end_echo),
        cmocka_unit_test(an_interrupt_ends_a_sleeping_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
