/* SPDX-License-Identifier: BSD-3-Clause */
/* The flat interface: numbers become pointers here, and nothing else happens. The only file with static
 * state. */
#include "vportd_dp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "capture.h"
#include "dataplane.h"
#include "hook.h"

static struct dataplane dp;
static const char *why = "";

static struct module *module_at(int id)
{
    return id >= 0 && id < DP_MAX_MODULES ? dp.modules[id] : NULL;
}

static struct worker *worker_at(int wid)
{
    return wid >= 0 && wid < DP_MAX_WORKERS ? dp.workers[wid] : NULL;
}

int vdp_start(const struct eal_config *cfg)
{
    return eal_start(cfg, &dp.pool, &why);
}

const char *vdp_why(void)
{
    return why;
}

void vdp_stop(void)
{
    for (int i = 0; i < DP_MAX_WORKERS; i++)
        vdp_worker_destroy(i);
    for (unsigned i = 0; i < dp.n_hooks; i++)
        vdp_hook_destroy(i);
    captures_reap(true);
    for (int i = 0; i < DP_MAX_MODULES; i++)
        vdp_module_destroy(i);
    for (int i = 0; i < RTE_MAX_ETHPORTS; i++)
        vdp_port_destroy(i);
    rte_mempool_free(dp.pool);
    dp.pool = NULL;
    eal_stop();
}

void vdp_pool_info(struct vdp_pool_info *out)
{
    out->size = dp.pool->size;
    out->cache_size = dp.pool->cache_size;
    out->element_size = dp.pool->elt_size;
    out->populated = dp.pool->populated_size;
    out->available = rte_mempool_avail_count(dp.pool);
    out->in_use = rte_mempool_in_use_count(dp.pool);
}

/* ---- ports ---- */

int vdp_port_create(const char *device, uint32_t n_rxq, uint32_t n_txq, uint32_t rxq_size, uint32_t txq_size)
{
    struct port_request req = {
        .device = device,
        .n_rxq = n_rxq,
        .n_txq = n_txq,
        .rxq_size = rxq_size,
        .txq_size = txq_size,
    };
    struct port *p;
    int ret;

    if (n_rxq > PORT_MAX_QUEUES || n_txq > PORT_MAX_QUEUES || rxq_size > UINT16_MAX || txq_size > UINT16_MAX)
        return -EINVAL;
    ret = port_create(dp.pool, &req, &p, &why);
    if (ret != 0)
        return ret;
    dp.ports[p->dpdk_id] = p;
    return p->dpdk_id;
}

int vdp_port_destroy(int port)
{
    struct port *p = dataplane_port(&dp, port);
    int ret;

    if (p == NULL)
        return -ENODEV;
    ret = port_destroy(p);
    if (ret == 0)
        dp.ports[port] = NULL;
    return ret;
}

int vdp_port_info(int port, struct vdp_port_info *out)
{
    const struct port *p = dataplane_port(&dp, port);
    struct rte_ether_addr mac = {0};
    struct rte_eth_link link = {0};

    if (p == NULL)
        return -ENODEV;
    memset(out, 0, sizeof(*out));
    rte_eth_macaddr_get(p->dpdk_id, &mac);
    memcpy(out->mac, mac.addr_bytes, sizeof(out->mac));
    rte_eth_dev_get_mtu(p->dpdk_id, &out->mtu);
    out->rxq_size = p->rxq_size;
    out->txq_size = p->txq_size;
    if (rte_eth_link_get_nowait(p->dpdk_id, &link) == 0) {
        out->speed_mbps = link.link_speed;
        out->link_up = link.link_status;
        out->full_duplex = link.link_duplex;
        out->autoneg = link.link_autoneg;
    }
    return 0;
}

