/* SPDX-License-Identifier: BSD-3-Clause */
/* Creation and removal of DPDK ports, and the ownership of their queues. See port.h. */
#include "port.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_log.h>
#include <rte_vhost.h>

#define DEFAULT_QUEUE_SIZE 1024

/*
 * Offloads that would let a guest send frames without a checksum, or longer than the MTU, in the trust that
 * the other side finishes them. A switch has no other side that would: so none is offered, and every frame is
 * whole.
 */
#define VHOST_NO_OFFLOADS                                                                                 \
    (1ULL << VIRTIO_NET_F_CSUM | 1ULL << VIRTIO_NET_F_GUEST_CSUM | 1ULL << VIRTIO_NET_F_HOST_TSO4 |       \
     1ULL << VIRTIO_NET_F_HOST_TSO6 | 1ULL << VIRTIO_NET_F_HOST_UFO | 1ULL << VIRTIO_NET_F_HOST_ECN |     \
     1ULL << VIRTIO_NET_F_GUEST_TSO4 | 1ULL << VIRTIO_NET_F_GUEST_TSO6 | 1ULL << VIRTIO_NET_F_GUEST_UFO | \
     1ULL << VIRTIO_NET_F_GUEST_ECN)

/* The device's name: the device string up to its first comma. */
static int device_name(const char *device, char *name, size_t size)
{
    size_t len = strcspn(device, ",");

    if (len == 0 || len >= size)
        return -EINVAL;
    memcpy(name, device, len);
    name[len] = '\0';
    return 0;
}

/* The socket that a vhost device will make, from its `iface=`; "" for a device that makes none. */
static void vhost_socket(const char *device, char *path, size_t size)
{
    const char *iface = strstr(device, ",iface=");

    path[0] = '\0';
    if (iface == NULL || strstr(device, ",client=1") != NULL)
        return;
    iface += strlen(",iface=");
    snprintf(path, size, "%.*s", (int)strcspn(iface, ","), iface);
}

static uint16_t queue_size(uint16_t asked, const struct rte_eth_desc_lim *lim)
{
    uint16_t size = asked > 0 ? asked : DEFAULT_QUEUE_SIZE;

    if (lim->nb_max > 0 && size > lim->nb_max)
        size = lim->nb_max;
    return size < lim->nb_min ? lim->nb_min : size;
}

static int setup_queues(struct rte_mempool *pool, const struct port *p)
{
    int ret = 0;

    for (uint16_t q = 0; q < p->n_rxq && ret == 0; q++)
        ret = rte_eth_rx_queue_setup(p->dpdk_id, q, p->rxq_size, SOCKET_ID_ANY, NULL, pool);
    for (uint16_t q = 0; q < p->n_txq && ret == 0; q++)
        ret = rte_eth_tx_queue_setup(p->dpdk_id, q, p->txq_size, SOCKET_ID_ANY, NULL);
    return ret;
}

static int bring_up(struct rte_mempool *pool, const struct port_request *req, struct port *p,
                    const char **step)
{
    struct rte_eth_conf conf = {0};
    struct rte_eth_dev_info info;
    char path[256];
    int ret;

    *step = "rte_eth_dev_info_get() failed";
    ret = rte_eth_dev_info_get(p->dpdk_id, &info);
    if (ret != 0)
        return ret;
    *step = "rte_eth_dev_configure() failed";
    if (p->n_rxq > info.max_rx_queues || p->n_txq > info.max_tx_queues)
        return -EINVAL;
    vhost_socket(req->device, path, sizeof(path));
    if (path[0] != '\0' && access(path, F_OK) == 0) {
        /* The driver would fail to bind, and then remove what is not its own. */
        RTE_LOG(ERR, USER1, "%s exists: another daemon's socket, or a dead one's to be removed\n", path);
        return -EPERM;
    }
    ret = rte_eth_dev_configure(p->dpdk_id, p->n_rxq, p->n_txq, &conf);
    if (ret != 0)
        return ret;
    if (path[0] != '\0')
        rte_vhost_driver_disable_features(path, VHOST_NO_OFFLOADS);
    p->rxq_size = queue_size(req->rxq_size, &info.rx_desc_lim);
    p->txq_size = queue_size(req->txq_size, &info.tx_desc_lim);
    *step = "queue setup failed";
    ret = setup_queues(pool, p);
    if (ret != 0)
        return ret;
    rte_eth_promiscuous_enable(p->dpdk_id); /* what a device without it receives anyway is everything */
    *step = "rte_eth_dev_start() failed";
    return rte_eth_dev_start(p->dpdk_id);
}

