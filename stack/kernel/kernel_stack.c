/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Start and end, settings, contexts, waking. The file is read by libmtcp's own reader; of its keys address,
 * num_cores, core_mask, max_concurrency and log matter here, and mtcp_init() says that the others do not.
 * Nothing outside `instance` is kept. */
#define _GNU_SOURCE
#include "kernel_priv.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cpu.h"

#include "api/api_priv.h"
#include "base/log.h"
#include "config/config.h"

#define OTHER_FDS 64u /* of the process: standard streams, epoll sets, wakes */

/** The stack of this library: what a signal has to wake. */
struct mtcp_stack {
    _Atomic int wakes[KERNEL_MAX_CONTEXTS]; /**< eventfd + 1; 0 = no such context */
};

static struct {
    pthread_mutex_t lock;
    bool ready;
    struct mtcp_conf conf, wishes;
    uint64_t core_mask;
    struct log log;
    struct kernel_settings settings;
    struct kernel_ctx *contexts[KERNEL_MAX_CONTEXTS];
    struct mtcp_stack stack;
} instance = {.lock = PTHREAD_MUTEX_INITIALIZER};

const struct kernel_settings *kernel_settings(void)
{
    return &instance.settings;
}

static int fail(int err)
{
    errno = err;
    return -1;
}

/* ---- settings ---- */

static void merge(struct mtcp_conf *into, const struct mtcp_conf *c)
{
    const int *from = &c->num_cores;
    int *to = &into->num_cores;

    for (size_t i = 0; i < sizeof(*c) / sizeof(int); i++)
        if (from[i] > 0)
            to[i] = from[i];
}

int mtcp_setconf(const struct mtcp_conf *conf)
{
    if (!conf)
        return fail(EINVAL);
    pthread_mutex_lock(&instance.lock);
    merge(&instance.wishes, conf);
    pthread_mutex_unlock(&instance.lock);
    return 0;
}

int mtcp_getconf(struct mtcp_conf *conf)
{
    if (!conf)
        return fail(EINVAL);
    pthread_mutex_lock(&instance.lock);
    *conf = instance.ready ? instance.conf : instance.wishes;
    pthread_mutex_unlock(&instance.lock);
    return 0;
}

static unsigned cores_of(const struct config *cfg)
{
    cpu_set_t allowed;

    if (instance.wishes.num_cores > 0)
        return (unsigned)instance.wishes.num_cores;
    if (cfg->num_cores > 0)
        return cfg->num_cores;
    if (cfg->core_mask != 0)
        return (unsigned)__builtin_popcountll(cfg->core_mask);
    return sched_getaffinity(0, sizeof(allowed), &allowed) ? 1 : (unsigned)CPU_COUNT(&allowed);
}

/** Descriptors are the process's here: a limit for all contexts together, which the API then promises. It is
 * lower than what was asked for where the process may not have as many. */
static int limit_fds(int *max_fds)
{
    struct rlimit lim;
    rlim_t wanted = (rlim_t)*max_fds;

    if (getrlimit(RLIMIT_NOFILE, &lim))
        return -1;
    if (lim.rlim_max < wanted && setrlimit(RLIMIT_NOFILE, &(struct rlimit){wanted, wanted}) == 0)
        return 0;
    lim.rlim_cur = lim.rlim_max < wanted ? lim.rlim_max : wanted;
    if (lim.rlim_cur < wanted)
        log_say(&instance.log, LOG_WARN,
                "max_concurrency: this process may have only %llu descriptors in all",
                (unsigned long long)lim.rlim_cur);
    *max_fds = (int)lim.rlim_cur;
    return setrlimit(RLIMIT_NOFILE, &lim);
}

static int apply(const struct config *cfg)
{
    unsigned cores = cores_of(cfg);
    struct mtcp_conf conf = {.num_cores = (int)cores,
                             .max_concurrency = (int)cfg->max_concurrency,
                             .max_num_buffers = (int)cfg->max_num_buffers,
                             .rcvbuf_size = (int)cfg->rcvbuf,
                             .sndbuf_size = (int)cfg->sndbuf,
                             .tcp_timewait = cfg->tcp_timewait,
                             .tcp_timeout = cfg->tcp_timeout};

    if (cores > KERNEL_MAX_CONTEXTS)
        return fail(EINVAL);
    instance.log.level = (enum log_level)cfg->log_level;
    merge(&conf, &instance.wishes);
    conf.num_cores = (int)cores;
    conf.max_concurrency = (int)((unsigned)conf.max_concurrency * cores + OTHER_FDS);
    if (limit_fds(&conf.max_concurrency))
        return -1;
    instance.conf = conf;
    instance.core_mask = cfg->core_mask;
    instance.settings.address.s_addr = htonl(cfg->address);
    instance.settings.share_ports = cores > 1;
    return 0;
}

static int start(const char *config_file)
{
    char error[CONFIG_ERROR_LEN] = "";
    struct config cfg;
    int rc;

    if (config_read(config_file, &cfg, error) != ST_OK) {
        log_say(&instance.log, LOG_ERROR, "%s", error);
        return fail(EINVAL);
    }
    rc = apply(&cfg);
    config_free(&cfg);
    if (rc == 0)
        log_say(&instance.log, LOG_INFO,
                "libmtcp_kernel: the kernel's own sockets; of %s only address, num_cores, core_mask, "
                "max_concurrency and log are used",
                config_file);
    return rc;
}