int vdp_port_stats(int port, struct vdp_port_stats *out)
{
    const struct port *p = dataplane_port(&dp, port);
    struct rte_eth_stats s;
    int ret;

    if (p == NULL)
        return -ENODEV;
    ret = rte_eth_stats_get(p->dpdk_id, &s);
    if (ret != 0)
        return ret;
    out->inc_packets = s.ipackets;
    out->inc_bytes = s.ibytes;
    out->inc_dropped = s.imissed;
    out->out_packets = s.opackets;
    out->out_bytes = s.obytes;
    out->out_dropped = port_tx_dropped(p);
    return 0;
}

int vdp_port_set_mac(int port, const uint8_t *mac)
{
    const struct port *p = dataplane_port(&dp, port);
    struct rte_ether_addr addr;

    if (p == NULL)
        return -ENODEV;
    memcpy(addr.addr_bytes, mac, sizeof(addr.addr_bytes));
    return rte_eth_dev_default_mac_addr_set(p->dpdk_id, &addr);
}

int vdp_port_set_mtu(int port, uint32_t mtu)
{
    const struct port *p = dataplane_port(&dp, port);

    if (p == NULL)
        return -ENODEV;
    return mtu > UINT16_MAX ? -EINVAL : rte_eth_dev_set_mtu(p->dpdk_id, mtu);
}

int vdp_port_set_up(int port, int up)
{
    const struct port *p = dataplane_port(&dp, port);

    if (p == NULL)
        return -ENODEV;
    return up ? rte_eth_dev_set_link_up(p->dpdk_id) : rte_eth_dev_set_link_down(p->dpdk_id);
}

/* ---- modules ---- */

int vdp_module_create(const char *class_name, const int64_t *args, uint32_t n_args)
{
    for (int id = 0; id < DP_MAX_MODULES; id++) {
        if (dp.modules[id] == NULL) {
            int ret = module_create(&dp, class_name, args, n_args, &dp.modules[id]);

            return ret != 0 ? ret : id;
        }
    }
    return -ENOMEM;
}

int vdp_module_destroy(int module)
{
    struct module *m = module_at(module);

    if (m == NULL)
        return -ENOENT;
    module_destroy(&dp, m);
    dp.modules[module] = NULL;
    return 0;
}

int vdp_module_tasks(int module)
{
    const struct module *m = module_at(module);

    return m == NULL ? -ENOENT : (int)m->n_tasks;
}

int vdp_module_command(int module, const char *name, const int64_t *args, uint32_t n_args, int64_t *result)
{
    struct module *m = module_at(module);

    if (m == NULL)
        return -ENOENT;
    return m->class->command == NULL ? -EOPNOTSUPP : m->class->command(m, name, args, n_args, result);
}

int vdp_module_query(int module, const char *name, const int64_t *args, uint32_t n_args, int64_t *out,
                     uint32_t max)
{
    struct module *m = module_at(module);

    if (m == NULL)
        return -ENOENT;
    return m->class->query == NULL ? -EOPNOTSUPP : m->class->query(m, name, args, n_args, out, max);
}

int vdp_module_set_shared(int module, int shared)
{
    struct module *m = module_at(module);

    if (m == NULL)
        return -ENOENT;
    m->shared = shared != 0;
    return 0;
}

int vdp_module_deadends(int module, uint64_t *packets)
{
    const struct module *m = module_at(module);

    if (m == NULL)
        return -ENOENT;
    *packets = module_deadends(m);
    return 0;
}

int vdp_connect(int from, uint32_t ogate, int to, uint32_t igate)
{
    struct module *a = module_at(from), *b = module_at(to);

    if (a == NULL || b == NULL)
        return -ENOENT;
    if (ogate > UINT16_MAX || igate > UINT16_MAX)
        return -EINVAL;
    return module_connect(a, ogate, b, igate, false);
}

int vdp_disconnect(int from, uint32_t ogate)
{
    struct module *m = module_at(from);

    if (m == NULL)
        return -ENOENT;
    if (ogate <= UINT16_MAX)
        module_disconnect(m, ogate);
    return 0;
}

/* ---- hooks ---- */

static struct hook *hook_at(int id)
{
    return id >= 0 && (unsigned)id < dp.n_hooks ? dp.hooks[id] : NULL;
}

