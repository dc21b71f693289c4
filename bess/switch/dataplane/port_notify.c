/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_notify.h. */
#include "port_notify.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include <rte_eth_vhost.h>
#include <rte_ethdev.h>
#include <rte_vhost.h>

/* A guest sends by the odd ring of a pair, which is our receiving one. */
static uint16_t ring_of(uint16_t qid)
{
    return qid * 2 + 1;
}

/* From the driver's thread, or from ours when the port goes. The peer comes or is about to be freed. */
static int link_changed(uint16_t dpdk_id, enum rte_eth_event_type type, void *arg, void *unused)
{
    struct port_notify *n = arg;
    struct rte_eth_link link = {0};

    (void)type;
    (void)unused;
    rte_eth_link_get_nowait(dpdk_id, &link);
    pthread_mutex_lock(&n->lock);
    n->vid = link.link_status ? rte_eth_vhost_get_vid_from_port_id(dpdk_id) : -1;
    pthread_mutex_unlock(&n->lock);
    __atomic_add_fetch(&n->generation, 1, __ATOMIC_RELEASE);
    return 0;
}

/* Called with the rings' own locks held: must not take ours. */
static int queue_changed(uint16_t dpdk_id, enum rte_eth_event_type type, void *arg, void *unused)
{
    struct port_notify *n = arg;

    (void)dpdk_id;
    (void)type;
    (void)unused;
    __atomic_add_fetch(&n->generation, 1, __ATOMIC_RELEASE);
    return 0;
}

void port_notify_init(struct port_notify *n, uint16_t dpdk_id, const char *device)
{
    n->dpdk_id = dpdk_id;
    n->vid = -1;
    pthread_mutex_init(&n->lock, NULL);
    n->can_wait = strstr(device, "_vhost") != NULL &&
                  rte_eth_dev_callback_register(dpdk_id, RTE_ETH_EVENT_QUEUE_STATE, queue_changed, n) == 0 &&
                  rte_eth_dev_callback_register(dpdk_id, RTE_ETH_EVENT_INTR_LSC, link_changed, n) == 0;
}

static void unregister(uint16_t dpdk_id, enum rte_eth_event_type type, rte_eth_dev_cb_fn fn, void *arg)
{
    while (rte_eth_dev_callback_unregister(dpdk_id, type, fn, arg) == -EAGAIN)
        ; /* it is just running, and does not take long */
}

void port_notify_fini(struct port_notify *n)
{
    unregister(n->dpdk_id, RTE_ETH_EVENT_QUEUE_STATE, queue_changed, n);
    unregister(n->dpdk_id, RTE_ETH_EVENT_INTR_LSC, link_changed, n);
    pthread_mutex_destroy(&n->lock);
}

static bool arm_locked(struct port_notify *n, uint16_t qid, int epoll_fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    struct rte_vhost_vring ring;

    if (n->vid < 0)
        return true;
    if (rte_vhost_get_vhost_vring(n->vid, ring_of(qid), &ring) != 0 || ring.kickfd < 0)
        return true; /* the guest does not use this queue (yet): generation will tell */
    if (rte_vhost_enable_guest_notification(n->vid, ring_of(qid), 1) != 0)
        return false;
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ring.kickfd, &event) == 0;
}

bool port_notify_arm(struct port_notify *n, uint16_t qid, int epoll_fd)
{
    bool armed;

    if (!n->can_wait || pthread_mutex_trylock(&n->lock) != 0)
        return false;
    armed = arm_locked(n, qid, epoll_fd);
    pthread_mutex_unlock(&n->lock);
    return armed;
}

void port_notify_disarm(struct port_notify *n, uint16_t qid)
{
    if (!n->can_wait)
        return;
    pthread_mutex_lock(&n->lock);
    if (n->vid >= 0)
        rte_vhost_enable_guest_notification(n->vid, ring_of(qid), 0);
    pthread_mutex_unlock(&n->lock);
}
