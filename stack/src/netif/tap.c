/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See tap.h. One file descriptor a queue (IFF_MULTI_QUEUE with more than one), non-blocking, one frame a
 * call. */
#include "netif/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "netif/netif_counters.h"
#include "netif/pkt_pool.h"

#define DEVICE "/dev/net/tun"
#define BUFS_PER_QUEUE 16384u

struct tap_queue {
    struct netif_counters counters; /* first: aligned */
    int fd;
    struct pkt *spare; /* taken for a frame that did not come */
};

struct tap_netif {
    struct netif nif; /* first: the interface is the tap */
    char name[IFNAMSIZ];
    int control_fd; /* a socket for the ioctls that ask and set */
    struct pkt_pool pool;
    struct tap_queue *queues;
};

static struct tap_netif *tap_of(struct netif *nif)
{
    return (struct tap_netif *)nif;
}

static unsigned tap_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct tap_netif *t = tap_of(nif);
    struct tap_queue *q = &t->queues[queue];
    unsigned got = 0;

    while (got < n) {
        struct pkt *p = q->spare ? q->spare : pkt_pool_get(&t->pool);
        ssize_t len;

        q->spare = p;
        if (!p) /* the frame waits in the kernel, whose queue drops when it is full */
            break;
        len = read(q->fd, p->data, pkt_tailroom(p));
        if (len <= 0)
            break;
        if ((size_t)len > NETIF_MAX_FRAME(nif->mtu)) {
            netif_count(&q->counters.rx_dropped, 1);
            continue;
        }
        q->spare = NULL;
        p->len = (uint32_t)len;
        netif_count_rx(&q->counters, p);
        pkts[got++] = p;
    }
    return got;
}

static unsigned tap_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct tap_queue *q = &tap_of(nif)->queues[queue];

    for (unsigned i = 0; i < n; i++) {
        ssize_t len = write(q->fd, pkts[i]->data, pkts[i]->len);

        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return i;
        if (len < 0) /* EIO: the interface is down; the frame is gone as on a dead wire */
            netif_count(&q->counters.tx_dropped, 1);
        else
            netif_count_tx(&q->counters, pkts[i]);
        pkt_free(pkts[i]);
    }
    return n;
}

static struct pkt *tap_alloc(struct netif *nif, unsigned queue)
{
    (void)queue;
    return pkt_pool_get(&tap_of(nif)->pool);
}

static void request_init(const struct tap_netif *t, struct ifreq *req)
{
    memset(req, 0, sizeof(*req));
    memcpy(req->ifr_name, t->name, sizeof(t->name));
}

static bool tap_link_up(struct netif *nif)
{
    struct ifreq req;

    request_init(tap_of(nif), &req);
    return !ioctl(tap_of(nif)->control_fd, SIOCGIFFLAGS, &req) && (req.ifr_flags & IFF_UP);
}

static void tap_stats(struct netif *nif, struct netif_stats *out)
{
    *out = (struct netif_stats){0};
    for (unsigned q = 0; q < nif->num_queues; q++)
        netif_counters_add(&tap_of(nif)->queues[q].counters, out);
}

static int tap_rx_fd(struct netif *nif, unsigned queue)
{
    return tap_of(nif)->queues[queue].fd;
}

static void tap_close(struct netif *nif)
{
    struct tap_netif *t = tap_of(nif);

    for (unsigned q = 0; t->queues && q < nif->num_queues; q++)
        if (t->queues[q].fd >= 0)
            close(t->queues[q].fd);
    if (t->control_fd >= 0)
        close(t->control_fd);
    pkt_pool_fini(&t->pool);
    free(t->queues);
    free(t);
}

static const struct netif_ops tap_ops = {
    .name = "tap",
    .rx_burst = tap_rx_burst,
    .tx_burst = tap_tx_burst,
    .alloc = tap_alloc,
    .link_up = tap_link_up,
    .stats = tap_stats,
    .rx_fd = tap_rx_fd,
    .close = tap_close,
};

static enum status refuse(struct tap_netif *t, struct log *log, const char *what, const char *hint)
{
    enum status st = errno == EPERM || errno == EACCES || errno == EBUSY ? ST_IO : ST_NO_DEVICE;

    log_say(log, LOG_ERROR, "tap %s: %s: %s; %s", t->name, what, strerror(errno), hint);
    return st;
}

static int attach(struct tap_netif *t, int fd, int more_flags)
{
    struct ifreq req;

    request_init(t, &req);
    req.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | more_flags);
    return ioctl(fd, TUNSETIFF, &req);
}

/* Opens one more queue of the interface. */
static enum status open_queue(struct tap_netif *t, struct log *log, int *fd)
{
    bool many = t->nif.num_queues > 1;
    int failed;

