/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The configuration file: every key of the list, mTCP's meanings, every refusal with its line, hostile bytes,
 * and the reference page, which must be what the list says (VNFLAB_REGENERATE=1 writes it anew). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "config/config.h"

#define HEAD "io = tap\nport = tap0\naddress = 10.0.0.2/24\n"

static char error[CONFIG_ERROR_LEN];

static enum status parse(const char *text, struct config *cfg)
{
    return config_parse("t.conf", text, strlen(text), cfg, error);
}

static void takes(const char *text, struct config *cfg)
{
    if (parse(text, cfg) != ST_OK)
        fail_msg("%s", error);
}

static void refuses(const char *text, const char *message)
{
    struct config cfg;

    assert_int_equal(parse(text, &cfg), ST_INVALID);
    if (!strstr(error, message))
        fail_msg("'%s' is not in '%s'", message, error);
}

static void defaults_are_mtcps(void **state)
{
    struct config c;

    (void)state;
    takes(HEAD, &c);
    assert_int_equal(c.io, CONFIG_IO_TAP);
    assert_string_equal(c.port, "tap0");
    assert_int_equal(c.address, 0x0a000002);
    assert_int_equal(c.prefix_len, 24);
    assert_int_equal(c.num_cores, 0);
    assert_int_equal(c.max_concurrency, 10000);
    assert_int_equal(c.max_num_buffers, 10000);
    assert_int_equal(c.tcp_timeout, 30);
    assert_int_equal(c.tcp_timewait, 0);
    assert_int_equal(c.mtu, 1500);
    assert_int_equal(c.log_level, LOG_INFO);
    assert_int_equal(c.idle, CONFIG_IDLE_YIELD);
    assert_int_equal(c.hugepages, CONFIG_HUGEPAGES_AUTO);
    assert_int_equal(c.distribution, CONFIG_DISTRIBUTION_AUTO);
    assert_int_equal(c.queues, 0);
    assert_int_equal(c.steer_ring, 1024);
    assert_int_equal(c.burst, 64);
    assert_int_equal(c.rebalance, CONFIG_REBALANCE_OFF);
    assert_int_equal(c.offload, CONFIG_OFFLOAD_AUTO);
    assert_null(c.pcap);
    config_free(&c);
}

static void reads_every_key(void **state)
{
    struct config c;

    (void)state;
    takes("# a stack\r\n"
          "io = dpdk   # comment\n"
          "port = vdev:net_virtio_user0,path=/p/v#0.sock,queues=1\n"
          "address=169.254.9.8/16\n"
          "  gateway\t=\t169.254.0.1\n"
          "route = 10.1.0.0/16 via 169.254.0.2\n"
          "route = 10.2.0.0/16   dev\n"
          "route = 10.3.0.0/16 via 10.2.0.1\n"
          "arp = 169.254.9.3 02:00:00:00:00:0A\n"
          "mac = 02:00:00:00:00:01\n"
          "mtu = 9000\nnum_cores = 2\ncore_mask = 0x6\nnum_mem_ch = 4\n"
          "max_concurrency = 5\nmax_num_buffers = 6\nrcvbuf = 100\nsndbuf = 200\n"
          "tcp_timeout = -1\ntcp_timewait = 3\ncc = reno\ndistribution = 2kb\nidle = sleep\n"
          "queues = 3\nsteer_ring = 2048\nburst = 16\nrebalance = on\n"
          "eal = --file-prefix m1 --no-huge -m 256\nhugepages = off\noffload = csum\npcap = /tmp/x.pcap\n"
          "fault = seed=1,loss=0.01\nstat_print = dpdk0\nlog = debug",
          &c);
    assert_int_equal(c.io, CONFIG_IO_DPDK);
    assert_string_equal(c.port, "vdev:net_virtio_user0,path=/p/v#0.sock,queues=1");
    assert_int_equal(c.gateway, 0xa9fe0001);
    assert_int_equal(c.num_routes, 3);
    assert_int_equal(c.routes[0].gateway, 0xa9fe0002);
    assert_int_equal(c.routes[1].prefix, 0x0a020000);
    assert_int_equal(c.routes[1].prefix_len, 16);
    assert_int_equal(c.routes[1].gateway, 0);
    assert_int_equal(c.num_arp, 1);
    assert_int_equal(c.arp[0].mac[5], 0x0a);
    assert_true(c.has_mac && c.mac[0] == 2);
    assert_int_equal(c.core_mask, 6);
    assert_int_equal(c.rcvbuf, 100);
    assert_int_equal(c.sndbuf, 200);
    assert_int_equal(c.tcp_timeout, -1);
    assert_int_equal(c.tcp_timewait, 3);
    assert_string_equal(c.eal, "--file-prefix m1 --no-huge -m 256");
    assert_string_equal(c.fault, "seed=1,loss=0.01");
    assert_int_equal(c.hugepages, CONFIG_HUGEPAGES_OFF);
    assert_int_equal(c.offload, CONFIG_OFFLOAD_CSUM);
    assert_int_equal(c.idle, CONFIG_IDLE_SLEEP);
    assert_int_equal(c.distribution, CONFIG_DISTRIBUTION_2KB);
    assert_int_equal(c.queues, 3);
    assert_int_equal(c.steer_ring, 2048);
    assert_int_equal(c.burst, 16);
    assert_int_equal(c.rebalance, CONFIG_REBALANCE_ON);
    assert_int_equal(c.log_level, LOG_DEBUG);
    config_free(&c);
}

