/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See dpdk_netif.h. Set-up of a port, and bursts. A struct pkt stands in the private area of its mbuf; the
 * two are brought together at each hand-over: rx fills pkt from the mbuf, tx the mbuf from pkt. Invariant: an
 * mbuf that tx_burst accepted is never touched again; one that it refused is still the caller's. */
#include "netif/dpdk/dpdk_netif.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base/log.h"
#include "netif/dpdk/eal.h"
#include "netif/dpdk/find_port.h"
#include "netif/netif_counters.h"

#define WANTED_DESC 1024u
#define BURST 64u
#define MBUF_CACHE 256u
#define IN_FLIGHT 8192u /* packets that the stack itself may hold: reassembly, sockets, wrappers */
#define MB_OVERHEAD 32u /* rings, tables and what drivers take */
#define MIN_ROOM 2048u  /* some devices want no smaller buffers */

struct dpdk_netif {
    struct netif nif; /* first: the interface is the port */
    uint16_t port;
    bool made_vdev; /* the device goes with the interface */
    bool started;
    struct log *log;
    struct rte_mempool *pool;
    struct netif_counters *counters; /* a queue each; only the drops of our own */
};

static struct dpdk_netif *dpdk_of(struct netif *nif)
{
    return (struct dpdk_netif *)nif;
}

static struct rte_mbuf *mbuf_of(struct pkt *p)
{
    return (struct rte_mbuf *)((char *)p - sizeof(struct rte_mbuf));
}

static void release(struct pkt *p)
{
    rte_pktmbuf_free(mbuf_of(p));
}

static struct pkt *pkt_of(struct rte_mbuf *m)
{
    struct pkt *p = rte_mbuf_to_priv(m);

    *p = (struct pkt){
        .buf = m->buf_addr,
        .data = rte_pktmbuf_mtod(m, uint8_t *),
        .size = m->buf_len,
        .len = m->data_len,
        .release = release,
    };
    return p;
}

static uint32_t checksum_flags(const struct rte_mbuf *m)
{
    uint64_t l4 = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    uint32_t flags = 0;

    if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        flags |= PKT_RX_IP_CSUM_OK;
    /* NONE: no checksum in the frame because the sender is local, data known to be good. */
    if (l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD || l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE)
        flags |= PKT_RX_L4_CSUM_OK;
    return flags;
}

static unsigned dpdk_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct dpdk_netif *d = dpdk_of(nif);
    struct rte_mbuf *m[BURST];
    unsigned got = rte_eth_rx_burst(d->port, (uint16_t)queue, m, (uint16_t)(n < BURST ? n : BURST)), kept = 0;

    for (unsigned i = 0; i < got; i++) {
        if (m[i]->nb_segs > 1 && rte_pktmbuf_linearize(m[i])) {
            netif_count(&d->counters[queue].rx_dropped, 1);
            rte_pktmbuf_free(m[i]);
            continue;
        }
        pkts[kept] = pkt_of(m[i]);
        pkts[kept++]->flags = checksum_flags(m[i]);
    }
    return kept;
}

static unsigned dpdk_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct dpdk_netif *d = dpdk_of(nif);
    struct rte_mbuf *m[BURST];

    if (n > BURST)
        n = BURST;
    for (unsigned i = 0; i < n; i++) {
        m[i] = mbuf_of(pkts[i]);
        m[i]->data_off = (uint16_t)pkt_headroom(pkts[i]);
        m[i]->data_len = (uint16_t)pkts[i]->len;
        m[i]->pkt_len = pkts[i]->len;
        m[i]->ol_flags = 0; /* a received packet may be sent back */
    }
    return rte_eth_tx_burst(d->port, (uint16_t)queue, m, (uint16_t)n);
}

static struct pkt *dpdk_alloc(struct netif *nif, unsigned queue)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(dpdk_of(nif)->pool);

    (void)queue;
    if (!m)
        return NULL;
    m->data_off = PKT_HEADROOM;
    return pkt_of(m);
}

static bool dpdk_link_up(struct netif *nif)
{
    struct rte_eth_link link = {0};

    return !rte_eth_link_get_nowait(dpdk_of(nif)->port, &link) && link.link_status == RTE_ETH_LINK_UP;
}

static void dpdk_stats(struct netif *nif, struct netif_stats *out)
{
    struct dpdk_netif *d = dpdk_of(nif);
    struct rte_eth_stats s = {0};

    rte_eth_stats_get(d->port, &s);
    *out = (struct netif_stats){
        .rx_packets = s.ipackets,
        .rx_bytes = s.ibytes,
        .tx_packets = s.opackets,
        .tx_bytes = s.obytes,
        .rx_dropped = s.imissed + s.ierrors + s.rx_nombuf,
        .tx_dropped = s.oerrors,
    };
    for (unsigned q = 0; q < nif->num_queues; q++)
        netif_counters_add(&d->counters[q], out);
}

static enum status dpdk_attach_thread(struct netif *nif)
{
    return eal_attach_thread(dpdk_of(nif)->log);
}

