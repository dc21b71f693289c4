/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of ports, and the rules by which EAL's arguments are made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "netif/dpdk/eal_args.h"

static struct port_name name;
static struct eal_args args;
static char joined[4096];

/* Arguments as one line with a blank around each. */
static enum status build(const char *port, struct eal_request req)
{
    enum status st;

    assert_int_equal(port_name_parse(port, &name), ST_OK);
    req.port = &name;
    req.cpu = 3;
    req.pid = 77;
    req.need_mb = 64;
    st = eal_args_build(&req, &args);
    strcpy(joined, " ");
    for (int i = 0; st == ST_OK && i < args.argc; i++)
        strcat(strcat(joined, args.argv[i]), " ");
    assert_true(st != ST_OK || args.argv[args.argc] == NULL);
    return st;
}

static void has(const char *part)
{
    if (!strstr(joined, part))
        fail_msg("'%s' is not in '%s'", part, joined);
}

static void has_not(const char *part)
{
    if (strstr(joined, part))
        fail_msg("'%s' is in '%s'", part, joined);
}

static void names_of_all_kinds(void **state)
{
    char path[64];

    (void)state;
    assert_int_equal(port_name_parse("dpdk12", &name), ST_OK);
    assert_int_equal(name.kind, PORT_BY_INDEX);
    assert_int_equal(name.index, 12);
    assert_int_equal(port_name_parse("0000:00:03.0", &name), ST_OK);
    assert_int_equal(name.kind, PORT_BY_PCI);
    assert_string_equal(name.device, "0000:00:03.0");
    assert_int_equal(port_name_parse("0a:1f.7", &name), ST_OK);
    assert_string_equal(name.device, "0000:0a:1f.7");
    assert_int_equal(port_name_parse("02:00:00:00:00:fF", &name), ST_OK);
    assert_int_equal(name.kind, PORT_BY_MAC);
    assert_int_equal(name.mac.b[5], 0xff);
    assert_int_equal(port_name_parse("vdev:net_virtio_user0,path=/p/v.sock,queues=2", &name), ST_OK);
    assert_int_equal(name.kind, PORT_BY_VDEV);
    assert_string_equal(name.device, "net_virtio_user0");
    assert_string_equal(name.devargs, "net_virtio_user0,path=/p/v.sock,queues=2");
    assert_true(port_name_vhost_path(&name, path, sizeof(path)));
    assert_string_equal(path, "/p/v.sock");
    assert_int_equal(port_name_parse("vdev:net_ring0", &name), ST_OK);
    assert_false(port_name_vhost_path(&name, path, sizeof(path)));
}

static void refuses_near_misses(void **state)
{
    static const char *const bad[] = {"",
                                      "dpdk",
                                      "dpdk1x",
                                      "dpdk-1",
                                      "dpdk 1",
                                      "eth0",
                                      "00:03",
                                      "00:03.0x",
                                      "02:00:00:00:00",
                                      "02:00:00:00:00:011",
                                      "vdev:",
                                      "vdev:,x",
                                      "vdev:net_ring0 --no-huge"};

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (port_name_parse(bad[i], &name) != ST_INVALID)
            fail_msg("'%s' was taken", bad[i]);
    assert_int_equal(port_name_parse(NULL, &name), ST_INVALID);
}

static void vdev_without_hugepages(void **state)
{
    (void)state;
    assert_int_equal(build("vdev:net_ring0", (struct eal_request){.hugepages = -1}), ST_OK);
    has(" libmtcp --lcores=0@3 --file-prefix=mtcp-77 --no-telemetry --iova-mode=va --no-pci --no-huge "
        "--no-shconf -m 64 ");
    assert_false(args.hugepages);
    assert_non_null(
        strstr(args.why, "ordinary memory: too few hugepages (0 MB of hugepages free, 64 MB needed)"));
    assert_int_equal(build("vdev:net_ring0", (struct eal_request){.hugepages = 0, .free_huge_mb = 999}),
                     ST_OK);
    assert_non_null(strstr(args.why, "ordinary memory: asked for"));
}

static void vdev_with_hugepages(void **state)
{
    (void)state;
    assert_int_equal(
        build("vdev:net_virtio_user0,path=/x", (struct eal_request){.hugepages = -1, .free_huge_mb = 64}),
        ST_OK);
    has(" --in-memory --single-file-segments ");
    has_not("--no-huge");
    has_not(" -m ");
    assert_true(args.hugepages);
}

static void pci_device(void **state)
{
    struct eal_request req = {
        .hugepages = -1, .free_huge_mb = 256, .device_needs_physical = true, .num_mem_ch = 4};

    (void)state;
    assert_int_equal(build("00:03.0", req), ST_OK);
    has(" -n 4 ");
    has(" -a 0000:00:03.0 --in-memory ");
    has_not("--no-pci");
    has_not("--iova-mode");
    req.free_huge_mb = 10;
    assert_int_equal(build("00:03.0", req), ST_NO_MEMORY);
    assert_non_null(strstr(args.why, "0000:00:03.0 needs hugepages"));
    req.hugepages = 0;
    req.free_huge_mb = 256;
    assert_int_equal(build("00:03.0", req), ST_NO_MEMORY);
    assert_non_null(strstr(args.why, "remove hugepages = off"));
}

static void hugepages_on_must_be_there(void **state)
{
    (void)state;
    assert_int_equal(build("dpdk0", (struct eal_request){.hugepages = 1, .free_huge_mb = 60}), ST_NO_MEMORY);
    assert_non_null(strstr(args.why, "64 MB are needed and 60 MB free; set vm.nr_hugepages to 2 more"));
    assert_int_equal(build("dpdk0", (struct eal_request){.hugepages = 1, .free_huge_mb = 64}), ST_OK);
    has_not(" -a ");
    has_not("--no-pci");
}

static void the_users_words_win(void **state)
{
    struct eal_request req = {.hugepages = -1, .free_huge_mb = 999, .num_mem_ch = 2};

    (void)state;
    req.extra = "--file-prefix m1  --no-huge -m 256 -l 1 -n 4 --iova-mode=pa";
    assert_int_equal(build("vdev:net_ring0", req), ST_OK);
    has(" --no-pci --no-shconf --file-prefix m1 --no-huge -m 256 -l 1 -n 4 --iova-mode=pa ");
    has_not("--lcores");
    has_not("mtcp-77");
    has_not("-n 2");
    assert_false(args.own_prefix);
    req.extra = "-a 0000:00:04.0";
    assert_int_equal(build("dpdk0", req), ST_OK);
    has(" -a 0000:00:04.0 ");
}

static void too_much_is_refused(void **state)
{
    char extra[3000];

    (void)state;
    memset(extra, 'a', sizeof(extra));
    extra[sizeof(extra) - 1] = '\0';
    assert_int_equal(build("dpdk0", (struct eal_request){.extra = extra}), ST_INVALID);
    for (unsigned i = 1; i < 200; i += 2)
        extra[i] = ' ';
    extra[200] = '\0';
    assert_int_equal(build("dpdk0", (struct eal_request){.extra = extra}), ST_INVALID);
    assert_non_null(strstr(args.why, "key 'eal'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_all_kinds),
        cmocka_unit_test(refuses_near_misses),
        cmocka_unit_test(vdev_without_hugepages),
        cmocka_unit_test(vdev_with_hugepages),
        cmocka_unit_test(pci_device),
        cmocka_unit_test(hugepages_on_must_be_there),
        cmocka_unit_test(the_users_words_win),
        cmocka_unit_test(too_much_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
