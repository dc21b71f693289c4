/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a worker that has nothing to do learns of a frame without polling: the peer of a vhost-user port writes
 * ("kicks") an eventfd for each receive queue, if it is asked to. It is asked only while somebody waits,
 * because a kick costs a guest an exit from the virtual machine.
 *
 * `lock` keeps the vhost device from being freed while it is asked: the driver tells a port's link changes
 * from its own thread, before it frees anything, and that call takes the lock. Changes of a queue (other
 * eventfd, guest reset) are counted in `generation`; who waits compares it and asks again.
 */
#ifndef DP_PORT_NOTIFY_H
#define DP_PORT_NOTIFY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct port_notify {
    uint16_t dpdk_id;
    bool can_wait; /* the device has peers that kick */
    pthread_mutex_t lock;
    int vid; /* of the attached peer, -1: none; under lock */
    uint32_t generation;
};

/* Before the device starts. */
void port_notify_init(struct port_notify *n, uint16_t dpdk_id, const char *device);
void port_notify_fini(struct port_notify *n);

/*
 * Asks for kicks of the receive queue and adds their eventfd, edge-triggered, to the epoll set. False: frames
 * of this queue are found by polling alone. Without a peer there is nothing to add, and it is true.
 */
bool port_notify_arm(struct port_notify *n, uint16_t qid, int epoll_fd);
void port_notify_disarm(struct port_notify *n, uint16_t qid);

static inline uint32_t port_notify_generation(const struct port_notify *n)
{
    return __atomic_load_n(&n->generation, __ATOMIC_ACQUIRE);
}

#endif
