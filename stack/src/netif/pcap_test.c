/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The capture wrapper: what the file holds, frames refused by the device, several queues at once, bad
 * paths. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "netif/netif_testkit.h"
#include "netif/pair.h"
#include "netif/pcap.h"

#define RECORD 16u

static struct netif *captured, *peer;
static char path[64];

static int open_captured(void **state)
{
    struct netif_params params = {.num_queues = 2, .mtu = 1500};
    struct netif *inner;

    (void)state;
    strcpy(path, "/tmp/netif-pcap-XXXXXX");
    close(mkstemp(path));
    return pair_open(&params, &inner, &peer) != ST_OK ||
           pcap_wrap(inner, path, kit_log(), &captured) != ST_OK;
}

static int close_captured(void **state)
{
    (void)state;
    captured->ops->close(captured);
    peer->ops->close(peer);
    return unlink(path);
}

static size_t read_file(uint8_t *buf, size_t len)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, buf, len);

    close(fd);
    return n < 0 ? 0 : (size_t)n;
}

static uint32_t u32_at(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static void both_directions_are_written_at_once(void **state)
{
    uint8_t file[4096];

    (void)state;
    kit_send(captured, 0, 0x11, 60);
    kit_send(peer, 1, 0x22, 1514);
    assert_int_equal(kit_receive(captured, 1), 0x22);
    assert_int_equal(kit_receive(captured, 1), 0);
    assert_int_equal(read_file(file, sizeof(file)), 24 + RECORD + 60 + RECORD + 1514);
    assert_int_equal(u32_at(file), 0xa1b2c3d4);
    assert_int_equal(u32_at(file + 20), 1);
    assert_int_equal(u32_at(file + 24 + 8), 60);
    assert_int_equal(u32_at(file + 24 + 12), 60);
    assert_true(u32_at(file + 24 + 4) < 1000000);
    assert_int_equal(u32_at(file + 24 + RECORD + 14), 0x11);
    assert_int_equal(u32_at(file + 24 + RECORD + 60 + 8), 1514);
    assert_int_equal(u32_at(file + 24 + RECORD + 60 + RECORD + 14), 0x22);
}

static void refused_frames_are_not_written(void **state)
{
    static uint8_t file[(PAIR_RING_FRAMES + 100) * (RECORD + 60)];
    struct pkt *p;

    (void)state;
    for (unsigned i = 0; i < PAIR_RING_FRAMES; i++)
        kit_send(captured, 0, 1, 60);
    p = kit_frame(captured, 0, 2, 60);
    assert_int_equal(netif_tx_burst(captured, 0, &p, 1), 0);
    pkt_free(p);
    assert_int_equal(read_file(file, sizeof(file)), 24 + PAIR_RING_FRAMES * (RECORD + 60));
}

static void *send_many(void *queue)
{
    for (unsigned i = 0; i < 500; i++) {
        struct pkt *p = netif_alloc(captured, (unsigned)(uintptr_t)queue);

        memset(pkt_put(p, 60), (int)(uintptr_t)queue, 60);
        netif_tx_burst(captured, (unsigned)(uintptr_t)queue, &p, 1);
    }
    return NULL;
}

static void queues_do_not_tear_records(void **state)
{
    static uint8_t file[1100 * (RECORD + 60)];
    pthread_t thread[2];
    size_t len, at = 24;
    unsigned seen[2] = {0};

    (void)state;
    for (uintptr_t q = 0; q < 2; q++)
        pthread_create(&thread[q], NULL, send_many, (void *)q);
    for (unsigned q = 0; q < 2; q++)
        pthread_join(thread[q], NULL);
    len = read_file(file, sizeof(file));
    for (; at < len; at += RECORD + 60) {
        assert_int_equal(u32_at(file + at + 8), 60);
        seen[file[at + RECORD]]++;
        assert_int_equal(file[at + RECORD], file[at + RECORD + 59]);
    }
    assert_int_equal(at, len);
    assert_int_equal(seen[0], 500);
    assert_int_equal(seen[1], 500);
}

static void bad_path_is_said(void **state)
{
    struct netif *out;

    (void)state;
    assert_int_equal(pcap_wrap(peer, "/no/such/dir/x.pcap", kit_log(), &out), ST_IO);
    assert_non_null(strstr(kit_logged, "pcap: cannot write /no/such/dir/x.pcap: No such file"));
}

/* A limit on the file's size fails the write as a full disk does. */
static void full_disk_ends_the_capture_only(void **state)
{
    struct rlimit limit, small;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){.rlim_cur = 64, .rlim_max = limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    kit_send(captured, 0, 1, 60);
    kit_send(captured, 0, 2, 60);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(kit_receive(peer, 0), 1);
    assert_int_equal(kit_receive(peer, 0), 2);
    assert_non_null(strstr(kit_logged, "pcap: the capture ends here"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_captured, close_captured)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(both_directions_are_written_at_once), CASE(refused_frames_are_not_written),
        CASE(queues_do_not_tear_records),          CASE(bad_path_is_said),
        CASE(full_disk_ends_the_capture_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
