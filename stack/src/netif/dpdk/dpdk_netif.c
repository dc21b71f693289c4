/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See dpdk_netif.h: a port from its name to its end. Packets move in dpdk_io.c. */
#include "netif/dpdk/dpdk_netif.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base/log.h"
#include "netif/dpdk/dpdk_priv.h"
#include "netif/dpdk/eal.h"
#include "netif/dpdk/find_port.h"

#define WANTED_DESC 1024u
#define MBUF_CACHE 256u
#define IN_FLIGHT 8192u /* packets that the stack itself may hold: reassembly, sockets, wrappers */
#define MB_OVERHEAD 32u /* rings, tables and what drivers take */
#define MIN_ROOM 2048u  /* some devices want no smaller buffers */
#define LONG_ROOM ((PKT_HEADROOM + NETIF_LONG_BYTES) / 64u * 64u) /* whole, and of 16 bits */
#define LONGS_PER_QUEUE 128u
#define LONG_CACHE 16u
#define VIRTIO_TX_LEFT 32u

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

static void free_pool(struct dpdk_netif *d, struct rte_mempool *pool)
{
    unsigned held = pool ? rte_mempool_in_use_count(pool) : 0;

    if (!held)
        rte_mempool_free(pool);
    else /* freeing memory that somebody may still write to would be worse */
        log_say(d->log, LOG_WARN, "dpdk: %u packets are still held; their memory stays", held);
}

static void dpdk_close(struct netif *nif)
{
    struct dpdk_netif *d = dpdk_of(nif);
    struct rte_eth_dev_info info;
    bool known = !rte_eth_dev_info_get(d->port, &info);

    dpdk_offload_end(d);
    if (d->started)
        rte_eth_dev_stop(d->port);
    rte_eth_dev_close(d->port);
    if (d->made_vdev && known)
        rte_dev_remove(info.device);
    dpdk_free_stashes(d);
    free_pool(d, d->pool);
    free_pool(d, d->longs);
    eal_log_to(NULL);
    free(d->stashes);
    free(d->counters);
    free(d);
}

static const struct netif_ops dpdk_ops = {
    .name = "dpdk",
    .rx_burst = dpdk_rx_burst,
    .tx_burst = dpdk_tx_burst,
    .alloc = dpdk_alloc,
    .alloc_long = dpdk_alloc_long,
    .link_up = dpdk_link_up,
    .stats = dpdk_stats,
    .attach_thread = dpdk_attach_thread,
    .rx_fd = dpdk_rx_fd,
    .close = dpdk_close,
};

struct sizing {
    unsigned num_bufs, num_longs;
    uint16_t room_bytes; /* of an mbuf, headroom included */
    uint64_t mb;         /* of the pools, rounded up */
};

static uint64_t pool_bytes(unsigned count, unsigned room)
{
    return (uint64_t)count * (room + sizeof(struct rte_mbuf) + sizeof(struct pkt) + 64);
}

static struct sizing size_of_pools(const struct netif_params *params, unsigned queues)
{
    struct sizing s = {.num_longs = params->offload == NETIF_OFFLOAD_SEG ? queues * LONGS_PER_QUEUE : 0};
    uint32_t room = PKT_HEADROOM + NETIF_MAX_FRAME(params->mtu);
    unsigned in_flight = params->num_bufs ? params->num_bufs : IN_FLIGHT;

    if (room < RTE_PKTMBUF_HEADROOM + MIN_ROOM)
        room = RTE_PKTMBUF_HEADROOM + MIN_ROOM;
    s.room_bytes = (uint16_t)RTE_ALIGN_CEIL(room, 64u);
    /* Every queue may hold its descriptors full, every worker (and the opener) a full cache and a stash. */
    s.num_bufs = in_flight + queues * 2 * WANTED_DESC + (queues + 1) * 2 * MBUF_CACHE +
                 RTE_MAX(queues, params->num_workers) * DPDK_STASH;
    s.mb = ((pool_bytes(s.num_bufs, s.room_bytes) + pool_bytes(s.num_longs, LONG_ROOM)) >> 20) + 1;
    return s;
}

static struct rte_mempool *make_pool(const struct dpdk_netif *d, const char *what, unsigned count,
                                     unsigned cache, unsigned room)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    int node = rte_eth_dev_socket_id(d->port);
    struct rte_mempool *pool;

    snprintf(name, sizeof(name), "mtcp_%s%u", what, d->port);
    pool = rte_pktmbuf_pool_create(name, count, cache, sizeof(struct pkt), (uint16_t)room, node);
    if (!pool && node != SOCKET_ID_ANY)
        pool = rte_pktmbuf_pool_create(name, count, cache, sizeof(struct pkt), (uint16_t)room, SOCKET_ID_ANY);
    if (pool)
        dpdk_prepare_pool(pool);
    return pool;
}

static enum status make_pools(struct dpdk_netif *d, const struct sizing *s)
{
    bool wants_longs = d->nif.offload == NETIF_OFFLOAD_SEG;

