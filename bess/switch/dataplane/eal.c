/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start and stop of DPDK's environment. Nothing is shared with other DPDK processes (--no-shconf,
 * --in-memory), so nothing stays behind when this one dies but an empty run-time folder, which eal_stop
 * removes.
 */
#define _GNU_SOURCE
#include "eal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>

#define POOL_CACHE 256
#define MAX_ARGS 24

struct eal_thread {
    const struct eal_config *cfg;
    int ret;
};

/* "0@(0,1,5)": the main lcore floats over every CPU that the process may use. */
static void lcores_arg(char *buf, size_t size)
{
    cpu_set_t cpus;
    size_t len = snprintf(buf, size, "0@(");

    CPU_ZERO(&cpus);
    sched_getaffinity(0, sizeof(cpus), &cpus);
    for (int i = 0; i < CPU_SETSIZE && len + 8 < size; i++) {
        if (CPU_ISSET(i, &cpus))
            len += snprintf(buf + len, size - len, "%d,", i);
    }
    snprintf(buf + len - 1, size - len + 1, ")");
}

static void *eal_main(void *arg)
{
    struct eal_thread *t = arg;
    const struct eal_config *cfg = t->cfg;
    char lcores[2048], mem[16];
    char *argv[MAX_ARGS];
    int n = 0;

    lcores_arg(lcores, sizeof(lcores));
    snprintf(mem, sizeof(mem), "%u", cfg->mem_mb);
    argv[n++] = (char *)"vportd";
    argv[n++] = (char *)"--lcores";
    argv[n++] = lcores;
    argv[n++] = (char *)"--no-pci";
    argv[n++] = (char *)"--no-telemetry";
    argv[n++] = (char *)"--log-level=lib.vhost.config:warning"; /* else 60 lines a peer */
    argv[n++] = (char *)"--file-prefix";
    argv[n++] = (char *)cfg->file_prefix;
    argv[n++] = (char *)"-m";
    argv[n++] = mem;
    if (cfg->hugepages) {
        argv[n++] = (char *)"--in-memory";
    } else {
        argv[n++] = (char *)"--no-huge";
        argv[n++] = (char *)"--no-shconf";
    }
    if (cfg->plugin_dir != NULL) {
        argv[n++] = (char *)"-d";
        argv[n++] = (char *)cfg->plugin_dir;
    }
    argv[n] = NULL;
    t->ret = rte_eal_init(n, argv) < 0 ? -rte_errno : 0;
    return NULL;
}

int eal_start(const struct eal_config *cfg, struct rte_mempool **pool, const char **why)
{
    struct eal_thread t = {.cfg = cfg, .ret = -EAGAIN};
    pthread_t thread;
    FILE *log;

    if (cfg->log_fd >= 0) {
        log = fdopen(dup(cfg->log_fd), "a");
        if (log != NULL) {
            setvbuf(log, NULL, _IOLBF, 0);
            rte_openlog_stream(log);
        }
    }
    *why = "DPDK's environment does not start; its own messages in the log say why";
    if (pthread_create(&thread, NULL, eal_main, &t) != 0)
        return -EAGAIN;
    pthread_join(thread, NULL);
    if (t.ret != 0) {
        rmdir(rte_eal_get_runtime_dir());
        return t.ret;
    }
    *why = "not enough memory for the packet buffers: raise --mem or lower --buffers";
    *pool = rte_pktmbuf_pool_create("vportd", cfg->n_buffers, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                    SOCKET_ID_ANY);
    if (*pool == NULL) {
        t.ret = -rte_errno;
        eal_stop();
        return t.ret;
    }
    return 0;
}

void eal_stop(void)
{
    char dir[256];

    snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
    rte_eal_cleanup();
    rmdir(dir); /* stays if another process uses the same prefix */
}
