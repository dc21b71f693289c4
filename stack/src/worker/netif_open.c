/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the configuration to an open interface with its wrappers: pcap nearest to the wire, fault in front of
 * it. This file alone knows which interfaces there are; it is not part of mtcp_core, so that tests need no
 * DPDK. */
#include <string.h>

#include "netif/dpdk/dpdk_netif.h"
#include "netif/fault.h"
#include "netif/pcap.h"
#include "netif/tap.h"
#include "worker/design.h"
#include "worker/stack.h"

static enum status open_device(const struct config *cfg, const struct netif_params *p, struct netif **out)
{
    struct netif_params one = *p;
    enum status rc;

    if (cfg->io != CONFIG_IO_TAP)
        return dpdk_open(p, out);
    rc = tap_open(p, out);
    /* Unlike DPDK's, most tap interfaces are made for one queue, and cannot be asked beforehand. */
    if (rc == ST_OK || p->num_queues == 1 || cfg->queues > 0 || cfg->distribution != CONFIG_DISTRIBUTION_AUTO)
        return rc;
    one.num_queues = 1;
    rc = tap_open(&one, out);
    if (rc == ST_OK)
        log_say(p->log, LOG_INFO, "tap %s: taken with one queue, since `distribution = auto`", p->port);
    return rc;
}

static enum status wrap_pcap(const struct config *cfg, struct log *log, struct netif **nif)
{
    return cfg->pcap ? pcap_wrap(*nif, cfg->pcap, log, nif) : ST_OK;
}

static enum status wrap_fault(const struct config *cfg, struct log *log, struct netif **nif)
{
    struct fault_params params;
    char error[CONFIG_ERROR_LEN];

    if (!cfg->fault)
        return ST_OK;
    if (fault_params_parse(cfg->fault, &params, error, sizeof(error)) != ST_OK) {
        log_say(log, LOG_ERROR, "key 'fault': %s", error);
        return ST_INVALID;
    }
    log_say(log, LOG_WARN, "the link is bad on purpose: %s", cfg->fault);
    return fault_wrap(*nif, &params, NULL, NULL, nif);
}

/** A link that loses frames on purpose shall lose single ones: no long segments with it. */
static enum netif_offload offload_wanted(const struct config *cfg)
{
    if (cfg->offload == CONFIG_OFFLOAD_OFF)
        return NETIF_OFFLOAD_NONE;
    return cfg->offload == CONFIG_OFFLOAD_CSUM || cfg->fault ? NETIF_OFFLOAD_CSUM : NETIF_OFFLOAD_SEG;
}

/** Packet buffers of the interface. */
static unsigned buffers(const struct config *cfg, const struct design_wish *wish, unsigned queues)
{
    struct design d;
    unsigned n;

    design_choose(wish, queues, &d);
    n = design_buffers(&d, cfg->max_num_buffers, cfg->steer_ring);
    return cfg->fault ? n + 2 * queues * FAULT_MAX_HELD : n;
}

enum status stack_open_netif(const struct config *cfg, unsigned num_cores, struct log *log,
                             struct netif **out)
{
    const struct design_wish wish = {cfg->distribution, num_cores, cfg->queues};
    unsigned queues = design_queues(&wish);
    struct netif_params p = {
        .port = cfg->port,
        .eal = cfg->eal,
        .hugepages = cfg->hugepages == CONFIG_HUGEPAGES_AUTO ? -1 : cfg->hugepages == CONFIG_HUGEPAGES_ON,
        .num_mem_ch = cfg->num_mem_ch,
        .num_queues = queues,
        .mtu = cfg->mtu,
        .has_mac = cfg->has_mac,
        .num_bufs = buffers(cfg, &wish, queues),
        .num_workers = num_cores,
        .offload = offload_wanted(cfg),
        .log = log,
    };
    struct netif *nif;
    enum status rc;

    memcpy(p.mac.b, cfg->mac, sizeof(p.mac.b));
    rc = open_device(cfg, &p, &nif);
    if (rc != ST_OK)
        return rc;
    rc = wrap_pcap(cfg, log, &nif);
    if (rc == ST_OK)
        rc = wrap_fault(cfg, log, &nif);
    if (rc != ST_OK) {
        nif->ops->close(nif);
        return rc;
    }
    *out = nif;
    return ST_OK;
}
