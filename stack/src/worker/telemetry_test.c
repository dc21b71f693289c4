/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The memory file of mtcpstat: its layout, a reader beside a writer, and what a running stack writes. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "netif/pair.h"
#include "worker/worker_priv.h"

/* The interface comes from the test. */
enum status stack_open_netif(const struct config *cfg, unsigned num_cores, struct log *log,
                             struct netif **out)
{
    (void)cfg, (void)num_cores, (void)log, (void)out;
    return ST_NO_DEVICE;
}

/* ---- a reader that knows the header alone ---- */

struct reader {
    const struct mtcp_stat_header *h;
    size_t bytes;
};

/** Finds the file as mtcpstat does: among the open files of the process. */
static bool reader_open(struct reader *r)
{
    DIR *dir = opendir("/proc/self/fd");
    bool found = false;

    for (struct dirent *e; !found && (e = readdir(dir));) {
        char path[300], target[300] = "";
        struct stat st;
        int fd;

        snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
        if (readlink(path, target, sizeof(target) - 1) < 0 ||
            strncmp(target, "/memfd:" MTCP_STAT_FILE, strlen("/memfd:" MTCP_STAT_FILE)))
            continue;
        fd = open(path, O_RDONLY);
        assert_int_equal(fstat(fd, &st), 0);
        r->bytes = (size_t)st.st_size;
        r->h = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        assert_ptr_not_equal(r->h, MAP_FAILED);
        found = true;
    }
    closedir(dir);
    return found;
}

static void reader_close(struct reader *r)
{
    munmap((void *)r->h, r->bytes);
}

static const struct mtcp_stat_thread *thread_at(const struct reader *r, unsigned i)
{
    return (const struct mtcp_stat_thread *)((const char *)r->h + r->h->threads_offset +
                                             (size_t)i * r->h->thread_bytes);
}

static uint64_t value(const struct reader *r, unsigned thread, const char *name)
{
    uint64_t values[1000];
    struct mtcp_stat_moment moment;

    assert_true(r->h->num_counters <= 1000);
    assert_true(mtcp_stat_read(thread_at(r, thread), values, r->h->num_counters, &moment));
    for (unsigned i = 0; i < r->h->num_counters; i++)
        if (!strcmp((const char *)r->h + r->h->names_offset + (size_t)i * MTCP_STAT_NAME_LEN, name))
            return values[i];
    fail_msg("no counter %s", name);
    return 0;
}

/* ---- the file alone ---- */

#define MANY 40u

static void make_file(struct stat_file *f)
{
    struct mtcp_stat_header head = {.num_threads = 2, .num_counters = MANY, .num_buckets = 3};
    const char *names[MANY];

    for (unsigned i = 0; i < MANY; i++)
        names[i] = "first";
    assert_int_equal(stat_file_create(f, &head, names), ST_OK);
}

static void the_layout_fits(void **state)
{
    struct stat_file f;

    (void)state;
    make_file(&f);
    assert_true(f.header->magic == MTCP_STAT_MAGIC);
    assert_int_equal(f.header->version, MTCP_STAT_VERSION);
    assert_true(f.header->names_offset >= sizeof(struct mtcp_stat_header));
    assert_true(f.header->threads_offset >= f.header->names_offset + MANY * MTCP_STAT_NAME_LEN);
    assert_true(f.header->buckets_offset >= f.header->threads_offset + 2 * f.header->thread_bytes);
    assert_true(f.bytes >= f.header->buckets_offset + 3u);
    assert_string_equal((char *)f.header + f.header->names_offset + 39 * MTCP_STAT_NAME_LEN, "first");
    assert_int_equal(ftruncate(f.fd, 10), -1); /* sealed */
    stat_file_close(&f);
}

static atomic_bool stop;

static void *write_for_ever(void *arg)
{
    struct mtcp_stat_thread *t = arg;
    uint64_t values[MANY];

    for (uint64_t n = 1; !atomic_load(&stop); n++) {
        for (unsigned i = 0; i < MANY; i++)
            values[i] = n;
        stat_begin(t);
        stat_set(t, 0, values, MANY / 2);
        stat_set(t, MANY / 2, values, MANY - MANY / 2);
        stat_end(t, true, n);
    }
    return NULL;
}

static void a_reader_sees_whole_moments(void **state)
{
    struct mtcp_stat_moment m;
    uint64_t values[MANY], last = 0;
    struct stat_file f;
    unsigned seen = 0;
    pthread_t id;

    (void)state;
    make_file(&f);
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&id, NULL, write_for_ever, stat_file_thread(&f, 1)), 0);
    while (seen < 100) {
        if (!mtcp_stat_read(stat_file_thread(&f, 1), values, MANY, &m) || m.updated_us == last)
            continue;
        for (unsigned i = 0; i < MANY; i++)
            if (values[i] != m.updated_us)
                fail_msg("counter %u is %llu at moment %llu", i, (unsigned long long)values[i],
                         (unsigned long long)m.updated_us);
        assert_true(m.updated_us > last && m.present);
        last = m.updated_us;
        seen++;
    }
    atomic_store(&stop, true);
    pthread_join(id, NULL);
    stat_file_close(&f);
}

/* ---- a stack ---- */

struct end {
    struct config cfg;
    struct mtcp_stack *stack;
    struct netif *far;
};