    *fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0)
        return refuse(t, log, "cannot open " DEVICE,
                      "load the module (modprobe tun) or give the process the device");
    failed = attach(t, *fd, many ? IFF_MULTI_QUEUE : 0);
    if (failed && errno == EINVAL && !many) /* made for several queues: one of them will do */
        failed = attach(t, *fd, IFF_MULTI_QUEUE);
    if (!failed)
        return ioctl(*fd, TUNSETOFFLOAD, 0) ? refuse(t, log, "cannot turn offloads off", "old kernel?")
                                            : ST_OK;
    if (errno == EPERM)
        return refuse(
            t, log, "not allowed",
            "run as root, with CAP_NET_ADMIN, or make it yours: ip tuntap add NAME mode tap user USER");
    if (errno == EBUSY)
        return refuse(t, log, "in use", "another process drives this interface");
    if (errno == EINVAL && many)
        return refuse(t, log, "does not take several queues",
                      "make it with: ip tuntap add NAME mode tap multi_queue");
    return refuse(t, log, "cannot attach", "is it a tap interface? see ip -d link show");
}

/* Sets our MTU and the link up, unless it is so already: that may need rights that attaching does not. */
static void bring_up(struct tap_netif *t, struct log *log)
{
    struct ifreq req;

    request_init(t, &req);
    if (!ioctl(t->control_fd, SIOCGIFMTU, &req) && req.ifr_mtu != t->nif.mtu) {
        req.ifr_mtu = t->nif.mtu;
        if (ioctl(t->control_fd, SIOCSIFMTU, &req))
            log_say(log, LOG_WARN, "tap %s: cannot set MTU %u: %s", t->name, t->nif.mtu, strerror(errno));
    }
    request_init(t, &req);
    if (!ioctl(t->control_fd, SIOCGIFFLAGS, &req) && !(req.ifr_flags & IFF_UP)) {
        req.ifr_flags |= IFF_UP;
        if (ioctl(t->control_fd, SIOCSIFFLAGS, &req))
            log_say(log, LOG_WARN, "tap %s: is down: %s; ip link set %s up", t->name, strerror(errno),
                    t->name);
    }
}

/* 02:6d and a hash (FNV-1a) of the name: local, unicast, the same after a restart. */
static struct eth_addr address_of_name(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return (struct eth_addr){
        {0x02, 0x6d, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16), (uint8_t)(hash >> 8), (uint8_t)hash}};
}

static enum status tap_start(struct tap_netif *t, const struct netif_params *params)
{
    t->control_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (t->control_fd < 0)
        return ST_IO;
    for (unsigned q = 0; q < t->nif.num_queues; q++) {
        enum status st = open_queue(t, params->log, &t->queues[q].fd);

        if (st != ST_OK)
            return st;
    }
    bring_up(t, params->log);
    return ST_OK;
}

static bool name_is_good(const char *name)
{
    size_t len = name ? strlen(name) : 0;

    return len && len < IFNAMSIZ && !strpbrk(name, "/ \t%:") && strcmp(name, ".") && strcmp(name, "..");
}

enum status tap_open(const struct netif_params *params, struct netif **out)
{
    unsigned queues = params->num_queues ? params->num_queues : 1;
    struct tap_netif *t;
    enum status st;

    if (!name_is_good(params->port)) {
        log_say(params->log, LOG_ERROR,
                "tap: '%.64s' cannot name an interface: 1 to 15 characters without /, %%, : or blanks",
                params->port ? params->port : "");
        return ST_INVALID;
    }
    t = calloc(1, sizeof(*t));
    if (!t)
        return ST_NO_MEMORY;
    t->nif = (struct netif){.ops = &tap_ops, .mtu = params->mtu, .num_queues = queues};
    memcpy(t->name, params->port, strlen(params->port));
    t->nif.mac = params->has_mac ? params->mac : address_of_name(t->name);
    t->control_fd = -1;
    /* One byte more than the longest frame, so that a longer one is noticed and not cut. */
    pkt_pool_init(&t->pool, NETIF_MAX_FRAME(params->mtu) + 1,
                  params->num_bufs ? params->num_bufs : queues * BUFS_PER_QUEUE);
    t->queues = aligned_alloc(64, queues * sizeof(*t->queues));
    for (unsigned q = 0; t->queues && q < queues; q++)
        t->queues[q] = (struct tap_queue){.fd = -1};
    st = t->queues ? tap_start(t, params) : ST_NO_MEMORY;
    if (st != ST_OK)
        tap_close(&t->nif);
    else
        *out = &t->nif;
    return st;
}