    d->pool = make_pool(d, "port", s->num_bufs, MBUF_CACHE, s->room_bytes);
    if (d->pool && wants_longs)
        d->longs = make_pool(d, "long", s->num_longs, LONG_CACHE, LONG_ROOM);
    if (d->pool && (d->longs || !wants_longs))
        return ST_OK;
    log_say(d->log, LOG_ERROR,
            "dpdk: no memory for %u packet buffers of %u bytes and %u long ones (%llu MB): %s; give more "
            "hugepages, or a larger -m in the key 'eal', or fewer queues (num_cores)",
            s->num_bufs, s->room_bytes, s->num_longs, (unsigned long long)s->mb, rte_strerror(rte_errno));
    return ST_NO_MEMORY;
}

static struct rte_eth_conf port_conf(const struct rte_eth_dev_info *info, unsigned queues, uint16_t mtu)
{
    struct rte_eth_conf conf = {.rxmode.mtu = mtu};

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

/* virtio takes sent buffers back when fewer than so many are free. Its default wears all of the ring's length
 * of buffers; taken back early, the same few stay in the processor's cache. Only a virtual device's line says
 * how long the ring is, and more than that is refused. */
static uint16_t virtio_free_thresh(const char *device)
{
    const char *given = strstr(device, ",queue_size=");
    int size = given ? atoi(given + strlen(",queue_size=")) : 0;

    return size > (int)(2 * VIRTIO_TX_LEFT) ? (uint16_t)(size - (int)VIRTIO_TX_LEFT) : 0;
}

static enum status set_up_queues(struct dpdk_netif *d, const struct rte_eth_dev_info *info,
                                 const struct rte_eth_conf *conf, const char *device)
{
    uint16_t rx_desc = WANTED_DESC, tx_desc = WANTED_DESC;
    int node = rte_eth_dev_socket_id(d->port);
    struct rte_eth_rxconf rx = info->default_rxconf;
    struct rte_eth_txconf tx = info->default_txconf;
    int err = rte_eth_dev_adjust_nb_rx_tx_desc(d->port, &rx_desc, &tx_desc);

    rx.offloads = conf->rxmode.offloads;
    tx.offloads = conf->txmode.offloads;
    if (!strncmp(device, "net_virtio_user", 15))
        tx.tx_free_thresh = virtio_free_thresh(device);
    for (uint16_t q = 0; !err && q < d->nif.num_queues; q++) {
        err = rte_eth_rx_queue_setup(d->port, q, rx_desc, (unsigned)node, &rx, d->pool);
        if (!err)
            err = rte_eth_tx_queue_setup(d->port, q, tx_desc, (unsigned)node, &tx);
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

static const char *offload_text(enum netif_offload o)
{
    return o == NETIF_OFFLOAD_SEG    ? "checksums and segmentation"
           : o == NETIF_OFFLOAD_CSUM ? "checksums"
                                     : "none";
}

static enum status set_up_port(struct dpdk_netif *d, const struct netif_params *params,
                               const struct sizing *s, const char *device)
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
    dpdk_offload_choose(d, &info, params->offload, &conf);
    err = rte_eth_dev_configure(d->port, (uint16_t)d->nif.num_queues, (uint16_t)d->nif.num_queues, &conf);
    if (err)
        return complain(d, "the device refuses its configuration", err);
    dpdk_offload_settle(d, device);
    st = make_pools(d, s);
    if (st == ST_OK)
        st = set_up_queues(d, &info, &conf, device);
    if (st != ST_OK)
        return st;
    err = rte_eth_dev_start(d->port);
    if (err)
        return complain(d, "the device does not start", err);
    d->started = true;
    st = set_up_mac(d, params);
    if (st == ST_OK)
        log_say(d->log, LOG_INFO, "dpdk: port %u (%s), %u queue(s), %u packet buffers, offloads: %s, link %s",
                d->port, info.driver_name, d->nif.num_queues, s->num_bufs, offload_text(d->nif.offload),
                dpdk_link_up(&d->nif) ? "up" : "down");
    return st;
}

static struct dpdk_netif *new_netif(const struct netif_params *params, unsigned queues)
{
    struct dpdk_netif *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->nif = (struct netif){.ops = &dpdk_ops, .mtu = params->mtu, .num_queues = queues};
    d->log = params->log;
    d->num_stashes = params->num_workers ? params->num_workers : queues;
    d->counters = aligned_alloc(64, queues * sizeof(*d->counters));
    d->stashes = aligned_alloc(64, d->num_stashes * sizeof(*d->stashes));
    if (!d->counters || !d->stashes) {
        free(d->counters);
        free(d->stashes);
        free(d);
        return NULL;
    }
    memset(d->counters, 0, queues * sizeof(*d->counters));
    memset(d->stashes, 0, d->num_stashes * sizeof(*d->stashes));
    return d;
}

enum status dpdk_open(const struct netif_params *params, struct netif **out)
{
    unsigned queues = params->num_queues ? params->num_queues : 1;
    struct sizing sizing = size_of_pools(params, queues);
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
    st = set_up_port(d, params, &sizing, name.kind == PORT_BY_VDEV ? name.devargs : name.device);
    if (st != ST_OK)
        dpdk_close(&d->nif);
    else
        *out = &d->nif;
    return st;
}
