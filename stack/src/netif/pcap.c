/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See pcap.h. A sent frame belongs to inner as soon as it is accepted, so records are built before and those
 * of frames that were refused are forgotten. */
#include "netif/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/log.h"
#include "netif/wrapper.h"
#include "wire/ipv4.h"

#define PCAP_BURST 64u
#define PCAP_SNAPLEN 65535u

struct pcap_file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, sigfigs, snaplen, linktype;
};

struct pcap_record {
    uint32_t sec, usec, captured, full;
};

struct pcap_netif {
    struct wrapper wrap; /* first: the interface is the wrapper */
    struct log *log;
    pthread_mutex_t lock; /* of fd */
    int fd;               /* -1 after a failed write */
    size_t record_bytes;  /* the longest record */
    uint8_t **staged;     /* a queue and direction each, see staged_of(): records of one burst */
};

static struct pcap_netif *pcap_of(struct netif *nif)
{
    return (struct pcap_netif *)nif;
}

/* Receiving and sending on a queue may be two threads. */
static uint8_t *staged_of(const struct pcap_netif *w, unsigned queue, bool sending)
{
    return w->staged[2 * queue + sending];
}

/* Where TCP or UDP keeps its checksum, 0 for another protocol. */
static uint32_t checksum_offset(uint8_t proto)
{
    return proto == IP_PROTO_TCP ? 16 : proto == IP_PROTO_UDP ? 6 : 0;
}

/* Finishes the checksum that a device was to finish, or that a local sender never made, in a whole frame. */
static void finish_checksum(uint8_t *frame, uint32_t len)
{
    uint32_t field, l4_len;
    struct eth_hdr eth;
    struct ipv4_hdr ip;
    uint16_t csum;
    uint8_t *l4;

    if (eth_parse(frame, len, &eth) != ST_OK || eth.type != ETH_TYPE_IPV4 ||
        ipv4_parse(frame + ETH_HDR_LEN, len - ETH_HDR_LEN, true, &ip) != ST_OK)
        return;
    l4 = frame + ETH_HDR_LEN + ip.hdr_len;
    l4_len = ip.total_len - ip.hdr_len;
    field = checksum_offset(ip.proto);
    if (!field || l4_len < field + 2)
        return;
    put_be16(l4 + field, 0);
    csum = checksum_finish(
        checksum_add(ipv4_pseudo_sum(ip.src, ip.dst, ip.proto, (uint16_t)l4_len), l4, l4_len));
    put_be16(l4 + field, csum || ip.proto == IP_PROTO_TCP ? csum : 0xffff);
}

/* Appends the record of a frame and returns where the next one goes. */
static uint8_t *stage(const struct pcap_netif *w, uint8_t *to, const struct pkt *p,
                      const struct timespec *now)
{
    uint32_t room = (uint32_t)(w->record_bytes - sizeof(struct pcap_record));
    struct pcap_record rec = {(uint32_t)now->tv_sec, (uint32_t)(now->tv_nsec / 1000), 0, pkt_total(p)};
    uint8_t *frame = to + sizeof(rec);
    bool unfinished = p->flags & (PKT_TX_L4_CSUM | PKT_RX_L4_CSUM_PARTIAL);

    for (const struct pkt *at = p; at && rec.captured < room; at = at->more) {
        uint32_t n = at->len < room - rec.captured ? at->len : room - rec.captured;

        memcpy(frame + rec.captured, at->data, n);
        rec.captured += n;
    }
    memcpy(to, &rec, sizeof(rec));
    if (unfinished && rec.captured == rec.full)
        finish_checksum(frame, rec.full);
    return frame + rec.captured;
}

static void write_records(struct pcap_netif *w, const uint8_t *from, const uint8_t *to)
{
    size_t len = (size_t)(to - from);

    pthread_mutex_lock(&w->lock);
    if (len && w->fd >= 0 && write(w->fd, from, len) != (ssize_t)len) {
        log_say(w->log, LOG_WARN, "pcap: the capture ends here: %s", strerror(errno));
        close(w->fd);
        w->fd = -1;
    }
    pthread_mutex_unlock(&w->lock);
}