static int dpdk_rx_fd(struct netif *nif, unsigned queue)
{
    (void)nif;
    (void)queue;
    return -1;
}

static void free_pool(struct dpdk_netif *d)
{
    unsigned held = d->pool ? rte_mempool_in_use_count(d->pool) : 0;

    if (!held)
        rte_mempool_free(d->pool);
    else /* freeing memory that somebody may still write to would be worse */
        log_say(d->log, LOG_WARN, "dpdk: %u packets are still held; their memory stays", held);
}

static void dpdk_close(struct netif *nif)
{
    struct dpdk_netif *d = dpdk_of(nif);
    struct rte_eth_dev_info info;
    bool known = !rte_eth_dev_info_get(d->port, &info);

    if (d->started)
        rte_eth_dev_stop(d->port);
    rte_eth_dev_close(d->port);
    if (d->made_vdev && known)
        rte_dev_remove(info.device);
    free_pool(d);
    eal_log_to(NULL);
    free(d->counters);
    free(d);
}

static const struct netif_ops dpdk_ops = {
    .name = "dpdk",
    .rx_burst = dpdk_rx_burst,
    .tx_burst = dpdk_tx_burst,
    .alloc = dpdk_alloc,
    .link_up = dpdk_link_up,
    .stats = dpdk_stats,
    .attach_thread = dpdk_attach_thread,
    .rx_fd = dpdk_rx_fd,
    .close = dpdk_close,
};

struct sizing {
    unsigned num_bufs;
    uint16_t room_bytes; /* of an mbuf, headroom included */
    uint64_t mb;         /* of the pool, rounded up */
};

static struct sizing size_of_pool(const struct netif_params *params, unsigned queues)
{
    struct sizing s;
    uint32_t room = PKT_HEADROOM + NETIF_MAX_FRAME(params->mtu);
    unsigned in_flight = params->num_bufs ? params->num_bufs : IN_FLIGHT;

    if (room < RTE_PKTMBUF_HEADROOM + MIN_ROOM)
        room = RTE_PKTMBUF_HEADROOM + MIN_ROOM;
    s.room_bytes = (uint16_t)RTE_ALIGN_CEIL(room, 64u);
    /* Every queue may hold its descriptors full, every worker (and the opener) a full cache. */
    s.num_bufs = in_flight + queues * 2 * WANTED_DESC + (queues + 1) * 2 * MBUF_CACHE;
    s.mb =
        ((uint64_t)s.num_bufs * (s.room_bytes + sizeof(struct rte_mbuf) + sizeof(struct pkt) + 64) >> 20) + 1;
    return s;
}

static enum status make_pool(struct dpdk_netif *d, const struct sizing *s)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    int node = rte_eth_dev_socket_id(d->port);

    snprintf(name, sizeof(name), "mtcp_port%u", d->port);
    d->pool = rte_pktmbuf_pool_create(name, s->num_bufs, MBUF_CACHE, RTE_ALIGN(sizeof(struct pkt), 8),
                                      s->room_bytes, node);
    if (!d->pool && node != SOCKET_ID_ANY)
        d->pool = rte_pktmbuf_pool_create(name, s->num_bufs, MBUF_CACHE, RTE_ALIGN(sizeof(struct pkt), 8),
                                          s->room_bytes, SOCKET_ID_ANY);
    if (d->pool)
        return ST_OK;
    log_say(d->log, LOG_ERROR,
            "dpdk: no memory for %u packet buffers of %u bytes (%llu MB): %s; give more hugepages, or a "
            "larger -m in "
            "the key 'eal', or fewer queues (num_cores)",
            s->num_bufs, s->room_bytes, (unsigned long long)s->mb, rte_strerror(rte_errno));
    return ST_NO_MEMORY;
}

static struct rte_eth_conf port_conf(const struct rte_eth_dev_info *info, unsigned queues, uint16_t mtu)
{
    const uint64_t l4 = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    struct rte_eth_conf conf = {.rxmode.mtu = mtu};

    if ((info->rx_offload_capa & l4) == l4)
        conf.rxmode.offloads |= l4;
    conf.rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    /* virtio spreads by itself and refuses to be told how. */
    if (queues > 1 && info->flow_type_rss_offloads && strncmp(info->driver_name, "net_virtio", 10)) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf =
            info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
    }
    return conf;
}

static enum status complain(struct dpdk_netif *d, const char *what, int err)
{
    log_say(d->log, LOG_ERROR, "dpdk: %s: %s", what, rte_strerror(-err));
    return ST_IO;
}

static enum status set_up_queues(struct dpdk_netif *d, const struct rte_eth_dev_info *info,
                                 const struct rte_eth_conf *conf)
{
    uint16_t rx_desc = WANTED_DESC, tx_desc = WANTED_DESC;
    int node = rte_eth_dev_socket_id(d->port);
    struct rte_eth_rxconf rx = info->default_rxconf;
    int err = rte_eth_dev_adjust_nb_rx_tx_desc(d->port, &rx_desc, &tx_desc);

    rx.offloads = conf->rxmode.offloads;
    for (uint16_t q = 0; !err && q < d->nif.num_queues; q++) {
        err = rte_eth_rx_queue_setup(d->port, q, rx_desc, (unsigned)node, &rx, d->pool);
        if (!err)
            err = rte_eth_tx_queue_setup(d->port, q, tx_desc, (unsigned)node, NULL);
    }
    return err ? complain(d, "the device refuses its queues", err) : ST_OK;
}

