/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See port_name.h. */
#include "netif/dpdk/port_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* True when the format takes the whole text; the format ends in %n for `used`. */
#define WHOLE(used, text) ((used) > 0 && (text)[used] == '\0')

static bool parse_pci(const char *text, char *device, unsigned len)
{
    unsigned domain = 0, bus, slot, function;
    int used = 0;

    if (sscanf(text, "%4x:%2x:%2x.%1u%n", &domain, &bus, &slot, &function, &used) != 4 ||
        !WHOLE(used, text)) {
        domain = 0;
        used = 0;
        if (sscanf(text, "%2x:%2x.%1u%n", &bus, &slot, &function, &used) != 3 || !WHOLE(used, text))
            return false;
    }
    snprintf(device, len, "%04x:%02x:%02x.%u", domain, bus, slot, function);
    return true;
}

static bool parse_mac(const char *text, struct eth_addr *mac)
{
    int used = 0;

    return strlen(text) == 17 &&
           sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac->b[0], &mac->b[1], &mac->b[2],
                  &mac->b[3], &mac->b[4], &mac->b[5], &used) == 6 &&
           WHOLE(used, text);
}

static bool parse_vdev(const char *text, struct port_name *out)
{
    size_t len = strcspn(text, ",");

    if (len == 0 || len >= sizeof(out->device) || strpbrk(text, " \t"))
        return false;
    memcpy(out->device, text, len);
    out->device[len] = '\0';
    out->devargs = text;
    return true;
}

enum status port_name_parse(const char *text, struct port_name *out)
{
    int used = 0;

    memset(out, 0, sizeof(*out));
    if (!text)
        return ST_INVALID;
    if (!strncmp(text, "vdev:", 5)) {
        out->kind = PORT_BY_VDEV;
        return parse_vdev(text + 5, out) ? ST_OK : ST_INVALID;
    }
    out->kind = PORT_BY_INDEX;
    if (!strncmp(text, "dpdk", 4) && isdigit((unsigned char)text[4]) &&
        sscanf(text + 4, "%3u%n", &out->index, &used) == 1 && WHOLE(used, text + 4))
        return ST_OK;
    if (text[strspn(text, "0123456789abcdefABCDEF:.")]) /* scanf takes signs and blanks too */
        return ST_INVALID;
    out->kind = PORT_BY_MAC;
    if (parse_mac(text, &out->mac))
        return ST_OK;
    out->kind = PORT_BY_PCI;
    return parse_pci(text, out->device, sizeof(out->device)) ? ST_OK : ST_INVALID;
}

bool port_name_vhost_path(const struct port_name *name, char *path, unsigned len)
{
    const char *value;
    size_t n;

    if (name->kind != PORT_BY_VDEV || strncmp(name->device, "net_virtio_user", 15))
        return false;
    value = strstr(name->devargs, ",path=");
    if (!value)
        return false;
    value += strlen(",path=");
    n = strcspn(value, ",");
    if (n >= len)
        return false;
    memcpy(path, value, n);
    path[n] = '\0';
    return true;
}