static void one_buffer_size_copies_the_other(void **state)
{
    struct config c;

    (void)state;
    takes(HEAD "rcvbuf = 4096\n", &c);
    assert_int_equal(c.sndbuf, 4096);
    config_free(&c);
    takes(HEAD "sndbuf = 8192\n", &c);
    assert_int_equal(c.rcvbuf, 8192);
    config_free(&c);
}

static void names_file_line_and_key(void **state)
{
    (void)state;
    refuses(HEAD "\nrcvbuff = 1\n", "t.conf:5: key 'rcvbuff': unknown; did you mean 'rcvbuf'?");
    refuses(HEAD "something_else = 1\n", "t.conf:4: key 'something_else': unknown; the reference page");
    refuses(HEAD "mtu = 99\n", "key 'mtu': bad value '99'; allowed: a whole number from 576 to 9000");
    refuses(HEAD "mtu = 1500x\n", "bad value '1500x'");
    refuses(HEAD "mtu =\n", "key 'mtu': has no value; allowed:");
    refuses(HEAD "idle = nap\n", "bad value 'nap'; allowed: poll|yield|sleep");
    refuses(HEAD "mtu = 1500\nmtu = 1500\n", "t.conf:5: key 'mtu': given twice, first on line 4");
    refuses(HEAD "mtu 1500\n", "t.conf:4: not of the form");
    refuses(HEAD "= 1500\n", "t.conf:4: key '': unknown");
    refuses("port = tap0\n", "t.conf: key 'io': missing; allowed: dpdk|tap");
    refuses("io = tap\naddress = 10.0.0.2/24\n", "t.conf: key 'port': missing");
    refuses("", "t.conf: key 'io': missing");
}

static void refuses_what_mtcp_had(void **state)
{
    (void)state;
    refuses("io = netmap\n", "t.conf:1: key 'io': this driver of mTCP is not supported; allowed: dpdk|tap");
    refuses("io = onvm\n", "not supported");
    refuses("multiprocess = 1\n", "t.conf:1: key 'multiprocess': one process drives an interface");
    refuses("onvm_inst = 1\n", "OpenNetVM is not supported");
    refuses("cc = cubic\n", "CCP's algorithms are not supported; allowed: reno");
    refuses("port = all\n", "one interface: name it");
    refuses("port = dpdk0 dpdk1\n", "one interface only");
    refuses("port = dpdk0:0\n", "shared by several processes");
}

