/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the device does for us. A vhost port is a special case: what its peer accepts is known only when the
 * peer has come, and may change with the next one. Its driver finishes checksums itself for a peer that takes
 * no unfinished ones; long segments we cut ourselves for a peer that takes none. */
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>

#include <rte_vhost.h>

#include "base/log.h"
#include "netif/dpdk/dpdk_priv.h"

#define MAX_VHOST_DEVICES 64 /* of a process, that are looked at */
#define BIT(n) (UINT64_C(1) << (n))

/* Never taken: nobody here takes UDP datagrams that a guest leaves uncut. */
#define VHOST_NEVER                                                                          \
    (BIT(VIRTIO_NET_F_HOST_UFO) | BIT(VIRTIO_NET_F_GUEST_UFO) | BIT(VIRTIO_NET_F_HOST_ECN) | \
     BIT(VIRTIO_NET_F_GUEST_ECN))
/* TCP over IPv6, which we do not speak, comes along: DPDK's virtio driver takes both or none. */
#define VHOST_SEG                                                                               \
    (BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) | \
     BIT(VIRTIO_NET_F_GUEST_TSO6))
#define VHOST_CSUM (BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM))

static bool is_driver(const struct rte_eth_dev_info *info, const char *name)
{
    return !strncmp(info->driver_name, name, strlen(name));
}

static void choose_segmentation(struct dpdk_netif *d, const struct rte_eth_dev_info *info,
                                struct rte_eth_conf *conf)
{
    bool virtio = is_driver(info, "net_virtio");

    if (is_driver(info, "net_vhost")) {
        d->nif.offload = NETIF_OFFLOAD_SEG; /* cut in software until a peer says that it need not be */
        return;
    }
    if (virtio)
        conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TCP_LRO;
    if (!(info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_TSO))
        return;
    conf->txmode.offloads |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
    conf->txmode.offloads |= info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
    d->seg_ip_csum = conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
    d->seg_prepare = !virtio; /* virtio's checksum field is what we write; others have rules of their own */
    d->nif.offload = NETIF_OFFLOAD_SEG;
    atomic_store(&d->cuts, true);
}

void dpdk_offload_choose(struct dpdk_netif *d, const struct rte_eth_dev_info *info, enum netif_offload most,
                         struct rte_eth_conf *conf)
{
    const uint64_t rx = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    const uint64_t tx = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;

    d->nif.offload = NETIF_OFFLOAD_NONE;
    if (most < NETIF_OFFLOAD_CSUM)
        return;
    if ((info->rx_offload_capa & rx) == rx)
        conf->rxmode.offloads |= rx;
    conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    if ((info->tx_offload_capa & tx) != tx)
        return;
    conf->txmode.offloads |= tx;
    d->nif.offload = NETIF_OFFLOAD_CSUM;
    if (most >= NETIF_OFFLOAD_SEG)
        choose_segmentation(d, info, conf);
}

/* The peer of our vhost socket has come or gone: does it take long segments? Called by DPDK's thread. */
static int link_changed(uint16_t port, enum rte_eth_event_type event, void *arg, void *ret)
{
    const uint64_t takes = BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_CSUM);
    struct dpdk_netif *d = arg;
    bool cuts = false;

    (void)port;
    (void)event;
    (void)ret;
    for (int vid = 0; vid < MAX_VHOST_DEVICES; vid++) {
        char path[sizeof(d->vhost_path)] = "";
        uint64_t features = 0;

        if (rte_vhost_get_ifname(vid, path, sizeof(path)) || strcmp(path, d->vhost_path))
            continue;
        if (!rte_vhost_get_negotiated_features(vid, &features))
            cuts = (features & takes) == takes;
    }
    atomic_store(&d->cuts, cuts);
    log_say(d->log, LOG_DEBUG, "dpdk: %s: long segments are cut by %s", d->vhost_path,
            cuts ? "the peer" : "ourselves");
    return 0;
}

static void vhost_path(const char *device, char *path, size_t size)
{
    const char *iface = strstr(device, ",iface=");

    path[0] = '\0';
    if (strncmp(device, "net_vhost", 9) || !iface)
        return;
    iface += strlen(",iface=");
    snprintf(path, size, "%.*s", (int)strcspn(iface, ","), iface);
}

void dpdk_offload_settle(struct dpdk_netif *d, const char *device)
{
    uint64_t refused = VHOST_NEVER;

    vhost_path(device, d->vhost_path, sizeof(d->vhost_path));
    if (!d->vhost_path[0])
        return;
    if (d->nif.offload < NETIF_OFFLOAD_SEG)
        refused |= VHOST_SEG;
    else
        rte_vhost_driver_enable_features(d->vhost_path, VHOST_SEG); /* half of it is off unless asked for */
    if (d->nif.offload < NETIF_OFFLOAD_CSUM)
        refused |= VHOST_CSUM;
    rte_vhost_driver_disable_features(d->vhost_path, refused);
    if (d->nif.offload == NETIF_OFFLOAD_SEG)
        d->watched = !rte_eth_dev_callback_register(d->port, RTE_ETH_EVENT_INTR_LSC, link_changed, d);
}

void dpdk_offload_end(struct dpdk_netif *d)
{
    if (d->watched)
        rte_eth_dev_callback_unregister(d->port, RTE_ETH_EVENT_INTR_LSC, link_changed, d);
    d->watched = false;
}
