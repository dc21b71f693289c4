/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Offloads between a vhost port and a virtio_user port in two processes without hugepages, in every
 * combination of what the two sides ask for. Both send TCP segments of many lengths, long ones where their
 * interface takes them, and datagrams; both must get every byte in order, whole, and with a checksum that is
 * right or declared good. */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "netif/dpdk/dpdk_netif.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define TEXT_BYTES 3000000u
#define MSS 1460u
#define UDP_EVERY 8u /* frames */
#define DEADLINE_S 40
#define ADDR(side) (0x0a000001u + (side))
#define NUM_MODES 3u

enum side { VHOST, VIRTIO };
enum failure { FAIL_OPEN = 2, FAIL_TIME, FAIL_FRAME, FAIL_SUM, FAIL_TEXT, FAIL_SHAPE };

struct machine {
    struct netif *nif;
    enum side side;
    uint32_t sent, received; /* text */
    uint32_t frames, datagrams;
    bool done_sent, done_seen, saw_long;
};

static char dir[] = "/tmp/netif-offload-XXXXXX";
static int ready[2]; /* a pipe: the side is open */
static volatile sig_atomic_t stopped;

static void stop(int sig)
{
    (void)sig;
    stopped = 1;
}

static uint8_t text_at(uint32_t pos)
{
    return (uint8_t)(pos ^ pos >> 8 ^ pos >> 16);
}

static atomic_bool closing;

/* DPDK, in threads of its own, calls it an error that the peer has gone first, which it does on purpose. */
static void say_until_closing(void *ctx, enum log_level level, const char *line)
{
    if (!atomic_load(&closing))
        log_stderr(ctx, level, line);
}
static struct log log = {.level = LOG_ERROR, .sink = say_until_closing};

static struct netif *open_side(enum side side, enum netif_offload offload)
{
    static const char *const forms[] = {
        "vdev:net_vhost0,iface=%s/s,queues=1",
        "vdev:net_virtio_user0,path=%s/s,queues=1,queue_size=256,mac=02:00:00:00:00:02",
    };
    char port[128];
    struct netif_params params = {.port = port,
                                  .num_queues = 1,
                                  .mtu = 1500,
                                  .has_mac = side == VHOST,
                                  .mac = {{2, 0, 0, 0, 0, 1}},
                                  .num_bufs = 2048,
                                  .offload = offload,
                                  .log = &log};
    struct netif *nif;

    snprintf(port, sizeof(port), forms[side], dir);
    if (dpdk_open(&params, &nif) != ST_OK || netif_attach_thread(nif) != ST_OK)
        _exit(FAIL_OPEN);
    return nif;
}

/* ---- sending ---- */

static void put_headers(const struct machine *m, struct pkt *p, uint8_t proto)
{
    struct ipv4_hdr ip = {.src = ADDR(m->side),
                          .dst = ADDR(!m->side),
                          .total_len = (uint16_t)(IPV4_HDR_LEN + p->len),
                          .ttl = 64,
                          .proto = proto};
    struct eth_hdr eth = {.type = ETH_TYPE_IPV4, .src = m->nif->mac, .dst = {{2, 0, 0, 0, 0, 9}}};

    ipv4_emit(pkt_push(p, IPV4_HDR_LEN), &ip);
    eth_emit(pkt_push(p, ETH_HDR_LEN), &eth);
}

static void fill_text(struct pkt *p, uint32_t pos, uint32_t len)
{
    uint8_t *text = pkt_put(p, len);

    for (uint32_t i = 0; text && i < len; i++)
        text[i] = text_at(pos + i);
}

static struct pkt *next_segment(const struct machine *m, uint32_t *len)
{
    static const uint32_t lens[] = {1, 100, MSS, 2 * MSS, 5000, 44 * MSS, 20001};
    bool seg = m->nif->offload == NETIF_OFFLOAD_SEG, csum = m->nif->offload >= NETIF_OFFLOAD_CSUM;
    struct tcp_hdr h = {.src_port = 1, .dst_port = 2, .seq = m->sent, .flags = TCP_ACK | TCP_PSH};
    struct pkt *p;
    uint8_t *out;

    *len = lens[m->frames % (sizeof(lens) / sizeof(lens[0]))];
    if (*len > MSS && !seg)
        *len = MSS - *len % 7;
    if (*len > TEXT_BYTES - m->sent)
        *len = TEXT_BYTES - m->sent;
    p = *len > MSS ? netif_alloc_long(m->nif, 0) : netif_alloc(m->nif, 0);
    if (!p)
        return NULL;
    fill_text(p, m->sent, *len);
    out = pkt_push(p, TCP_HDR_LEN);
    tcp_emit_header(out, &h);
    tcp_set_checksum(out, TCP_HDR_LEN + *len, ADDR(m->side), ADDR(!m->side), csum);
    p->flags |= csum ? PKT_TX_L4_CSUM : 0;
    if (*len > MSS) {
        p->flags |= PKT_TX_SEG;
        p->seg_bytes = MSS;
    }
    put_headers(m, p, IP_PROTO_TCP);
    return p;
}

/* The datagram with which a side says that it has everything is longer by one. */
static struct pkt *datagram(const struct machine *m, bool done)
{
    uint32_t len = 500 + done;
    struct udp_hdr h = {3, 4, (uint16_t)(UDP_HDR_LEN + len)};
    struct pkt *p = netif_alloc(m->nif, 0);
    bool csum = m->nif->offload >= NETIF_OFFLOAD_CSUM;

    if (!p)
        return NULL;
    fill_text(p, 0, len);
    (csum ? udp_emit_partial : udp_emit)(pkt_push(p, UDP_HDR_LEN), &h, ADDR(m->side), ADDR(!m->side));
    p->flags |= csum ? PKT_TX_L4_CSUM : 0;
    put_headers(m, p, IP_PROTO_UDP);
    return p;
}

