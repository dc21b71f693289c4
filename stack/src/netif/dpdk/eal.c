/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See eal.h. rte_eal_init() pins the calling thread to the main lcore; what it was allowed before is
 * restored. */
#define _GNU_SOURCE
#include "netif/dpdk/eal.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "base/log.h"
#include "netif/dpdk/eal_args.h"

/* One environment a process. */
static struct {
    pthread_mutex_t lock;
    bool tried, running;
    struct eal_args args; /* EAL keeps pointers into its arguments */
    FILE *stream;
    struct log *log; /* of the stack that opened an interface last */
    pthread_key_t attached;
} eal = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* What DPDK calls an error and is none: EAL misses pages of every size that the processor has, also those
 * that nobody asked for; and who looks for the vhost device of a socket (dpdk_offload.c) meets numbers that
 * no device has. */
static bool is_noise(const char *text, size_t len)
{
    static const char *const words[] = {"No free", "device not found"};

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (memmem(text, len, words[i], strlen(words[i])))
            return true;
    return false;
}

/* DPDK writes a line a call, with its newline. */
static ssize_t take_log_line(void *cookie, const char *text, size_t len)
{
    static const enum log_level levels[] = {LOG_ERROR, LOG_ERROR, LOG_ERROR, LOG_ERROR,
                                            LOG_ERROR, LOG_WARN,  LOG_DEBUG, LOG_DEBUG};
    int level = rte_log_cur_msg_loglevel();
    size_t shown = len;

    (void)cookie;
    while (shown && (text[shown - 1] == '\n' || text[shown - 1] == '\r'))
        shown--;
    if (shown && !is_noise(text, len))
        log_say(eal.log, level >= 0 && level < 8 ? levels[level] : LOG_DEBUG, "dpdk: %.*s", (int)shown, text);
    return (ssize_t)len;
}

void eal_log_to(struct log *log)
{
    eal.log = log;
    if (eal.stream)
        return;
    eal.stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = take_log_line});
    if (eal.stream)
        setvbuf(eal.stream, NULL, _IOLBF, 0);
    rte_openlog_stream(eal.stream);
}

static uint64_t read_number(const char *path)
{
    FILE *f = fopen(path, "re");
    unsigned long long n = 0;

    if (f) {
        if (fscanf(f, "%llu", &n) != 1)
            n = 0;
        fclose(f);
    }
    return n;
}

static uint64_t free_hugepages_mb(void)
{
    static const char dir_name[] = "/sys/kernel/mm/hugepages";
    DIR *dir = opendir(dir_name);
    struct dirent *entry;
    uint64_t kb = 0;
    unsigned page_kb;
    char path[300];

    while (dir && (entry = readdir(dir))) {
        if (sscanf(entry->d_name, "hugepages-%ukB", &page_kb) != 1)
            continue;
        snprintf(path, sizeof(path), "%s/%.64s/free_hugepages", dir_name, entry->d_name);
        kb += read_number(path) * page_kb;
    }
    if (dir)
        closedir(dir);
    return kb / 1024;
}

/* True for a PCI device bound to one of the uio drivers, which know physical addresses only. */
static bool needs_physical(const struct port_name *port)
{
    char path[128], target[256];
    ssize_t len;

    if (port->kind != PORT_BY_PCI)
        return false;
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", port->device);
    len = readlink(path, target, sizeof(target) - 1);
    target[len > 0 ? len : 0] = '\0';
    return strstr(target, "uio") != NULL;
}

static unsigned first_cpu(const cpu_set_t *set)
{
    unsigned cpu = 0;

    while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, set))
        cpu++;
    return cpu;
}

static void forget_thread(void *value)
{
    (void)value;
    rte_thread_unregister();
}

/* rte_eal_init() without a trace in the file system. EAL makes a folder for the files that processes share;
 * we share none, so it goes into a folder of our own, which is removed at once. */
static int init_traceless(int argc, char **argv)
{
    static const char variable[] = "RUNTIME_DIRECTORY"; /* where EAL makes the folder */
    char dir[] = "/tmp/mtcp-XXXXXX", below[sizeof(dir) + sizeof("/dpdk")];
    bool given = getenv(variable) || !mkdtemp(dir);
    int used;

    if (!given)
        setenv(variable, dir, 1);
    used = rte_eal_init(argc, argv);
    rmdir(rte_eal_get_runtime_dir());
    if (given)
        return used;
    unsetenv(variable);
    snprintf(below, sizeof(below), "%s/dpdk", dir);
    rmdir(below);
    rmdir(dir);
    return used;
}

static enum status init_environment(const struct netif_params *params, const cpu_set_t *allowed,
                                    const struct port_name *port, uint64_t need_mb)
{
    struct eal_request req = {
        .port = port,
        .extra = params->eal,
        .hugepages = params->hugepages,
        .num_mem_ch = params->num_mem_ch,
        .cpu = first_cpu(allowed),
        .pid = (unsigned)getpid(),
        .need_mb = need_mb,
        .free_huge_mb = free_hugepages_mb(),
        .device_needs_physical = needs_physical(port),
    };
    enum status st = eal_args_build(&req, &eal.args);

    log_say(params->log, st == ST_OK ? LOG_INFO : LOG_ERROR, "dpdk: %s", eal.args.why);
    if (st != ST_OK)
        return st;
    for (int i = 1; i < eal.args.argc; i++)
        log_say(params->log, LOG_DEBUG, "dpdk: argument %s", eal.args.argv[i]);
    eal.tried = true;
    if ((eal.args.own_prefix ? init_traceless : rte_eal_init)(eal.args.argc, eal.args.argv) < 0) {
        bool bad_args = params->eal && rte_errno == EINVAL;

        log_say(params->log, LOG_ERROR, "dpdk: the environment does not start: %s; %s",
                rte_strerror(rte_errno), bad_args ? "check the key 'eal'" : "see the lines above");
        return bad_args ? ST_INVALID : ST_NO_DEVICE;
    }
    eal.running = true;
    pthread_key_create(&eal.attached, forget_thread);
    return ST_OK;
}

static enum status start_locked(const struct netif_params *params, const struct port_name *port,
                                uint64_t need_mb)
{
    cpu_set_t allowed;
    enum status st;

    if (eal.running)
        return ST_OK;
    if (eal.tried) {
        log_say(params->log, LOG_ERROR,
                "dpdk: the environment failed before and cannot start twice in a process");
        return ST_NO_DEVICE;
    }
    if (pthread_getaffinity_np(pthread_self(), sizeof(allowed), &allowed))
        return ST_IO;
    st = init_environment(params, &allowed, port, need_mb);
    pthread_setaffinity_np(pthread_self(), sizeof(allowed), &allowed);
    return st;
}

enum status eal_start(const struct netif_params *params, const struct port_name *port, uint64_t need_mb)
{
    enum status st;

    pthread_mutex_lock(&eal.lock);
    eal_log_to(params->log);
    st = start_locked(params, port, need_mb);
    pthread_mutex_unlock(&eal.lock);
    return st;
}

enum status eal_attach_thread(struct log *log)
{
    if (rte_lcore_id() != LCORE_ID_ANY)
        return ST_OK;
    if (rte_thread_register()) {
        /* Works without, only slower: such a thread has no packet cache. */
        log_say(log, LOG_WARN, "dpdk: a thread stays unknown to DPDK: %s", rte_strerror(rte_errno));
        return ST_OK;
    }
    pthread_setspecific(eal.attached, &eal);
    return ST_OK;
}
