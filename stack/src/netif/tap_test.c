/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tap interface against the kernel: frames both ways through a packet socket, several queues, and what is
 * said when it cannot be opened. Needs CAP_NET_ADMIN for a network namespace of its own. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "netif/netif_testkit.h"
#include "netif/tap.h"

/* Enters a network namespace of our own, so that no name clashes. */
static void need_rights(void)
{
    static int have = -1;

    if (have < 0)
        have = !access("/dev/net/tun", R_OK | W_OK) && !unshare(CLONE_NEWNET);
    if (!have) {
        print_message("skipped: no /dev/net/tun or no right to make a network namespace\n");
        skip();
    }
}

static struct netif *open_tap(const char *name, unsigned queues)
{
    struct netif_params params = {.port = name, .num_queues = queues, .mtu = 1500, .log = kit_log()};
    struct netif *nif = NULL;

    if (tap_open(&params, &nif) != ST_OK)
        fail_msg("%s", kit_logged);
    return nif;
}

/* A packet socket on the kernel's side, for our experimental EtherType. */
static int kernel_side(const char *name)
{
    struct sockaddr_ll addr = {
        .sll_family = AF_PACKET, .sll_protocol = htons(KIT_TYPE), .sll_ifindex = (int)if_nametoindex(name)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(KIT_TYPE));

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

/* Takes the next frame of our EtherType; the kernel sends others of its own accord. */
static uint32_t receive_ours(struct netif *nif, unsigned queue)
{
    struct pollfd pfd = {.fd = nif->ops->rx_fd(nif, queue), .events = POLLIN};
    struct pkt *p;

    while (poll(&pfd, 1, 1000) > 0) {
        while (netif_rx_burst(nif, queue, &p, 1)) {
            uint32_t number =
                p->data[12] == KIT_TYPE >> 8 && p->data[13] == (KIT_TYPE & 0xff) ? kit_number(p) : 0;

            pkt_free(p);
            if (number)
                return number;
        }
    }
    return 0;
}

static void frames_go_both_ways(void **state)
{
    struct netif *nif;
    struct netif_stats s;
    uint8_t frame[1600];
    uint32_t number = 77;
    int fd;

    (void)state;
    need_rights();
    nif = open_tap("nt0", 1);
    assert_true(nif->ops->link_up(nif));
    assert_int_equal(nif->mac.b[0], 2);
    fd = kernel_side("nt0");
    kit_send(nif, 0, 42, 1514);
    assert_int_equal(recv(fd, frame, sizeof(frame), 0), 1514);
    assert_int_equal(frame[14], 42);
    memcpy(frame + 14, &number, sizeof(number));
    assert_int_equal(send(fd, frame, 100, 0), 100);
    assert_int_equal(receive_ours(nif, 0), 77);
    kit_stats(nif, &s);
    assert_int_equal(s.tx_packets, 1);
    assert_int_equal(s.tx_bytes, 1514);
    close(fd);
    nif->ops->close(nif);
    assert_int_equal(if_nametoindex("nt0"), 0); /* made by us, gone with us */
}

static void several_queues(void **state)
{
    struct netif *nif;
    uint8_t frame[1600];
    int fd;

    (void)state;
    need_rights();
    nif = open_tap("nt1", 3);
    assert_int_equal(nif->num_queues, 3);
    fd = kernel_side("nt1");
    for (unsigned q = 0; q < 3; q++) {
        kit_send(nif, q, q + 1, 60);
        assert_int_equal(recv(fd, frame, sizeof(frame), 0), 60);
        assert_int_equal(frame[14], q + 1);
    }
    close(fd);
    nif->ops->close(nif);
}

static void frames_on_a_link_that_is_down_are_counted(void **state)
{
    struct netif *nif;
    struct netif_stats s;

    (void)state;
    need_rights();
    nif = open_tap("nt2", 1);
    assert_int_equal(system("ip link set nt2 down"), 0);
    assert_false(nif->ops->link_up(nif));
    kit_send(nif, 0, 1, 60);
    kit_stats(nif, &s);
    assert_int_equal(s.tx_dropped, 1);
    assert_int_equal(s.tx_packets, 0);
    nif->ops->close(nif);
}

static void attaches_to_what_exists(void **state)
{
    struct netif_params params = {.port = "nt3", .num_queues = 2, .mtu = 1500, .log = kit_log()};
    struct netif *nif, *other;

    (void)state;
    need_rights();
    assert_int_equal(system("ip tuntap add nt3 mode tap"), 0);
    assert_int_equal(tap_open(&params, &other), ST_NO_DEVICE);
    assert_non_null(strstr(kit_logged, "ip tuntap add NAME mode tap multi_queue"));
    nif = open_tap("nt3", 1);
    params.num_queues = 1;
    assert_int_equal(tap_open(&params, &other), ST_IO);
    assert_non_null(strstr(kit_logged, "tap nt3: in use"));
    nif->ops->close(nif);
    assert_true(if_nametoindex("nt3") > 0);
    assert_int_equal(system("ip link del nt3"), 0);
}

static void one_queue_of_many(void **state)
{
    struct netif_params params = {.port = "nt4", .num_queues = 1, .mtu = 1500, .log = kit_log()};
    struct netif *nif;

    (void)state;
    need_rights();
    assert_int_equal(system("ip tuntap add nt4 mode tap multi_queue"), 0);
    nif = open_tap("nt4", 1);
    assert_int_equal(nif->num_queues, 1);
    nif->ops->close(nif);
    assert_int_equal(system("ip link del nt4 && ip link add nt4 type bridge"), 0);
    assert_int_equal(tap_open(&params, &nif), ST_NO_DEVICE);
    assert_non_null(strstr(kit_logged, "is it a tap interface?"));
}

static void refuses_bad_names(void **state)
{
    static const char *const bad[] = {"", "a_name_too_long_", "a/b", "tap%d", "a b", ".."};
    struct netif *nif;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct netif_params params = {.port = bad[i], .num_queues = 1, .mtu = 1500, .log = kit_log()};

        assert_int_equal(tap_open(&params, &nif), ST_INVALID);
        assert_non_null(strstr(kit_logged, "cannot name an interface"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_both_ways),
        cmocka_unit_test(several_queues),
        cmocka_unit_test(frames_on_a_link_that_is_down_are_counted),
        cmocka_unit_test(attaches_to_what_exists),
        cmocka_unit_test(one_queue_of_many),
        cmocka_unit_test(refuses_bad_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