/* Our address: the device's own, or the wanted one, which a device that cannot change it must let through. */
static enum status set_up_mac(struct dpdk_netif *d, const struct netif_params *params)
{
    struct rte_ether_addr mac = {0};

    rte_eth_macaddr_get(d->port, &mac);
    if (params->has_mac && memcmp(mac.addr_bytes, params->mac.b, sizeof(params->mac.b))) {
        memcpy(mac.addr_bytes, params->mac.b, sizeof(params->mac.b));
        if (rte_eth_dev_default_mac_addr_set(d->port, &mac) && rte_eth_promiscuous_enable(d->port))
            log_say(d->log, LOG_WARN,
                    "dpdk: the device keeps its MAC and may not receive frames for the key 'mac'");
    }
    if (rte_is_zero_ether_addr(&mac)) {
        log_say(d->log, LOG_ERROR, "dpdk: the device has no MAC address; give one with the key 'mac'");
        return ST_INVALID;
    }
    memcpy(d->nif.mac.b, mac.addr_bytes, sizeof(d->nif.mac.b));
    return ST_OK;
}

static unsigned usable_queues(const struct rte_eth_dev_info *info, unsigned wanted, struct log *log)
{
    unsigned most = RTE_MIN(info->max_rx_queues, info->max_tx_queues);

    if (wanted <= most)
        return wanted;
    log_say(log, LOG_WARN, "dpdk: %s has %u queue(s), %u are wanted", info->driver_name, most, wanted);
    return most;
}

static enum status set_up_port(struct dpdk_netif *d, const struct netif_params *params,
                               const struct sizing *s)
{
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf;
    enum status st;
    int err = rte_eth_dev_info_get(d->port, &info);

    if (err)
        return complain(d, "the device does not tell what it is", err);
    if (params->mtu > info.max_mtu) {
        log_say(d->log, LOG_ERROR, "dpdk: mtu = %u, but the device takes %u at most", params->mtu,
                info.max_mtu);
        return ST_INVALID;
    }
    d->nif.num_queues = usable_queues(&info, d->nif.num_queues, d->log);
    conf = port_conf(&info, d->nif.num_queues, params->mtu);
    err = rte_eth_dev_configure(d->port, (uint16_t)d->nif.num_queues, (uint16_t)d->nif.num_queues, &conf);
    if (err)
        return complain(d, "the device refuses its configuration", err);
    st = make_pool(d, s);
    if (st == ST_OK)
        st = set_up_queues(d, &info, &conf);
    if (st != ST_OK)
        return st;
    err = rte_eth_dev_start(d->port);
    if (err)
        return complain(d, "the device does not start", err);
    d->started = true;
    st = set_up_mac(d, params);
    if (st == ST_OK)
        log_say(d->log, LOG_INFO, "dpdk: port %u (%s), %u queue(s), %u packet buffers, link %s", d->port,
                info.driver_name, d->nif.num_queues, s->num_bufs, dpdk_link_up(&d->nif) ? "up" : "down");
    return st;
}

static struct dpdk_netif *new_netif(const struct netif_params *params, unsigned queues)
{
    struct dpdk_netif *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->nif = (struct netif){.ops = &dpdk_ops, .mtu = params->mtu, .num_queues = queues};
    d->log = params->log;
    d->counters = aligned_alloc(64, queues * sizeof(*d->counters));
    if (!d->counters) {
        free(d);
        return NULL;
    }
    memset(d->counters, 0, queues * sizeof(*d->counters));
    return d;
}

enum status dpdk_open(const struct netif_params *params, struct netif **out)
{
    unsigned queues = params->num_queues ? params->num_queues : 1;
    struct sizing sizing = size_of_pool(params, queues);
    struct port_name name;
    struct dpdk_netif *d;
    enum status st = port_name_parse(params->port, &name);
    uint16_t port;

    if (st != ST_OK) {
        log_say(params->log, LOG_ERROR,
                "dpdk: port = '%.64s' is neither dpdkN, nor a PCI address (0000:00:03.0), nor a MAC, nor "
                "vdev:DEVICE,ARGS",
                params->port ? params->port : "");
        return st;
    }
    st = find_port_precheck(&name, params->log);
    if (st == ST_OK)
        st = eal_start(params, &name, sizing.mb + MB_OVERHEAD);
    if (st == ST_OK)
        st = find_port(&name, params->log, &port);
    if (st != ST_OK)
        return st;
    d = new_netif(params, queues);
    if (!d)
        return ST_NO_MEMORY;
    d->port = port;
    d->made_vdev = name.kind == PORT_BY_VDEV;
    st = set_up_port(d, params, &sizing);
    if (st != ST_OK)
        dpdk_close(&d->nif);
    else
        *out = &d->nif;
    return st;
}
