/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two stacks in one process at the ends of a cable in memory, used through the API: 10.0.0.1 and 10.0.0.2.
 * For tests only, included once, after cmocka. */
#ifndef API_API_TESTKIT_H
#define API_API_TESTKIT_H

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/log.h"
#include "netif/pair.h"

#define KIT_PORT 80

struct kit {
    struct config cfg[2];
    struct mtcp_stack *stack[2];
    mctx_t ctx[2]; /**< the first context of each: [0] is 10.0.0.1 */
    unsigned workers;
};

/** What stack_open_netif() gives to mtcp_init() in a test. */
static struct netif *kit_netif_for_init;
static unsigned kit_cores_wanted;

enum status stack_open_netif(const struct config *cfg, unsigned num_cores, struct log *log,
                             struct netif **out)
{
    (void)cfg, (void)log;
    kit_cores_wanted = num_cores;
    *out = kit_netif_for_init;
    kit_netif_for_init = NULL;
    return *out ? ST_OK : ST_NO_DEVICE;
}

static inline struct sockaddr_in kit_addr(int host, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(0x0a000000u + (uint32_t)host + 1)};
}

static inline void kit_config(struct config *cfg, int host, unsigned workers)
{
    config_defaults(cfg);
    cfg->has_address = true;
    cfg->address = 0x0a000000u + (uint32_t)host + 1;
    cfg->prefix_len = 24;
    cfg->max_concurrency = 64;
    cfg->num_cores = workers;
    cfg->idle = CONFIG_IDLE_YIELD;
}

static inline void kit_open(struct kit *k, unsigned workers)
{
    struct netif_params p = {.num_queues = workers, .mtu = 1500};
    struct log log = {.level = LOG_ERROR, .sink = log_stderr};
    struct netif *end[2];

    memset(k, 0, sizeof(*k));
    k->workers = workers;
    assert_int_equal(pair_open(&p, &end[0], &end[1]), ST_OK);
    for (int i = 0; i < 2; i++) {
        kit_config(&k->cfg[i], i, workers);
        assert_int_equal(stack_create(&k->cfg[i], end[i], &log, &k->stack[i]), ST_OK);
        assert_int_equal(api_ctx_create(k->stack[i], i, &k->ctx[i]), ST_OK);
    }
}

static inline void kit_close(struct kit *k)
{
    for (int i = 0; i < 2; i++) {
        if (k->ctx[i])
            api_ctx_destroy(k->ctx[i], 0);
        stack_destroy(k->stack[i]);
        config_free(&k->cfg[i]);
    }
}

static inline struct worker *kit_worker(struct kit *k, int host)
{
    return ((struct api_ctx *)k->ctx[host])->worker;
}

/** Lets both ends run, a little. */
static inline void kit_run(struct kit *k)
{
    for (int i = 0; i < 20; i++) {
        worker_round(kit_worker(k, 0));
        worker_round(kit_worker(k, 1));
    }
}

static inline int kit_socket(struct kit *k, int host, int type)
{
    int fd = mtcp_socket(k->ctx[host], AF_INET, type | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    return fd;
}

static inline int kit_bound(struct kit *k, int host, int type, uint16_t port)
{
    struct sockaddr_in a = kit_addr(host, port);
    int fd = kit_socket(k, host, type);

    assert_int_equal(mtcp_bind(k->ctx[host], fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static inline int kit_listener(struct kit *k, int host, uint16_t port)
{
    int fd = kit_bound(k, host, SOCK_STREAM, port);

    assert_int_equal(mtcp_listen(k->ctx[host], fd, 16), 0);
    return fd;
}

/** A connection from host 0 to the listener on host 1: client's and server's descriptor. */
static inline void kit_connect(struct kit *k, int listener, int *client, int *server)
{
    struct sockaddr_in a = kit_addr(1, KIT_PORT);

    *client = kit_socket(k, 0, SOCK_STREAM);
    assert_int_equal(mtcp_connect(k->ctx[0], *client, (struct sockaddr *)&a, sizeof(a)), -1);
    assert_int_equal(errno, EINPROGRESS);
    kit_run(k);
    *server = mtcp_accept(k->ctx[1], listener, NULL, NULL);
    assert_true(*server >= 0);
    assert_int_equal(mtcp_setsock_nonblock(k->ctx[1], *server), 0);
}

#endif
