/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For the tests of interfaces: frames that tell their number, and a clock set by hand. Included by tests
 * only, after cmocka. */
#ifndef NETIF_NETIF_TESTKIT_H
#define NETIF_NETIF_TESTKIT_H

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "netif/netif.h"

#define KIT_TYPE 0x88b5 /* EtherType for local experiments */

/** The last line that the interface under test logged. */
static char kit_logged[512];

static inline void kit_sink(void *ctx, enum log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    snprintf(kit_logged, sizeof(kit_logged), "%s", line);
}

static inline struct log *kit_log(void)
{
    static struct log log = {.level = LOG_WARN, .sink = kit_sink};

    return &log;
}

static inline struct pkt *kit_frame(struct netif *nif, unsigned queue, uint32_t number, uint32_t len)
{
    struct pkt *p = netif_alloc(nif, queue);
    uint8_t *data;

    assert_non_null(p);
    assert_true(pkt_headroom(p) >= PKT_HEADROOM);
    data = pkt_put(p, len);
    if (!data) { /* said again in C: optimising compilers do not know that assert_* does not return */
        fail_msg("no room for %u bytes", len);
        return p;
    }
    memset(data, (int)number, len);
    memset(data, 0xff, 6);
    memcpy(data + 6, nif->mac.b, 6);
    data[12] = KIT_TYPE >> 8;
    data[13] = KIT_TYPE & 0xff;
    memcpy(data + 14, &number, sizeof(number));
    return p;
}

static inline uint32_t kit_number(const struct pkt *p)
{
    uint32_t number;

    memcpy(&number, p->data + 14, sizeof(number));
    return number;
}

static inline void kit_send(struct netif *nif, unsigned queue, uint32_t number, uint32_t len)
{
    struct pkt *p = kit_frame(nif, queue, number, len);

    assert_int_equal(netif_tx_burst(nif, queue, &p, 1), 1);
}

/** Takes one frame and gives its number, 0 when none waits. */
static inline uint32_t kit_receive(struct netif *nif, unsigned queue)
{
    struct pkt *p;
    uint32_t number;

    if (!netif_rx_burst(nif, queue, &p, 1))
        return 0;
    number = kit_number(p);
    pkt_free(p);
    return number;
}

static inline void kit_stats(struct netif *nif, struct netif_stats *out)
{
    nif->ops->stats(nif, out);
}

#endif