/* Sends one frame more; what the device refuses is kept in *held for the next time. */
static void send_one(struct machine *m, struct pkt **held)
{
    if (!*held && m->frames % UDP_EVERY == 0 && m->sent < TEXT_BYTES) {
        *held = datagram(m, false);
        m->frames += *held != NULL;
    } else if (!*held && m->sent < TEXT_BYTES) {
        uint32_t len;

        *held = next_segment(m, &len);
        m->sent += *held ? len : 0;
        m->frames += *held != NULL;
    } else if (!*held && m->received == TEXT_BYTES && !m->done_sent) {
        *held = datagram(m, true);
        m->done_sent = *held != NULL;
    }
    if (*held && netif_tx_burst(m->nif, 0, held, 1))
        *held = NULL;
}

/* ---- receiving ---- */

static uint32_t flatten(const struct pkt *p, uint8_t *to)
{
    uint32_t len = 0;

    for (; p; p = p->more) {
        memcpy(to + len, p->data, p->len);
        len += p->len;
    }
    return len;
}

static void check_text(const uint8_t *text, uint32_t pos, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (text[i] != text_at(pos + i))
            _exit(FAIL_TEXT);
}

static void take_segment(struct machine *m, const struct ipv4_hdr *ip, const uint8_t *l4, bool csum_ok)
{
    uint32_t len = ip->total_len - IPV4_HDR_LEN;
    struct tcp_hdr h;
    enum status st = tcp_parse(l4, len, ip->src, ip->dst, csum_ok, &h);

    if (st == ST_BAD_CHECKSUM)
        _exit(FAIL_SUM);
    if (st != ST_OK || h.seq != m->received)
        _exit(FAIL_FRAME);
    len -= h.hdr_len;
    check_text(l4 + h.hdr_len, m->received, len);
    m->received += len;
    m->saw_long = m->saw_long || len > MSS;
}

static void take_datagram(struct machine *m, const struct ipv4_hdr *ip, const uint8_t *l4, bool csum_ok)
{
    struct udp_hdr h;
    enum status st = udp_parse(l4, ip->total_len - IPV4_HDR_LEN, ip->src, ip->dst, csum_ok, &h);

    if (st != ST_OK)
        _exit(st == ST_BAD_CHECKSUM ? FAIL_SUM : FAIL_FRAME);
    check_text(l4 + UDP_HDR_LEN, 0, h.len - UDP_HDR_LEN);
    m->datagrams++;
    m->done_seen = m->done_seen || h.len == UDP_HDR_LEN + 501;
}

static void take_frame(struct machine *m, struct pkt *p)
{
    static uint8_t frame[70000];
    uint32_t len = flatten(p, frame);
    bool csum_ok = p->flags & PKT_RX_L4_CSUM_OK;
    struct ipv4_hdr ip;

    if (len != pkt_total(p) || ipv4_parse(frame + ETH_HDR_LEN, len - ETH_HDR_LEN, false, &ip) != ST_OK)
        _exit(FAIL_FRAME);
    (ip.proto == IP_PROTO_TCP ? take_segment : take_datagram)(m, &ip, frame + ETH_HDR_LEN + IPV4_HDR_LEN,
                                                              csum_ok);
    pkt_free(p);
}

/* ---- a process ---- */

static int run_machine(enum side side, enum netif_offload own, enum netif_offload other)
{
    struct machine m = {.nif = open_side(side, own), .side = side};
    struct pkt *held = NULL, *p;
    time_t end = time(NULL) + DEADLINE_S;

    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN); /* virtio_user tells its end to a peer that has gone */
    if (write(ready[1], "", 1) != 1)
        return FAIL_OPEN;
    close(ready[1]);
    while (!m.done_sent || held || !m.done_seen || (side == VIRTIO && !stopped)) {
        send_one(&m, &held);
        if (netif_rx_burst(m.nif, 0, &p, 1))
            take_frame(&m, p);
        else
            sched_yield();
        if (time(NULL) > end)
            return FAIL_TIME;
    }
    atomic_store(&closing, true);
    m.nif->ops->close(m.nif);
    if (!m.datagrams || m.saw_long != (own == NETIF_OFFLOAD_SEG && other == NETIF_OFFLOAD_SEG))
        return FAIL_SHAPE;
    return 0;
}

/* Returns when the side is open, or has failed to. */
static pid_t start(enum side side, enum netif_offload own, enum netif_offload other)
{
    char opened;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0)
        _exit(run_machine(side, own, other));
    close(ready[1]);
    if (read(ready[0], &opened, 1) < 0)
        fail_msg("no news of the side");
    close(ready[0]);
    return pid;
}

static int exit_code(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void every_combination(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NUM_MODES * NUM_MODES; i++) {
        enum netif_offload vhost = (enum netif_offload)(i / NUM_MODES),
                           virtio = (enum netif_offload)(i % NUM_MODES);
        pid_t pid[2];
        int code[2];

        pid[0] = start(VHOST, vhost, virtio);
        pid[1] = start(VIRTIO, virtio, vhost);
        code[0] = exit_code(pid[0]);
        kill(pid[1], SIGTERM);
        code[1] = exit_code(pid[1]);
        if (code[0] || code[1])
            fail_msg("offloads %d of vhost, %d of virtio_user: they ended with %d and %d", vhost, virtio,
                     code[0], code[1]);
    }
}

static int make_dir(void **state)
{
    (void)state;
    return !mkdtemp(dir);
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir); /* the port has taken its socket away */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_combination)};

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