static unsigned pcap_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct pcap_netif *w = pcap_of(nif);
    uint8_t *first = staged_of(w, queue, false), *end = first;
    struct timespec now;

    n = netif_rx_burst(w->wrap.inner, queue, pkts, n < PCAP_BURST ? n : PCAP_BURST);
    if (!n)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    for (unsigned i = 0; i < n; i++)
        end = stage(w, end, pkts[i], &now);
    write_records(w, first, end);
    return n;
}

static unsigned pcap_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct pcap_netif *w = pcap_of(nif);
    uint8_t *end[PCAP_BURST + 1] = {staged_of(w, queue, true)};
    struct timespec now;

    if (n > PCAP_BURST)
        n = PCAP_BURST;
    clock_gettime(CLOCK_REALTIME, &now);
    for (unsigned i = 0; i < n; i++)
        end[i + 1] = stage(w, end[i], pkts[i], &now);
    n = netif_tx_burst(w->wrap.inner, queue, pkts, n);
    write_records(w, end[0], end[n]);
    return n;
}

static void pcap_free(struct pcap_netif *w)
{
    for (unsigned q = 0; w->staged && q < 2 * w->wrap.nif.num_queues; q++)
        free(w->staged[q]);
    free(w->staged);
    if (w->fd >= 0)
        close(w->fd);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static void pcap_close(struct netif *nif)
{
    struct netif *inner = wrapper_inner(nif);

    pcap_free(pcap_of(nif));
    inner->ops->close(inner);
}

static const struct netif_ops pcap_ops = {
    .name = "pcap",
    .rx_burst = pcap_rx_burst,
    .tx_burst = pcap_tx_burst,
    .alloc = wrapper_alloc,
    .alloc_long = wrapper_alloc_long,
    .link_up = wrapper_link_up,
    .stats = wrapper_stats,
    .attach_thread = wrapper_attach_thread,
    .rx_fd = wrapper_rx_fd,
    .next_deadline_us = wrapper_next_deadline_us,
    .close = pcap_close,
};

static enum status begin_file(struct pcap_netif *w, const char *path)
{
    static const struct pcap_file_header header = {
        .magic = 0xa1b2c3d4, .major = 2, .minor = 4, .snaplen = PCAP_SNAPLEN, .linktype = 1 /* Ethernet */};

    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (w->fd >= 0 && write(w->fd, &header, sizeof(header)) == (ssize_t)sizeof(header))
        return ST_OK;
    log_say(w->log, LOG_ERROR, "pcap: cannot write %s: %s", path, strerror(errno));
    return ST_IO;
}

enum status pcap_wrap(struct netif *inner, const char *path, struct log *log, struct netif **out)
{
    struct pcap_netif *w = calloc(1, sizeof(*w));
    enum status st;

    if (!w)
        return ST_NO_MEMORY;
    wrapper_init(&w->wrap, &pcap_ops, inner);
    w->log = log;
    w->fd = -1;
    pthread_mutex_init(&w->lock, NULL);
    w->record_bytes =
        sizeof(struct pcap_record) +
        (inner->offload ? PCAP_SNAPLEN : NETIF_MAX_FRAME(inner->mtu)); /* merged ones may come */
    w->staged = calloc(2 * (size_t)inner->num_queues, sizeof(*w->staged));
    st = w->staged ? begin_file(w, path) : ST_NO_MEMORY;
    for (unsigned q = 0; st == ST_OK && q < 2 * inner->num_queues; q++) {
        w->staged[q] = malloc(PCAP_BURST * w->record_bytes);
        if (!w->staged[q])
            st = ST_NO_MEMORY;
    }
    if (st != ST_OK)
        pcap_free(w);
    else
        *out = &w->wrap.nif;
    return st;
}
