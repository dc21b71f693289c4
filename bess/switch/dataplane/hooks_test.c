/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hooks at the gates of a small graph, and what a capture's reader gets: everything in order, or, when it is
 * slow or gone, less, while the packets themselves go on. Needs DPDK's environment, without hugepages.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "dataplane.h"
#include "eal.h"
#include "hook.h"

#define N_BUFFERS 2048
#define FRAME_BYTES 60

static struct dataplane dp;
static struct run_ctx ctx;
static char fifo[64];
static const char *why;

/* merge -> sink: what passes merge's output gate passes sink's input gate. */
static struct module *merge, *sink;

static int setup(void **state)
{
    (void)state;
    memset(&ctx, 0, sizeof(ctx));
    ctx.pool = dp.pool;
    if (module_create(&dp, "Merge", NULL, 0, &dp.modules[0]) != 0 ||
        module_create(&dp, "Sink", NULL, 0, &dp.modules[1]) != 0)
        return -1;
    merge = dp.modules[0];
    sink = dp.modules[1];
    return mkfifo(fifo, 0600) == 0 ? module_connect(merge, 0, sink, 0, false) : -1;
}

static int teardown(void **state)
{
    (void)state;
    captures_reap(true);
    module_destroy(&dp, merge);
    module_destroy(&dp, sink);
    dp.modules[0] = dp.modules[1] = NULL;
    unlink(fifo);
    return rte_mempool_in_use_count(dp.pool) == 0 ? 0 : -1;
}

static struct hook *hook(const char *class_name, bool igate, bool bits, uint8_t direction)
{
    struct hook_config cfg = {
        .module = igate ? sink : merge,
        .igate = igate,
        .bits = bits,
        .fifo = fifo,
        .interface = "port",
        .direction = direction,
    };
    struct hook *h;

    assert_int_equal(hook_create(&dp, class_name, &cfg, &h, &why), 0);
    return h;
}

static void push(unsigned n)
{
    struct batch b = {.n = 0};

    for (unsigned i = 0; i < n; i++) {
        struct rte_mbuf *pkt = rte_pktmbuf_alloc(dp.pool);

        memset(rte_pktmbuf_append(pkt, FRAME_BYTES), (int)i, FRAME_BYTES);
        batch_add(&b, pkt);
    }
    merge->class->process(&ctx, merge, 0, &b);
}

static struct hook_counters counters(const struct hook *h)
{
    struct hook_counters c = {0};

    h->class->counters(h, &c);
    return c;
}

/* A reader; the write end must find it there. */
static int reader(void)
{
    int fd = open(fifo, O_RDONLY | O_NONBLOCK);

    assert_true(fd >= 0);
    fcntl(fd, F_SETFL, 0);
    return fd;
}

/* Everything up to the end of the stream. */
static size_t read_all(int fd, uint8_t *to, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, to + len, size - len)) > 0)
        len += n;
    close(fd);
    return len;
}

/* ---- Track ---- */

static void a_plain_track_is_counted_inline(void **state)
{
    struct hook *h = hook("Track", false, false, 0);

    (void)state;
    assert_false(merge->ogates[0].hooked);
    push(3);
    push(2);
    assert_int_equal(counters(h).batches, 2);
    assert_int_equal(counters(h).packets, 5);
    assert_int_equal(counters(h).bytes, 0);
    h->class->reset(h);
    push(1);
    assert_int_equal(counters(h).packets, 1);
    hook_destroy(&dp, h);
    push(1);
    assert_null(merge->ogates[0].counters);
}

static void tracks_beside_each_other_count_each_what_it_was_told_to(void **state)
{
    struct hook *plain = hook("Track", false, false, 0), *second = hook("Track", false, false, 0);
    struct hook *bits = hook("Track", false, true, 0), *input = hook("Track", true, true, 0);

    (void)state;
    assert_true(merge->ogates[0].hooked);
    push(4);
    assert_int_equal(counters(plain).packets, 4);
    assert_int_equal(counters(second).packets, 4);
    assert_int_equal(counters(bits).bytes, 4 * (FRAME_BYTES + 24));
    assert_int_equal(counters(input).bytes, 4 * (FRAME_BYTES + 24));
    hook_destroy(&dp, plain);
    hook_destroy(&dp, bits);
    hook_destroy(&dp, second);
    assert_true(merge->ogates[0].hooked); /* the input gate's hook is still there */
    push(1);
    assert_int_equal(counters(input).packets, 5);
    hook_destroy(&dp, input);
    assert_false(merge->ogates[0].hooked);
}