static void refuses_bad_addresses(void **state)
{
    (void)state;
    refuses("address = 10.0.0.2\n", "bad value '10.0.0.2'; allowed: ADDRESS/LENGTH");
    refuses("address = 10.0.0.2/33\n", "bad value");
    refuses("address = 10.0.0.2/0\n", "must be 1 to 32");
    refuses("address = 10.0.0.255/24\n", "broadcast");
    refuses("address = 10.0.0.0/24\n", "network's own");
    refuses("address = 224.0.0.1/24\n", "not the address of a host");
    refuses("address = 10.0.0.2.3.4.5.6.7.8.9/24\n", "bad value");
    refuses("mac = 01:00:00:00:00:01\n", "allowed: a unicast MAC");
    refuses("mac = 00:00:00:00:00:00\n", "allowed: a unicast MAC");
    refuses("mac = 02:00:00:00:00:0\n", "bad value");
    refuses("mac = 02-00-00-00-00-01\n", "bad value");
    refuses("arp = 10.0.0.3\n", "bad value");
    refuses("arp = 10.0.0.3 02:00:00:00:00:03 x\n", "bad value");
    refuses("route = 10.0.0.0/8\n", "bad value");
    refuses("route = 10.0.0.0/8 via\n", "bad value");
    refuses("route = 10.0.0.0/8 dev eth0\n", "bad value");
    refuses("route = 10.0.0.1/8 dev\n", "bits beyond its length");
    refuses("route = 10.0.0.0/8 via 0.0.0.0\n", "gateway is not the address of a host");
    refuses(HEAD "gateway = 10.0.1.1\n", "t.conf:4: key 'gateway': not on the link");
    refuses(HEAD "route = 10.9.0.0/16 via 10.0.1.1\n", "key 'route': a gateway is not on the link");
}

static void refuses_impossible_wholes(void **state)
{
    (void)state;
    refuses(HEAD "num_cores = 3\ncore_mask = 3\n", "key 'num_cores': more than core_mask has CPUs");
    refuses(HEAD "core_mask = 0\n", "bad value '0'");
    refuses(HEAD "core_mask = 1ffffffffffffffff\n", "bad value");
    refuses(HEAD "tcp_timeout = 0\n", "would end every connection");
    refuses(HEAD "rcvbuf = 99999999999999999999999\n", "bad value");
    refuses(HEAD "rcvbuf = -1\n", "bad value '-1'");
    refuses(HEAD "rcvbuf = 63\n", "whole number from 64");
}

static void limits_repeated_keys(void **state)
{
    char text[8192] = HEAD;
    struct config c;

    (void)state;
    for (unsigned i = 0; i < CONFIG_MAX_ROUTES; i++)
        sprintf(text + strlen(text), "route = 11.%u.0.0/16 dev\n", i);
    takes(text, &c);
    assert_int_equal(c.num_routes, CONFIG_MAX_ROUTES);
    config_free(&c);
    strcat(text, "route = 12.0.0.0/8 dev\n");
    refuses(text, "more than 64 routes");
}

static void survives_hostile_bytes(void **state)
{
    static char text[70000];
    struct config c;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(config_parse("t", text, sizeof(text), &c, error), ST_INVALID);
    assert_non_null(strstr(error, "t:1: line is longer"));
    memset(text, 0, 100);
    assert_int_equal(config_parse("t", text, 100, &c, error), ST_INVALID);
    assert_non_null(strstr(error, "t:1: line holds a control character"));
    memset(text, '=', 1000);
    assert_int_equal(config_parse("t", text, 1000, &c, error), ST_INVALID);
    memset(text, 0xff, 1000);
    text[500] = '=';
    assert_int_equal(config_parse("t", text, 1000, &c, error), ST_INVALID);
    memset(text, '\n', sizeof(text));
    assert_int_equal(config_parse("t", text, sizeof(text), &c, error), ST_INVALID);
}

static void reads_files(void **state)
{
    char path[] = "/tmp/netif-config-XXXXXX";
    struct config c;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, HEAD, strlen(HEAD)), strlen(HEAD));
    close(fd);
    assert_int_equal(config_read(path, &c, error), ST_OK);
    assert_string_equal(c.port, "tap0");
    config_free(&c);
    unlink(path);
    assert_int_equal(config_read(path, &c, error), ST_INVALID);
    assert_non_null(strstr(error, "No such file"));
    assert_int_equal(config_read("/", &c, error), ST_INVALID);
    assert_non_null(strstr(error, "Is a directory"));
}

