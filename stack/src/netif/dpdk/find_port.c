/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See find_port.h. */
#include "netif/dpdk/find_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "base/log.h"

static void mac_of(uint16_t port, char *text, unsigned len)
{
    struct rte_ether_addr mac = {0};

    rte_eth_macaddr_get(port, &mac);
    rte_ether_format_addr(text, (uint16_t)len, &mac);
}

static void log_ports(struct log *log)
{
    uint16_t port;
    unsigned index = 0;

    RTE_ETH_FOREACH_DEV(port)
    {
        char device[RTE_ETH_NAME_MAX_LEN] = "?", mac[RTE_ETHER_ADDR_FMT_SIZE];

        rte_eth_dev_get_name_by_port(port, device);
        mac_of(port, mac, sizeof(mac));
        log_say(log, LOG_ERROR, "dpdk: there is: port = dpdk%u, or %s, or %s", index++, device, mac);
    }
    if (!index)
        log_say(log, LOG_ERROR,
                "dpdk: there is no DPDK port at all; `dpdk-devbind.py -s` shows which devices are bound to a "
                "driver "
                "that DPDK can use (vfio-pci, uio_pci_generic)");
}

static enum status by_index(unsigned index, uint16_t *out)
{
    uint16_t port;

    RTE_ETH_FOREACH_DEV(port)
    {
        if (index-- == 0) {
            *out = port;
            return ST_OK;
        }
    }
    return ST_NO_DEVICE;
}

static enum status by_mac(struct eth_addr want, uint16_t *out)
{
    struct rte_ether_addr mac;
    uint16_t port;

    RTE_ETH_FOREACH_DEV(port)
    {
        if (!rte_eth_macaddr_get(port, &mac) && !memcmp(mac.addr_bytes, want.b, sizeof(want.b))) {
            *out = port;
            return ST_OK;
        }
    }
    return ST_NO_DEVICE;
}

static enum status by_device(const char *device, uint16_t *out)
{
    return rte_eth_dev_get_port_by_name(device, out) ? ST_NO_DEVICE : ST_OK;
}

static enum status by_vdev(const struct port_name *name, struct log *log, uint16_t *out)
{
    int err;

    if (by_device(name->device, out) == ST_OK)
        return ST_OK;
    err = rte_dev_probe(name->devargs);
    if (err) {
        log_say(log, LOG_ERROR, "dpdk: cannot make the device '%s': %s", name->devargs, strerror(-err));
        return ST_NO_DEVICE;
    }
    return by_device(name->device, out);
}

enum status find_port(const struct port_name *name, struct log *log, uint16_t *port)
{
    enum status st = ST_NO_DEVICE;

    switch (name->kind) {
    case PORT_BY_INDEX:
        st = by_index(name->index, port);
        break;
    case PORT_BY_MAC:
        st = by_mac(name->mac, port);
        break;
    case PORT_BY_PCI:
        st = by_device(name->device, port);
        if (st != ST_OK) /* EAL was started for another device */
            st = rte_dev_probe(name->device) ? ST_NO_DEVICE : by_device(name->device, port);
        break;
    case PORT_BY_VDEV:
        return by_vdev(name, log, port);
    }
    if (st != ST_OK) {
        log_say(log, LOG_ERROR, "dpdk: no port matches the key 'port'");
        log_ports(log);
    }
    return st;
}

static enum status precheck_pci(const char *device, struct log *log)
{
    char path[128], target[256];
    const char *driver;
    ssize_t len;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", device);
    if (access(path, F_OK)) {
        log_say(log, LOG_ERROR, "dpdk: there is no PCI device %s; `lspci -D` lists them", device);
        return ST_NO_DEVICE;
    }
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", device);
    len = readlink(path, target, sizeof(target) - 1);
    if (len < 0) {
        log_say(log, LOG_ERROR, "dpdk: PCI device %s has no driver; bind it to vfio-pci or uio_pci_generic",
                device);
        return ST_NO_DEVICE;
    }
    target[len] = '\0';
    driver = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    if (!strstr(driver, "uio") && !strstr(driver, "vfio") && strncmp(driver, "mlx", 3))
        log_say(log, LOG_WARN,
                "dpdk: PCI device %s belongs to the kernel's driver %s; if it does not start, bind it to "
                "vfio-pci or "
                "uio_pci_generic",
                device, driver);
    return ST_OK;
}

enum status find_port_precheck(const struct port_name *name, struct log *log)
{
    char path[256];
    struct stat st;

    if (name->kind == PORT_BY_PCI)
        return precheck_pci(name->device, log);
    if (!port_name_vhost_path(name, path, sizeof(path)) || strstr(name->devargs, ",server=1"))
        return ST_OK;
    if (!stat(path, &st) && (S_ISSOCK(st.st_mode) || S_ISCHR(st.st_mode)))
        return ST_OK;
    log_say(log, LOG_ERROR, "dpdk: %s is no vhost-user socket (%s); start the switch before the stack", path,
            errno ? strerror(errno) : "another kind of file");
    return ST_NO_DEVICE;
}