int mtcp_init(const char *config_file)
{
    int rc;

    if (!config_file)
        return fail(EINVAL);
    pthread_mutex_lock(&instance.lock);
    instance.log = (struct log){.level = LOG_INFO, .sink = log_stderr};
    rc = instance.ready ? fail(EALREADY) : start(config_file);
    if (rc == 0) {
        instance.ready = true;
        api_signal_set_stack(&instance.stack);
    }
    pthread_mutex_unlock(&instance.lock);
    return rc;
}

/* ---- contexts ---- */

static struct kernel_ctx *context_new(int cpu, unsigned index)
{
    struct kernel_ctx *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->pub.cpu = cpu;
    c->index = index;
    c->max_fds = (unsigned)instance.conf.max_concurrency;
    c->open = calloc(c->max_fds / 64 + 1, sizeof(*c->open));
    c->wake = c->open ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
    if (c->wake >= 0)
        return c;
    free(c->open);
    free(c);
    return NULL;
}

/** Worker i runs on the i-th CPU of core_mask, as with libmtcp. */
static void pin_to_mask(unsigned index)
{
    uint64_t mask = instance.core_mask;

    if (mask == 0)
        return;
    for (unsigned i = index % (unsigned)__builtin_popcountll(mask); i > 0; i--)
        mask &= mask - 1;
    if (CoreAffinitize(__builtin_ctzll(mask)) != 0)
        log_say(&instance.log, LOG_WARN, "context %u stays where it is: CPU %d of core_mask cannot be used",
                index, __builtin_ctzll(mask));
}

mctx_t mtcp_create_context(int cpu)
{
    struct kernel_ctx *c = NULL;
    unsigned i = 0;

    pthread_mutex_lock(&instance.lock);
    while (instance.ready && i < (unsigned)instance.conf.num_cores && instance.contexts[i])
        i++;
    if (cpu < 0) {
        errno = EINVAL;
    } else if (!instance.ready) {
        errno = EPERM;
    } else if (i == (unsigned)instance.conf.num_cores) {
        errno = ENFILE;
    } else {
        c = context_new(cpu, i);
        instance.contexts[i] = c;
    }
    if (c) {
        atomic_store(&instance.stack.wakes[i], c->wake + 1);
        pin_to_mask(i);
    }
    pthread_mutex_unlock(&instance.lock);
    return c ? &c->pub : NULL;
}

/** Closes what the context left open. The kernel goes on sending what was written by itself. */
static void context_free(struct kernel_ctx *c)
{
    atomic_store(&instance.stack.wakes[c->index], 0);
    instance.contexts[c->index] = NULL;
    for (unsigned i = 0; i <= c->max_fds / 64; i++)
        for (uint64_t bits = c->open[i]; bits; bits &= bits - 1)
            close((int)(i * 64) + __builtin_ctzll(bits));
    close(c->wake);
    free(c->open);
    free(c);
}

void mtcp_destroy_context(mctx_t mctx)
{
    if (!mctx)
        return;
    pthread_mutex_lock(&instance.lock);
    context_free((struct kernel_ctx *)mctx);
    pthread_mutex_unlock(&instance.lock);
}

void mtcp_destroy(void)
{
    pthread_mutex_lock(&instance.lock);
    api_signal_set_stack(NULL);
    for (unsigned i = 0; i < KERNEL_MAX_CONTEXTS; i++)
        if (instance.contexts[i])
            context_free(instance.contexts[i]);
    instance.ready = false;
    memset(&instance.wishes, 0, sizeof(instance.wishes));
    pthread_mutex_unlock(&instance.lock);
}

/* ---- waking ---- */

static void wake(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof(one)) < 0)
        return; /* EAGAIN: it is as awake as can be */
}

/** What api_signal.c calls in the handler of a signal. */
void stack_interrupt(struct mtcp_stack *st)
{
    for (unsigned i = 0; i < KERNEL_MAX_CONTEXTS; i++) {
        int fd = atomic_load(&st->wakes[i]) - 1;

        if (fd >= 0)
            wake(fd);
    }
}

int mtcp_interrupt(mctx_t mctx)
{
    struct kernel_ctx *c = kernel_ctx(mctx);

    if (!c)
        return -1;
    wake(c->wake);
    return 0;
}

void kernel_unwake(struct kernel_ctx *c)
{
    uint64_t count;

    if (read(c->wake, &count, sizeof(count)) < 0)
        return; /* nobody woke it */
}

/* ---- what has another meaning here ---- */

int mtcp_init_rss(mctx_t mctx, in_addr_t saddr_base, int num_addr, in_addr_t daddr, in_addr_t dport)
{
    (void)saddr_base, (void)daddr, (void)dport;
    if (!kernel_ctx(mctx))
        return -1;
    return num_addr < 1 ? fail(EINVAL) : 0; /* the kernel chooses ports by itself */
}

void mtcp_print_counters(mctx_t mctx, FILE *out)
{
    if (mctx && out)
        fprintf(out, "the kernel counts for the whole host: /proc/net/snmp, /proc/net/netstat\n");
}

int mtcp_core_affinitize(int cpu)
{
    return CoreAffinitize(cpu);
}
