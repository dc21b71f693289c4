/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writes the first inputs of every fuzzer: fuzz_seeds DIR makes DIR/NAME/seed-N. They are made by the emit
 * functions, so that no binary file stands in the repository. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define OURS 0x0a000001u
#define PEER 0x0a000002u

static const char *root;

static void make_dir(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        perror(path);
        exit(1);
    }
}

static void seed(const char *fuzzer, const void *data, size_t len)
{
    static unsigned number;
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", root, fuzzer);
    make_dir(path);
    snprintf(path, sizeof(path), "%s/%s/seed-%u", root, fuzzer, number++);
    f = fopen(path, "wb");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

/* The frame as a fuzzer input of its own layer and as a step of the layer above. */
static void seed_frame(const uint8_t *frame, size_t len)
{
    uint8_t steps[300] = {0, (uint8_t)len};

    seed("eth", frame, len);
    seed("classify", frame, len);
    memcpy(steps + 2, frame, len);
    seed("inet_input", steps, len + 2);
    memcpy(steps + 2 + len, "\x03\x40\x00\x02\x00\x02\x00\x64\x03\xff\xff\x05", 12);
    seed("inet_input", steps, len + 2 + 12);
}

static void seed_ip(uint8_t proto, const uint8_t *payload, size_t len)
{
    const struct eth_hdr eth = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}, ETH_TYPE_IPV4};
    struct ipv4_hdr ip = {.src = PEER, .dst = OURS, .ttl = 64, .proto = proto};
    uint8_t frame[256];

    ip.total_len = (uint16_t)(IPV4_HDR_LEN + len);
    eth_emit(frame, &eth);
    ipv4_emit(frame + ETH_HDR_LEN, &ip);
    memcpy(frame + ETH_HDR_LEN + IPV4_HDR_LEN, payload, len);
    seed_frame(frame, ETH_HDR_LEN + ip.total_len);
    seed("ipv4", frame + ETH_HDR_LEN, ip.total_len);
}

static void seed_arp(uint16_t op)
{
    const struct eth_hdr eth = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}, ETH_TYPE_ARP};
    struct arp_pkt arp = {op, eth.src, eth.dst, PEER, OURS};
    uint8_t frame[ETH_HDR_LEN + ARP_PKT_LEN];

    eth_emit(frame, &eth);
    arp_emit(frame + ETH_HDR_LEN, &arp);
    seed_frame(frame, sizeof(frame));
    seed("arp", frame + ETH_HDR_LEN, ARP_PKT_LEN);
}

static void seed_icmp_and_udp(void)
{
    struct icmp_hdr echo = {.type = ICMP_ECHO_REQUEST, .rest = 0x00010001};
    struct udp_hdr udp = {1000, 53, UDP_HDR_LEN + 8};
    uint8_t msg[16] = "--------payload";

    icmp_emit(msg, &echo, 8);
    seed("icmp", msg, sizeof(msg));
    seed_ip(IP_PROTO_ICMP, msg, sizeof(msg));
    udp_emit(msg, &udp, PEER, OURS);
    seed("udp", msg, sizeof(msg));
    seed_ip(IP_PROTO_UDP, msg, sizeof(msg));
}

static void seed_tcp(struct tcp_hdr t)
{
    uint8_t seg[TCP_HDR_LEN + TCP_MAX_OPT_LEN + 4] = {0};
    uint32_t len = tcp_emit_len(&t);

    t.src_port = 5000;
    t.dst_port = 80;
    tcp_emit(seg, &t, PEER, OURS, 4);
    seed("tcp", seg, len + 4);
    seed_ip(IP_PROTO_TCP, seg, len + 4);
}