static void a_link_made_later_finds_the_hook_at_its_input_gate(void **state)
{
    struct hook *h = hook("Track", true, true, 0);

    (void)state;
    module_disconnect(merge, 0);
    assert_int_equal(module_connect(merge, 0, sink, 0, true), 0);
    push(2);
    assert_int_equal(counters(h).packets, 2);
    hook_destroy(&dp, h);
}

static void hooks_outlive_their_gate_without_harm(void **state)
{
    struct hook *tracker = hook("Track", false, false, 0), *bits = hook("Track", false, true, 0);

    (void)state;
    module_disconnect(merge, 0);
    hook_destroy(&dp, bits);
    hook_destroy(&dp, tracker);
}

static void a_gate_that_is_not_there_is_refused(void **state)
{
    struct hook_config cfg = {.module = merge, .gate = 1};
    struct hook *h;

    (void)state;
    assert_int_equal(hook_create(&dp, "Track", &cfg, &h, &why), -EINVAL);
    cfg.igate = true;
    cfg.gate = DP_MAX_GATES;
    assert_int_equal(hook_create(&dp, "Track", &cfg, &h, &why), -EINVAL);
    assert_int_equal(hook_create(&dp, "Nothing", &cfg, &h, &why), -ENOENT);
}

/* ---- captures ---- */

static void a_pipe_without_reader_or_no_pipe_at_all_is_refused(void **state)
{
    struct hook_config cfg = {.module = merge, .fifo = fifo, .interface = "port"};
    struct hook *h;

    (void)state;
    assert_int_equal(hook_create(&dp, "PcapNg", &cfg, &h, &why), -ENXIO);
    cfg.fifo = "/nowhere/at/all";
    assert_int_equal(hook_create(&dp, "TcpDump", &cfg, &h, &why), -ENOENT);
    cfg.fifo = "/dev/null";
    assert_int_equal(hook_create(&dp, "TcpDump", &cfg, &h, &why), -EINVAL);
    assert_string_equal(why, "It is not a FIFO");
}

static void tcpdump_writes_a_pcap_stream(void **state)
{
    static uint8_t got[1 << 16];
    int fd = reader();
    struct hook *h = hook("TcpDump", false, false, 0);
    size_t len;

    (void)state;
    push(10);
    hook_destroy(&dp, h);
    len = read_all(fd, got, sizeof(got));
    assert_int_equal(len, 24 + 10 * (16 + FRAME_BYTES));
    for (int i = 0; i < 10; i++)
        assert_int_equal(got[24 + i * (16 + FRAME_BYTES) + 16], i);
}

/* Walks the blocks and counts them by type; times must not go back. */
static void count_blocks(const uint8_t *got, size_t len, unsigned count[7], unsigned directions[3])
{
    uint64_t last = 0;

    for (size_t at = 0; at < len;) {
        uint32_t head[5];
        uint64_t time;

        assert_true(len - at >= sizeof(head));
        memcpy(head, got + at, sizeof(head));
        assert_true(head[1] >= 12 && head[1] <= len - at);
        if (head[0] == 6) {
            uint32_t direction;

            time = (uint64_t)head[3] << 32 | head[4];
            assert_true(time >= last);
            last = time;
            memcpy(&direction, got + at + 28 + FRAME_BYTES + 4, sizeof(direction));
            assert_true(direction < 3);
            directions[direction]++;
        }
        if (head[0] < 7)
            count[head[0]]++;
        at += head[1];
    }
}

static void pcapng_hooks_on_one_pipe_share_a_capture(void **state)
{
    static uint8_t got[1 << 16];
    unsigned count[7] = {0}, directions[3] = {0};
    int fd = reader();
    struct hook *out = hook("PcapNg", false, false, CAPTURE_OUTBOUND);
    struct hook *in = hook("PcapNg", true, false, CAPTURE_INBOUND);
    struct hook_config other = {.module = merge, .fifo = fifo, .interface = "port"};
    struct hook *h;

    (void)state;
    assert_int_equal(hook_create(&dp, "TcpDump", &other, &h, &why), -EBUSY);
    push(20);
    push(5);
    hook_destroy(&dp, out);
    push(3); /* the other one goes on */
    assert_int_equal(counters(in).packets, 28);
    assert_true(counters(in).alive);
    hook_destroy(&dp, in);
    count_blocks(got, read_all(fd, got, sizeof(got)), count, directions);
    assert_int_equal(count[1], 1); /* one interface: both gates have the port's name */
    assert_int_equal(count[5], 1);
    assert_int_equal(count[6], 53);
    assert_int_equal(directions[CAPTURE_OUTBOUND], 25);
    assert_int_equal(directions[CAPTURE_INBOUND], 28);
}