/* A free place in the table, which grows. */
static int hook_slot(void)
{
    unsigned wanted = RTE_MAX(64u, 2 * dp.n_hooks);
    struct hook **grown;
    unsigned id = 0;

    while (id < dp.n_hooks && dp.hooks[id] != NULL)
        id++;
    if (id < dp.n_hooks)
        return id;
    grown = realloc(dp.hooks, wanted * sizeof(*grown));
    if (grown == NULL)
        return -ENOMEM;
    memset(&grown[dp.n_hooks], 0, (wanted - dp.n_hooks) * sizeof(*grown));
    dp.hooks = grown;
    dp.n_hooks = wanted;
    return id;
}

int vdp_hook_create(const char *class_name, const struct vdp_hook_config *cfg)
{
    struct hook_config config = {
        .module = module_at(cfg->module),
        .igate = cfg->igate != 0,
        .gate = cfg->gate,
        .bits = cfg->bits != 0,
        .fifo = cfg->fifo,
        .interface = cfg->interface,
        .direction = cfg->direction,
    };
    int id = hook_slot(), ret;

    why = "no such gate";
    if (config.module == NULL || cfg->gate >= DP_MAX_GATES)
        return -EINVAL;
    if (id < 0)
        return id;
    ret = hook_create(&dp, class_name, &config, &dp.hooks[id], &why);
    return ret != 0 ? ret : id;
}

int vdp_hook_destroy(int hook)
{
    struct hook *h = hook_at(hook);

    if (h == NULL)
        return -ENOENT;
    hook_destroy(&dp, h);
    dp.hooks[hook] = NULL;
    return 0;
}

int vdp_hook_counters(int hook, struct vdp_hook_counters *out)
{
    const struct hook *h = hook_at(hook);
    struct hook_counters c = {0};

    if (h == NULL)
        return -ENOENT;
    h->class->counters(h, &c);
    *out = (struct vdp_hook_counters){c.batches, c.packets, c.bytes, c.dropped, c.alive};
    return 0;
}

int vdp_hook_reset(int hook)
{
    struct hook *h = hook_at(hook);

    if (h == NULL)
        return -ENOENT;
    if (h->class->reset == NULL)
        return -EOPNOTSUPP;
    h->class->reset(h);
    return 0;
}

/* ---- workers ---- */

int vdp_worker_create(int wid, int core)
{
    if (wid < 0 || wid >= DP_MAX_WORKERS)
        return -EINVAL;
    return dp.workers[wid] != NULL ? -EEXIST : worker_create(wid, core, dp.pool, &dp.workers[wid]);
}

int vdp_worker_destroy(int wid)
{
    struct worker *w = worker_at(wid);

    if (w == NULL)
        return -ENOENT;
    worker_destroy(w);
    dp.workers[wid] = NULL;
    return 0;
}

int vdp_worker_pause(int wid)
{
    struct worker *w = worker_at(wid);

    if (w == NULL)
        return -ENOENT;
    worker_pause(w);
    return 0;
}

int vdp_worker_resume(int wid)
{
    struct worker *w = worker_at(wid);

    if (w == NULL)
        return -ENOENT;
    worker_resume(w);
    return 0;
}

int vdp_worker_attach(int wid, int module, uint32_t task)
{
    struct worker *w = worker_at(wid);
    struct module *m = module_at(module);

    return w == NULL || m == NULL ? -ENOENT : worker_attach(w, m, task);
}

int vdp_worker_detach(int wid, int module, uint32_t task)
{
    struct worker *w = worker_at(wid);
    const struct module *m = module_at(module);

    if (w == NULL || m == NULL)
        return -ENOENT;
    worker_detach(w, m, task);
    return 0;
}

int vdp_worker_silent_drops(int wid, uint64_t *packets)
{
    const struct worker *w = worker_at(wid);

    if (w == NULL)
        return -ENOENT;
    *packets = __atomic_load_n(&w->ctx.silent_drops, __ATOMIC_RELAXED);
    return 0;
}
