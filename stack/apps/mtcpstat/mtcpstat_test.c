/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mtcpstat without a stack: a memory file made by hand as mtcp_stat.h says, of this very process, found,
 * checked and read; files that lie about themselves are refused. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "mtcpstat/report.h"

#define COUNTERS 6u
#define BYTES 8192u

static const char *const names[COUNTERS] = {"worker.rx_frames", "worker.cycles_idle", "worker.cycles_steer",
                                            "udp.drop_no_port", "clock.us",           "clock.cycles"};

struct made {
    int fd;
    struct mtcp_stat_header *h;
};

static struct mtcp_stat_thread *part(const struct made *m, unsigned i)
{
    return (struct mtcp_stat_thread *)((char *)m->h + m->h->threads_offset + (size_t)i * m->h->thread_bytes);
}

static struct made make(void)
{
    struct made m = {.fd = memfd_create(MTCP_STAT_FILE, MFD_CLOEXEC | MFD_ALLOW_SEALING)};

    assert_int_equal(ftruncate(m.fd, BYTES), 0);
    assert_int_equal(fcntl(m.fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    m.h = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, m.fd, 0);
    assert_ptr_not_equal(m.h, MAP_FAILED);
    *m.h = (struct mtcp_stat_header){.magic = MTCP_STAT_MAGIC,
                                     .version = MTCP_STAT_VERSION,
                                     .num_workers = 2,
                                     .num_queues = 1,
                                     .num_threads = 2,
                                     .num_counters = COUNTERS,
                                     .num_buckets = 3,
                                     .names_offset = 1024,
                                     .threads_offset = 2048,
                                     .thread_bytes = 128,
                                     .buckets_offset = 4096,
                                     .design = "shared",
                                     .reason = "because",
                                     .port = "p0"};
    for (unsigned i = 0; i < COUNTERS; i++)
        strcpy((char *)m.h + 1024 + i * MTCP_STAT_NAME_LEN, names[i]);
    part(&m, 0)->present = 1;
    part(&m, 1)->index = 1;
    ((uint8_t *)m.h)[4098] = 1;
    return m;
}

static void unmake(struct made *m)
{
    munmap(m->h, BYTES);
    close(m->fd);
}

static void set(struct made *m, uint64_t us, uint64_t rx, uint64_t idle, uint64_t steer, uint64_t drop)
{
    const uint64_t v[COUNTERS] = {rx, idle, steer, drop, us, us * 2600};

    memcpy(part(m, 0)->value, v, sizeof(v));
    part(m, 0)->updated_us = us;
}

/** What the reports print, caught by a file in place of standard output. */
static char *caught(void (*print)(const struct stack_file *, const struct sample *, const struct sample *,
                                  bool),
                    const struct stack_file *f, struct sample *s)
{
    static char text[65536];
    int saved = dup(STDOUT_FILENO), fd = memfd_create("caught", 0);
    ssize_t n;

    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    print(f, &s[0], &s[1], true);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    n = pread(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    close(saved);
    return text;
}

static void has(const char *text, const char *part_of_it)
{
    if (!strstr(text, part_of_it)) {
        print_error("not in what was printed: %s\n", part_of_it);
        fail();
    }
}

static void a_stack_is_found_and_told_of(void **state)
{
    struct made m = make();
    struct stack_file *f;
    struct sample s[2];
    const char *text;

    (void)state;
    assert_int_equal(stack_files_open(getpid(), &f), 1);
    assert_int_equal(f->pid, getpid());
    assert_int_equal(stack_file_counter(f, "udp.drop_no_port"), 3);
    assert_int_equal(stack_file_counter(f, "udp.drop"), COUNTERS);
    assert_true(sample_init(&s[0], f) && sample_init(&s[1], f));
    m.h->num_counters = UINT32_MAX; /* too late to fool us */
    set(&m, 1000000, 100, 1000, 1000, 2);
    sample_take(&s[0], f);
    set(&m, 1500000, 1100, 1750, 1250, 7);
    sample_take(&s[1], f);
    text = caught(report_json, f, s);
    has(text, "\"distribution\":\"shared\",\"reason\":\"because\",\"workers\":2");
    has(text, "\"cyclesPerSecond\":2600000000.0");
    has(text, "\"rxFrames\":2000");
    has(text, "\"clock.us\":1500000");
    has(text, "\"steer\":0.25");
    has(text, "\"idle\":0.75");
    has(text, "\"drops\":7");
    has(text, "\"udp.drop_no_port\":7");
    has(text, "\"buckets\":[0,0,1]");
    text = caught(report_table, f, s);
    has(text, "on p0: distribution shared, 2 worker(s)");
    has(text, "worker 0          2000");
    has(text, "worker 1     (not there)");
    sample_free(&s[0]);
    sample_free(&s[1]);
    stack_files_close(f, 1);
    unmake(&m);
    assert_int_equal(stack_files_open(getpid(), &f), 0);
}

static void a_part_being_written_is_not_believed(void **state)
{
    struct made m = make();
    struct mtcp_stat_moment moment = {0};
    uint64_t values[COUNTERS] = {5};

    (void)state;
    set(&m, 1, 1, 1, 1, 1);
    part(&m, 0)->seq = 3;
    assert_false(mtcp_stat_read(part(&m, 0), values, COUNTERS, &moment));
    part(&m, 0)->seq = 4;
    assert_true(mtcp_stat_read(part(&m, 0), values, COUNTERS, &moment));
    assert_int_equal(values[0], 1);
    unmake(&m);
}

static void a_file_that_lies_is_refused(void **state)
{
    struct made m = make();
    struct mtcp_stat_header good = *m.h;

    (void)state;
    assert_true(stack_file_valid(m.h, BYTES));
    assert_false(stack_file_valid(m.h, sizeof(*m.h) - 1));
    assert_false(stack_file_valid(m.h, 4096));
#define LIE(field, value)                           \
    do {                                            \
        m.h->field = value;                         \
        assert_false(stack_file_valid(m.h, BYTES)); \
        *m.h = good;                                \
    } while (0)
    LIE(magic, 1);
    LIE(version, 2);
    LIE(names_offset, UINT32_MAX);
    LIE(names_offset, BYTES - 1);
    LIE(threads_offset, 2044);
    LIE(threads_offset, BYTES - 128);
    LIE(thread_bytes, 8);
    LIE(thread_bytes, UINT32_MAX - 7);
    LIE(num_threads, 1000);
    LIE(num_counters, UINT32_MAX);
    LIE(num_buckets, BYTES);
    LIE(buckets_offset, UINT32_MAX);
#undef LIE
    memset(m.h->reason, 'x', sizeof(m.h->reason));
    assert_false(stack_file_valid(m.h, BYTES));
    unmake(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_is_found_and_told_of),
        cmocka_unit_test(a_part_being_written_is_not_believed),
        cmocka_unit_test(a_file_that_lies_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
