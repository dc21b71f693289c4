/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the control plane calls: flat functions over numbered ports, modules and workers.
 *
 * One thread calls them all. Functions return 0 (or a number) or a negative errno; vdp_why() then tells which
 * step failed. Links, tasks and module state may be changed only while no worker runs what is changed.
 */
#ifndef VPORTD_DP_H
#define VPORTD_DP_H

#include <stdint.h>

#include "eal.h"

#define VDP_API __attribute__((visibility("default")))

struct vdp_port_info {
    uint8_t mac[6];
    uint16_t mtu;
    uint16_t rxq_size, txq_size;
    uint32_t speed_mbps; /* of the link, like the next three */
    uint8_t link_up, full_duplex, autoneg;
};

struct vdp_port_stats {
    uint64_t inc_packets, inc_bytes, inc_dropped;
    uint64_t out_packets, out_bytes, out_dropped;
};

/* Where a hook shall be; the meaning of the last four depends on its class (see hook.h). */
struct vdp_hook_config {
    int32_t module;
    uint32_t gate;
    uint8_t igate;
    uint8_t bits;
    uint8_t direction; /* enum capture_direction */
    const char *fifo;
    const char *interface;
};

struct vdp_hook_counters {
    uint64_t batches, packets, bytes, dropped;
    uint8_t alive; /* 0: the reader of its pipe has gone */
};

struct vdp_pool_info {
    uint32_t size, cache_size, element_size, populated, available, in_use;
};

VDP_API int vdp_start(const struct eal_config *cfg);
/* Removes what is left of workers, modules and ports (and thereby their sockets). */
VDP_API void vdp_stop(void);
VDP_API const char *vdp_why(void);
VDP_API void vdp_pool_info(struct vdp_pool_info *out);

/* Number of the new port. */
VDP_API int vdp_port_create(const char *device, uint32_t n_rxq, uint32_t n_txq, uint32_t rxq_size,
                            uint32_t txq_size);
VDP_API int vdp_port_destroy(int port);
VDP_API int vdp_port_info(int port, struct vdp_port_info *out);
VDP_API int vdp_port_stats(int port, struct vdp_port_stats *out);
VDP_API int vdp_port_set_mac(int port, const uint8_t *mac);
VDP_API int vdp_port_set_mtu(int port, uint32_t mtu);
VDP_API int vdp_port_set_up(int port, int up);

/* Number of the new module. */
VDP_API int vdp_module_create(const char *class_name, const int64_t *args, uint32_t n_args);
VDP_API int vdp_module_destroy(int module);
/* How many tasks the module has. */
VDP_API int vdp_module_tasks(int module);
VDP_API int vdp_module_command(int module, const char *name, const int64_t *args, uint32_t n_args,
                               int64_t *result);
/* How many words of `out` were written. */
VDP_API int vdp_module_query(int module, const char *name, const int64_t *args, uint32_t n_args, int64_t *out,
                             uint32_t max);
VDP_API int vdp_module_set_shared(int module, int shared);
VDP_API int vdp_module_deadends(int module, uint64_t *packets);
VDP_API int vdp_connect(int from, uint32_t ogate, int to, uint32_t igate);
VDP_API int vdp_disconnect(int from, uint32_t ogate);

/* Number of the new hook. No worker may run while hooks come, go or are reset. */
VDP_API int vdp_hook_create(const char *class_name, const struct vdp_hook_config *cfg);
VDP_API int vdp_hook_destroy(int hook);
VDP_API int vdp_hook_counters(int hook, struct vdp_hook_counters *out);
/* -EOPNOTSUPP for a class that has nothing to reset. */
VDP_API int vdp_hook_reset(int hook);

VDP_API int vdp_worker_create(int wid, int core);
VDP_API int vdp_worker_destroy(int wid);
VDP_API int vdp_worker_pause(int wid);
VDP_API int vdp_worker_resume(int wid);
VDP_API int vdp_worker_attach(int wid, int module, uint32_t task);
VDP_API int vdp_worker_detach(int wid, int module, uint32_t task);
VDP_API int vdp_worker_silent_drops(int wid, uint64_t *packets);

#endif