static void open_stack(struct end *e, enum config_distribution distribution, unsigned cores, unsigned queues)
{
    struct netif_params p = {.num_queues = queues, .mtu = 1500};
    struct log log = {.level = LOG_ERROR, .sink = log_stderr};
    struct netif *near;

    config_defaults(&e->cfg);
    e->cfg.has_address = true;
    e->cfg.address = 0x0a000001;
    e->cfg.prefix_len = 24;
    e->cfg.max_concurrency = 16;
    e->cfg.num_cores = cores;
    e->cfg.distribution = distribution;
    assert_int_equal(pair_open(&p, &near, &e->far), ST_OK);
    assert_int_equal(stack_create(&e->cfg, near, &log, &e->stack), ST_OK);
}

static void close_stack(struct end *e)
{
    stack_destroy(e->stack);
    e->far->ops->close(e->far);
    config_free(&e->cfg);
}

static void print_to(void *ctx, const char *text)
{
    struct reader *r = ctx;
    char name[64];
    unsigned long long want;

    assert_int_equal(sscanf(text, "%63s %llu", name, &want), 2);
    if (strncmp(name, "netif.", 6)) /* those stand in the interface's part */
        assert_int_equal(value(r, 0, name), want);
}

static void a_worker_shows_all_its_counters(void **state)
{
    struct reader r;
    struct worker *w;
    struct end e;

    (void)state;
    open_stack(&e, CONFIG_DISTRIBUTION_AUTO, 1, 1);
    assert_true(reader_open(&r));
    assert_string_equal(r.h->design, "direct");
    assert_string_equal(r.h->reason, "auto: one core, nothing to distribute");
    assert_int_equal(r.h->num_workers, 1);
    assert_int_equal(r.h->num_threads, 2);
    assert_int_equal(r.h->num_buckets, 0);
    assert_int_equal(thread_at(&r, 0)->present, 0);
    assert_int_equal(thread_at(&r, 1)->kind, MTCP_STAT_INTERFACE);
    assert_int_equal(stack_take_worker(e.stack, &w), ST_OK);
    for (int i = 0; i < 50; i++)
        worker_round(w);
    assert_int_equal(thread_at(&r, 0)->present, 1);
    assert_true(value(&r, 0, "worker.rounds") >= 1);
    w->stat_next_us = 0;
    worker_round(w); /* now what is shown is what there is */
    assert_int_equal(value(&r, 0, "worker.rounds"), w->cnt.rounds);
    worker_print_counters(w, print_to, &r);
    assert_int_equal(value(&r, 1, "netif.tx_packets"), 1); /* the announcement of our address */
    stack_give_worker(w, 0);
    assert_int_equal(thread_at(&r, 0)->present, 0);
    close_stack(&e);
    reader_close(&r);
    assert_false(reader_open(&r)); /* nothing is left */
}

static uint64_t cycles_told(const struct reader *r, unsigned thread)
{
    return value(r, thread, "worker.cycles_receive") + value(r, thread, "worker.cycles_steer") +
           value(r, thread, "worker.cycles_protocol") + value(r, thread, "worker.cycles_transmit") +
           value(r, thread, "worker.cycles_application") + value(r, thread, "worker.cycles_idle");
}

/** A part of the time since then, by the clock that is shown beside it. */
static void shows_where_cycles_go(const struct reader *r, unsigned thread, uint64_t begin)
{
    uint64_t told = cycles_told(r, thread);

    assert_true(told > 0 && told <= value(r, thread, "clock.cycles") - begin);
    assert_in_range(value(r, thread, "clock.us"), worker_clock_us() - 10000000, worker_clock_us());
}

static void a_dedicated_thread_shows_its_own(void **state)
{
    uint64_t begin = cycles_now();
    struct reader r;
    struct worker *w;
    struct end e;

    (void)state;
    open_stack(&e, CONFIG_DISTRIBUTION_2KB, 4, 1);
    assert_true(reader_open(&r));
    assert_string_equal(r.h->design, "2kb");
    assert_int_equal(r.h->num_workers, 2);
    assert_int_equal(r.h->num_dedicated, 2);
    assert_int_equal(r.h->num_threads, 5);
    assert_int_equal(r.h->num_buckets, STEER_BUCKETS);
    assert_int_equal(thread_at(&r, 2)->kind, MTCP_STAT_RECEIVER);
    assert_int_equal(thread_at(&r, 3)->kind, MTCP_STAT_TRANSMITTER);
    assert_int_equal(stack_take_worker(e.stack, &w), ST_OK);
    while (value(&r, 3, "worker.tx_from_rings") == 0) /* the announcement */
        worker_round(w);
    assert_int_equal(value(&r, 2, "worker.tx_from_rings"), 0);
    assert_true(value(&r, 3, "worker.tx_ring_bursts") >= 1);
    while (!cycles_told(&r, 0) || !cycles_told(&r, 2) || !cycles_told(&r, 3))
        worker_round(w);
    shows_where_cycles_go(&r, 0, begin);
    shows_where_cycles_go(&r, 2, begin);
    shows_where_cycles_go(&r, 3, begin);
    for (unsigned b = 0; b < STEER_BUCKETS; b++)
        assert_int_equal(((const uint8_t *)r.h)[r.h->buckets_offset + b],
                         steer_bucket_worker(e.stack->steer, b));
    stack_give_worker(w, 0);
    close_stack(&e);
    reader_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_fits),
        cmocka_unit_test(a_reader_sees_whole_moments),
        cmocka_unit_test(a_worker_shows_all_its_counters),
        cmocka_unit_test(a_dedicated_thread_shows_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