static int device_remove(uint16_t dpdk_id)
{
    struct rte_eth_dev_info info;
    int ret = rte_eth_dev_info_get(dpdk_id, &info);

    if (ret != 0)
        return ret;
    rte_eth_dev_stop(dpdk_id);
    rte_eth_dev_close(dpdk_id);
    return rte_dev_remove(info.device);
}

int port_create(struct rte_mempool *pool, const struct port_request *req, struct port **out,
                const char **step)
{
    char name[RTE_ETH_NAME_MAX_LEN];
    struct port *p;
    int ret;

    *step = "No port specified";
    if (device_name(req->device, name, sizeof(name)) != 0)
        return -EINVAL;
    *step = "rte_eth_dev_configure() failed";
    if (rte_eth_dev_get_port_by_name(name, &(uint16_t){0}) == 0)
        return -EBUSY; /* bessd configures the running device again, which fails in just this way */
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return -ENOMEM;
    p->n_rxq = req->n_rxq;
    p->n_txq = req->n_txq;
    *step = "Cannot attach vdev";
    if (rte_dev_probe(req->device) != 0 || rte_eth_dev_get_port_by_name(name, &p->dpdk_id) != 0) {
        free(p);
        return -ENODEV;
    }
    port_notify_init(&p->notify, p->dpdk_id, req->device);
    ret = bring_up(pool, req, p, step);
    if (ret != 0) {
        port_notify_fini(&p->notify);
        device_remove(p->dpdk_id);
        free(p);
        return ret;
    }
    *out = p;
    return 0;
}

static struct module **owners(struct port *p, enum port_dir dir)
{
    return dir == PORT_INC ? p->rxq_owner : p->txq_owner;
}

static uint16_t n_queues(const struct port *p, enum port_dir dir)
{
    return dir == PORT_INC ? p->n_rxq : p->n_txq;
}

int port_destroy(struct port *p)
{
    int ret;

    for (unsigned q = 0; q < PORT_MAX_QUEUES; q++) {
        if (p->rxq_owner[q] != NULL || p->txq_owner[q] != NULL)
            return -EBUSY;
    }
    port_notify_fini(&p->notify);
    ret = device_remove(p->dpdk_id);
    if (ret == 0)
        free(p);
    return ret;
}

int port_acquire(struct port *p, enum port_dir dir, uint64_t qid, struct module *owner)
{
    if (qid >= n_queues(p, dir))
        return -EINVAL;
    if (owners(p, dir)[qid] != NULL)
        return -EBUSY;
    owners(p, dir)[qid] = owner;
    return 0;
}

int port_acquire_all(struct port *p, enum port_dir dir, struct module *owner)
{
    for (uint16_t q = 0; q < n_queues(p, dir); q++) {
        int ret = port_acquire(p, dir, q, owner);

        if (ret != 0) {
            port_release(p, owner);
            return ret;
        }
    }
    return 0;
}

void port_release(struct port *p, struct module *owner)
{
    for (unsigned q = 0; q < PORT_MAX_QUEUES; q++) {
        if (p->rxq_owner[q] == owner)
            p->rxq_owner[q] = NULL;
        if (p->txq_owner[q] == owner)
            p->txq_owner[q] = NULL;
    }
}

uint64_t port_tx_dropped(const struct port *p)
{
    uint64_t sum = 0;

    for (uint16_t q = 0; q < p->n_txq; q++)
        sum += __atomic_load_n(&p->txq[q].dropped, __ATOMIC_RELAXED);
    return sum;
}
