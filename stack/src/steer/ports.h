/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who has something bound to a port of TCP or UDP: a bit a worker, counted. Bits are read by anybody with one
 * relaxed load: they decide where a flow begins, never in which order its frames come. */
#ifndef STEER_PORTS_H
#define STEER_PORTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/status.h"

#define PORTS_PER_PROTO 65536u

struct ports {
    unsigned num_workers;
    _Atomic uint64_t *holders; /**< [tcp, udp][port] */
    uint32_t *refs;            /**< [worker][tcp, udp][port], each written by its worker's thread */
};

/** ST_NO_MEMORY. */
enum status ports_init(struct ports *p, unsigned num_workers);
void ports_fini(struct ports *p);
/** Another protocol than TCP and UDP has no ports: nothing happens. */
void ports_hold(struct ports *p, uint8_t proto, uint16_t port, unsigned worker);
/** Releasing what is not held does nothing. */
void ports_release(struct ports *p, uint8_t proto, uint16_t port, unsigned worker);
/** The worker is gone with all it had. */
void ports_forget(struct ports *p, unsigned worker);
uint64_t ports_holders(const struct ports *p, uint8_t proto, uint16_t port);

#endif