/* A key that is not in the list above would be forgotten here without this. */
static void refuse_key(void *ctx, const struct config_key_info *k)
{
    char text[128];

    (void)ctx;
    snprintf(text, sizeof(text), "%s =\n", k->name);
    refuses(text, k->refused ? k->refused : "has no value");
    snprintf(text, sizeof(text), "key '%s': ", k->name);
    assert_non_null(strstr(error, text));
}

static void every_key_is_reachable(void **state)
{
    (void)state;
    config_each_key(refuse_key, NULL);
}

struct page {
    char text[16384];
    bool refused_began;
};

static void append(struct page *p, const char *fmt, ...)
{
    size_t len = strlen(p->text);
    va_list args;

    va_start(args, fmt);
    vsnprintf(p->text + len, sizeof(p->text) - len, fmt, args);
    va_end(args);
}

static void cell(struct page *p, const char *text)
{
    append(p, " ");
    for (; *text; text++)
        append(p, *text == '|' ? "\\%c" : "%c", *text);
    append(p, " |");
}

static void add_row(void *ctx, const struct config_key_info *k)
{
    struct page *p = ctx;

    if (k->refused && !p->refused_began) {
        p->refused_began = true;
        append(p, "\n## Keys of mTCP that are refused\n\n| key | reason |\n|---|---|\n");
    }
    append(p, "| `%s` |", k->name);
    if (k->refused) {
        cell(p, k->refused);
    } else {
        cell(p, k->meaning);
        cell(p, k->allowed);
        cell(p, k->by_default);
    }
    append(p, "\n");
}

static void reference_page_is_the_list(void **state)
{
    static struct page want;
    static char have[sizeof(want.text)];
    /* Tests run in the build directory, to which __FILE__ is relative. */
    const char *path = __FILE__;
    char page[512];
    FILE *file;

    (void)state;
    append(&want,
           "# Configuration file of a stack\n\n"
           "Generated from `stack/src/config/config_keys.def`; do not edit.\n\n"
           "`key = value`, one a line; `#` begins a comment. Unknown and bad keys are refused with file, "
           "line, key and what is allowed.\n\n"
           "| key | meaning | allowed | default |\n|---|---|---|---|\n");
    config_each_key(add_row, &want);
    snprintf(page, sizeof(page), "%.*sdocs/reference/stack-conf.md", (int)(strstr(path, "stack/src/") - path),
             path);
    file = fopen(page, getenv("VNFLAB_REGENERATE") ? "w+" : "r");
    if (!file)
        fail_msg("%s is missing: run this test with VNFLAB_REGENERATE=1", page);
    if (getenv("VNFLAB_REGENERATE")) {
        fputs(want.text, file);
        rewind(file);
    }
    have[fread(have, 1, sizeof(have) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(have, want.text);
}

static void count_line(void *ctx, const char *text)
{
    assert_non_null(strstr(text, "Default: "));
    ++*(unsigned *)ctx;
}

static void help_has_all_keys(void **state)
{
    unsigned lines = 0;

    (void)state;
    config_print_keys(count_line, &lines);
    assert_int_equal(lines, 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_mtcps),
        cmocka_unit_test(reads_every_key),
        cmocka_unit_test(one_buffer_size_copies_the_other),
        cmocka_unit_test(names_file_line_and_key),
        cmocka_unit_test(refuses_what_mtcp_had),
        cmocka_unit_test(refuses_bad_addresses),
        cmocka_unit_test(refuses_impossible_wholes),
        cmocka_unit_test(limits_repeated_keys),
        cmocka_unit_test(survives_hostile_bytes),
        cmocka_unit_test(reads_files),
        cmocka_unit_test(every_key_is_reachable),
        cmocka_unit_test(reference_page_is_the_list),
        cmocka_unit_test(help_has_all_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