/* Steps of fuzz_tcp_input.c: the first byte is the parameters, then an operation a line. */
static void seed_tcp_input(void)
{
#define SYN_IN "\x01\x00\x02\x00"
#define ACK_IN "\x01\x00\x10\x00"
#define ACCEPT "\x02"
#define DATA_IN "\x01\x00\x18\x20"
#define READ_ALL "\x03\x00\x00\x1f\xff"
#define WRITE_1K "\x04\x00\x04\x00"
#define FIN_IN "\x01\x00\x11\x00"
#define CLOSE "\x05\x00\x01"
#define WAIT_10MS "\x07\x03\xe8"
#define WAIT_LONG "\x87\xff\xff"
    static const char open[] = "\x01" SYN_IN ACK_IN ACCEPT DATA_IN WRITE_1K ACK_IN READ_ALL;
    static const char peer_closes[] =
        "\x01" SYN_IN ACK_IN ACCEPT DATA_IN FIN_IN READ_ALL CLOSE ACK_IN WAIT_LONG;
    static const char we_close[] = "\x01" SYN_IN ACK_IN ACCEPT WRITE_1K CLOSE ACK_IN FIN_IN WAIT_LONG;
    static const char lost[] = "\x01" SYN_IN ACK_IN ACCEPT WRITE_1K WAIT_LONG WAIT_LONG ACK_IN WAIT_LONG;
    static const char active[] =
        "\x01\x06\x00\x01\x04\x12\x00\x04\x04\x04\x00\x01\x04\x10\x10\x03\x04\x00\x1f\xff";
    static const char gap[] =
        "\x01" SYN_IN ACK_IN ACCEPT
        "\x00\x00\x10\x20\x02\x00\x00\x00\xff\xff" DATA_IN DATA_IN DATA_IN READ_ALL WAIT_10MS;
    static const char options[] = "\x01\x01\x80\x02\x00\x0f\x05\xb4\x07\x00\x01\x00\x00" ACK_IN ACCEPT;

    seed("tcp_input", open, sizeof(open) - 1);
    seed("tcp_input", peer_closes, sizeof(peer_closes) - 1);
    seed("tcp_input", we_close, sizeof(we_close) - 1);
    seed("tcp_input", lost, sizeof(lost) - 1);
    seed("tcp_input", active, sizeof(active) - 1);
    seed("tcp_input", gap, sizeof(gap) - 1);
    seed("tcp_input", options, sizeof(options) - 1);
}

static void seed_config(void)
{
    static const char conf[] =
        "# a stack\nio = tap\nport = tap0\naddress = 10.0.0.1/24\ngateway = 10.0.0.254\n"
        "route = 10.1.0.0/16 via 10.0.0.9\narp = 10.0.0.7 02:00:00:00:00:07\n"
        "mac = 02:00:00:00:00:01\nmtu = 1500\nnum_cores = 2\ncore_mask = 3\nrcvbuf = 65536\n"
        "tcp_timeout = -1\nfault = seed=1,loss=0.01,delay_us=1000\nidle = yield\nlog = info\n";
    static const char dpdk[] = "io = dpdk\nport = dpdk0\neal = --no-huge -m 256\nhugepages = auto\n"
                               "distribution = direct\npcap = /tmp/x.pcap\nstat_print = dpdk0\n";

    seed("config", conf, sizeof(conf) - 1);
    seed("config", dpdk, sizeof(dpdk) - 1);
    seed("config", "io=", 3);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_seeds DIR\n");
        return 2;
    }
    root = argv[1];
    make_dir(root);
    seed_arp(ARP_REQUEST);
    seed_arp(ARP_REPLY);
    seed_icmp_and_udp();
    seed_tcp((struct tcp_hdr){.flags = TCP_SYN,
                              .opts = {.has_mss = true,
                                       .mss = 1460,
                                       .has_wscale = true,
                                       .wscale = 7,
                                       .has_ts = true,
                                       .ts_val = 1,
                                       .sack_ok = true}});
    seed_tcp((struct tcp_hdr){.flags = TCP_ACK, .opts = {.num_sack = 3, .has_ts = true}});
    seed_tcp((struct tcp_hdr){.flags = TCP_ACK | TCP_PSH, .window = 1000});
    seed_tcp_input();
    seed_config();
    return 0;
}
