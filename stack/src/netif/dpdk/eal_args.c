/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See eal_args.h. The rules (measured with DPDK 22.11):
 * --no-huge and --in-memory exclude each other; without hugepages nothing is shared by files either
 * (--no-shconf); virtio_user over hugepages moves no data without --single-file-segments; a device behind uio
 * needs physical addresses, hence hugepages. */
#include "netif/dpdk/eal_args.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct builder {
    struct eal_args *out;
    size_t used;
    bool overflow;
};

static void add(struct builder *b, const char *fmt, ...)
{
    struct eal_args *a = b->out;
    size_t room = sizeof(a->text) - b->used;
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(a->text + b->used, room, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= room || a->argc == EAL_MAX_ARGS) {
        b->overflow = true;
        return;
    }
    a->argv[a->argc++] = a->text + b->used;
    a->argv[a->argc] = NULL;
    b->used += (size_t)len + 1;
}

static void add_words(struct builder *b, const char *text)
{
    while (*(text += strspn(text, " \t"))) {
        size_t len = strcspn(text, " \t");

        add(b, "%.*s", (int)len, text);
        text += len;
    }
}

/* True when the user's words have the option, alone or as option=value. */
static bool user_gave(const struct eal_request *req, const char *option)
{
    const char *at = req->extra;
    size_t len = strlen(option);

    while (at && (at = strstr(at, option))) {
        bool begins = at == req->extra || at[-1] == ' ' || at[-1] == '\t';
        char next = at[len];

        if (begins && (!next || strchr(" \t=", next)))
            return true;
        at += len;
    }
    return false;
}

static enum status choose_memory(const struct eal_request *req, struct eal_args *out)
{
    unsigned long long need = req->need_mb, have = req->free_huge_mb;
    bool off = req->hugepages == 0 || user_gave(req, "--no-huge");

    out->hugepages = !off && (req->hugepages == 1 || have >= need || user_gave(req, "--in-memory"));
    if (out->hugepages) {
        snprintf(out->why, sizeof(out->why), "hugepages: %s (%llu MB free, %llu MB needed)",
                 req->hugepages == 1 ? "asked for" : "there are enough", have, need);
    } else {
        snprintf(out->why, sizeof(out->why),
                 "ordinary memory: %s (%llu MB of hugepages free, %llu MB needed)",
                 off ? "asked for" : "too few hugepages", have, need);
    }
    if (!out->hugepages && req->device_needs_physical) {
        snprintf(out->why, sizeof(out->why),
                 "%s needs hugepages, because its driver has no IOMMU: %llu MB needed, %llu MB free; set "
                 "vm.nr_hugepages%s",
                 req->port->device, need, have, off ? " and remove hugepages = off" : "");
        return ST_NO_MEMORY;
    }
    if (out->hugepages && req->hugepages == 1 && have < need) {
        snprintf(out->why, sizeof(out->why),
                 "hugepages = on, but %llu MB are needed and %llu MB free; set vm.nr_hugepages to %llu more",
                 need, have, (need - have + 1) / 2);
        return ST_NO_MEMORY;
    }
    return ST_OK;
}

static void add_memory(struct builder *b, const struct eal_request *req)
{
    if (!b->out->hugepages) {
        if (!user_gave(req, "--no-huge"))
            add(b, "--no-huge");
        if (!user_gave(req, "--no-shconf"))
            add(b, "--no-shconf");
        if (!user_gave(req, "-m"))
            add(b, "-m"), add(b, "%llu", (unsigned long long)req->need_mb);
        return;
    }
    if (!user_gave(req, "--in-memory") && !user_gave(req, "--huge-dir"))
        add(b, "--in-memory");
    if (req->port->kind == PORT_BY_VDEV && !user_gave(req, "--single-file-segments"))
        add(b, "--single-file-segments");
}

static void add_devices(struct builder *b, const struct eal_request *req)
{
    if (user_gave(req, "-a") || user_gave(req, "--allow") || user_gave(req, "--no-pci"))
        return;
    if (req->port->kind == PORT_BY_VDEV)
        add(b, "--no-pci");
    if (req->port->kind == PORT_BY_PCI)
        add(b, "-a"), add(b, "%s", req->port->device);
}

enum status eal_args_build(const struct eal_request *req, struct eal_args *out)
{
    struct builder b = {.out = out};
    enum status st;

    out->argc = 0;
    st = choose_memory(req, out);
    if (st != ST_OK)
        return st;
    out->own_prefix = !user_gave(req, "--file-prefix");
    add(&b, "libmtcp");
    if (!user_gave(req, "-l") && !user_gave(req, "-c") && !user_gave(req, "--lcores"))
        add(&b, "--lcores=0@%u", req->cpu);
    if (req->num_mem_ch && !user_gave(req, "-n"))
        add(&b, "-n"), add(&b, "%u", req->num_mem_ch);
    if (out->own_prefix)
        add(&b, "--file-prefix=mtcp-%u", req->pid);
    if (!user_gave(req, "--telemetry"))
        add(&b, "--no-telemetry");
    if (req->port->kind == PORT_BY_VDEV && !user_gave(req, "--iova-mode"))
        add(&b, "--iova-mode=va");
    add_devices(&b, req);
    add_memory(&b, req);
    if (req->extra)
        add_words(&b, req->extra);
    if (b.overflow) {
        snprintf(out->why, sizeof(out->why), "key 'eal': too long or too many arguments");
        return ST_INVALID;
    }
    return ST_OK;
}