static void a_frame_in_pieces_is_captured_whole(void **state)
{
    static uint8_t got[1 << 16];
    int fd = reader();
    struct hook *h = hook("TcpDump", false, false, 0);
    struct rte_mbuf *head = rte_pktmbuf_alloc(dp.pool), *tail = rte_pktmbuf_alloc(dp.pool);
    struct batch b = {.n = 0};
    size_t len;

    (void)state;
    memset(rte_pktmbuf_append(head, 2000), 1, 2000);
    memset(rte_pktmbuf_append(tail, 1000), 2, 1000);
    assert_int_equal(rte_pktmbuf_chain(head, tail), 0);
    batch_add(&b, head);
    merge->class->process(&ctx, merge, 0, &b);
    hook_destroy(&dp, h);
    len = read_all(fd, got, sizeof(got));
    assert_int_equal(len, 24 + 16 + 3000);
    assert_int_equal(got[24 + 16 + 1999], 1);
    assert_int_equal(got[24 + 16 + 2000], 2);
}

static void a_reader_that_stands_still_loses_packets_which_are_counted(void **state)
{
    unsigned sent = 0, count[7] = {0}, directions[3] = {0};
    size_t room = CAPTURE_RING_BYTES + (1 << 20);
    uint8_t *got = malloc(room);
    int fd = reader();
    struct hook *h = hook("PcapNg", false, false, CAPTURE_INBOUND);

    (void)state;
    while (counters(h).dropped == 0) { /* ends: the ring and the pipe are of fixed size */
        push(DP_BURST_MAX);
        sent += DP_BURST_MAX;
    }
    assert_int_equal(counters(h).packets, sent);
    assert_true(counters(h).dropped > 0 && counters(h).dropped < sent);
    sent -= counters(h).dropped;
    hook_destroy(&dp, h);
    count_blocks(got, read_all(fd, got, room), count, directions);
    assert_int_equal(count[6], sent);
    free(got);
}

static void a_reader_that_goes_away_ends_the_capture_alone(void **state)
{
    int fd = reader();
    struct hook *h = hook("PcapNg", false, false, CAPTURE_INBOUND), *track = hook("Track", true, true, 0);
    struct hook *next;

    (void)state;
    push(5);
    close(fd);
    for (int i = 0; counters(h).alive && i < 5000; i++)
        usleep(1000);
    assert_false(counters(h).alive);
    push(5);
    assert_int_equal(counters(track).packets, 10);
    fd = reader(); /* the same pipe again: a capture of its own */
    next = hook("TcpDump", false, false, 0);
    push(1);
    hook_destroy(&dp, next);
    hook_destroy(&dp, h);
    hook_destroy(&dp, track);
    assert_int_equal(read_all(fd, (uint8_t[4096]){0}, 4096), 24 + 16 + FRAME_BYTES);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_plain_track_is_counted_inline),
        CASE(tracks_beside_each_other_count_each_what_it_was_told_to),
        CASE(a_link_made_later_finds_the_hook_at_its_input_gate),
        CASE(hooks_outlive_their_gate_without_harm),
        CASE(a_gate_that_is_not_there_is_refused),
        CASE(a_pipe_without_reader_or_no_pipe_at_all_is_refused),
        CASE(tcpdump_writes_a_pcap_stream),
        CASE(pcapng_hooks_on_one_pipe_share_a_capture),
        CASE(a_frame_in_pieces_is_captured_whole),
        CASE(a_reader_that_stands_still_loses_packets_which_are_counted),
        CASE(a_reader_that_goes_away_ends_the_capture_alone),
    };
    char prefix[32];
    struct eal_config cfg = {.file_prefix = prefix, .mem_mb = 64, .n_buffers = N_BUFFERS, .log_fd = -1};
    int ret;

    snprintf(prefix, sizeof(prefix), "vportd-hooks-%d", getpid());
    snprintf(fifo, sizeof(fifo), "/tmp/vportd-hooks-%d.fifo", getpid());
    if (eal_start(&cfg, &dp.pool, &why) != 0) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    ret = cmocka_run_group_tests_name("dataplane/hooks", tests, NULL, NULL);
    eal_stop();
    return ret;
}
