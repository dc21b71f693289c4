/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The matrix: loss, delay, reordering and duplication, one way and both ways, 1,000 seeds spread over the
 * cells. Every stream must arrive intact, every connection close within a bounded virtual time, and nothing
 * be left over. The medians of the throughput are compared with golden/tcp_matrix.txt: a change of TCP that
 * moves them shows in the diff. VNFLAB_GOLDEN=update writes the file anew. VNFLAB_SEED=n runs one seed, with
 * VNFLAB_TRACE=1 it prints its segments. */
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "testing/world.h"

#define GOLDEN_FILE TESTING_DIR "/golden/tcp_matrix.txt"
#define TABLE_BYTES 8192
#define LIMIT_US (3600ull * 1000000)
#define LINE_BITS_PER_S 100000000u

static const unsigned losses[] = {0, 1, 5, 10, 20, 30};         /* percent */
static const unsigned delays[] = {0, 1, 10, 100};               /* milliseconds, each way */
static const unsigned sizes[] = {2000, 2000, 500, 200, 50, 50}; /* KB of a stream, by loss */
enum { LOSSES = 6, DELAYS = 4, ORDERS = 2, WAYS = 2 };          /* in order or not; one way or both */
enum { CELLS = LOSSES * DELAYS * ORDERS * WAYS };

#if defined(__SANITIZE_ADDRESS__)
enum { SEEDS = 96, GOLDEN = 0 }; /* slow build: one seed a cell, no medians */
#else
enum { SEEDS = 1056, GOLDEN = 1 };
#endif
enum { SEEDS_PER_CELL = SEEDS / CELLS };

/** A seed tells everything: which cell, and what happens there. */
static void params_of(unsigned seed, struct world_params *p)
{
    unsigned cell = seed % CELLS, both = cell % WAYS, order = cell / WAYS % ORDERS;
    unsigned delay = cell / (WAYS * ORDERS) % DELAYS, loss = cell / (WAYS * ORDERS * DELAYS);
    unsigned sender = seed / CELLS % 2;

    *p = (struct world_params){.seed = seed, .limit_us = LIMIT_US};
    for (unsigned i = 0; i < 2; i++) {
        struct fault_params *f = &p->link[i].fault;

        fault_params_defaults(f);
        f->seed = 2 * seed + i;
        f->loss = losses[loss] / 100.0;
        f->delay_us = delays[delay] * 1000;
        f->reorder = order ? 0.1 : 0;
        f->reorder_us = 2000;
        f->dup = order ? 0.05 : 0;
        p->link[i].bits_per_s = LINE_BITS_PER_S;
        p->side[i].write_bytes = both || i == sender ? sizes[loss] * 1000ull : 0;
        p->side[i].rcvbuf = p->side[i].sndbuf = 262144;
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/** Bytes per virtual second of one direction. */
static uint64_t rate_of(const struct world_params *p, const struct world_result *r)
{
    uint64_t bytes = p->side[0].write_bytes ? p->side[0].write_bytes : p->side[1].write_bytes;

    return bytes * 1000000 / (r->transfer_us ? r->transfer_us : 1);
}

static void append(char *table, const char *fmt, ...)
{
    size_t len = strlen(table);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(table + len, TABLE_BYTES - len, fmt, ap);
    va_end(ap);
}

static void format_table(char *table, uint64_t rates[CELLS][SEEDS_PER_CELL])
{
    static const char *const order_text[] = {"in order", "10 % reordered, 5 % doubled"};
    static const char *const way_text[] = {"one way", "both ways"};

    append(table,
           "TCP on a line of 100 Mbit/s: median throughput of a stream in KB/s of virtual time over %d\n"
           "seeds a cell. Rows: loss each way. Columns: delay each way.\n",
           SEEDS_PER_CELL);
    for (unsigned group = 0; group < ORDERS * WAYS; group++) {
        append(table, "\n%s, %s\n  loss", order_text[group / WAYS], way_text[group % WAYS]);
        for (unsigned d = 0; d < DELAYS; d++)
            append(table, "%7u ms", delays[d]);
        for (unsigned l = 0; l < LOSSES; l++) {
            append(table, "\n%4u %%", losses[l]);
            for (unsigned d = 0; d < DELAYS; d++) {
                uint64_t *r = rates[(l * DELAYS + d) * ORDERS * WAYS + group];

                qsort(r, SEEDS_PER_CELL, sizeof(*r), by_value);
                append(table, "%10.1f", (double)r[SEEDS_PER_CELL / 2] / 1000);
            }
        }
        append(table, "\n");
    }
}

static void compare_with_golden(const char *table)
{
    const char *mode = getenv("VNFLAB_GOLDEN");
    char golden[TABLE_BYTES] = "";
    FILE *f = fopen(GOLDEN_FILE, mode && !strcmp(mode, "update") ? "w" : "r");

    if (!f)
        fail_msg("%s: cannot be opened; VNFLAB_GOLDEN=update makes it", GOLDEN_FILE);
    if (mode && !strcmp(mode, "update")) {
        fputs(table, f);
        fclose(f);
        return;
    }
    golden[fread(golden, 1, sizeof(golden) - 1, f)] = 0;
    fclose(f);
    if (strcmp(golden, table))
        fail_msg("the throughputs differ from %s; if that is meant: make golden, and review the diff",
                 GOLDEN_FILE);
}

static void test_matrix(void **state)
{
    static uint64_t rates[CELLS][SEEDS_PER_CELL];
    static char table[TABLE_BYTES];
    struct world_params p;
    struct world_result r;
    uint64_t slowest_us = 0, packets = 0, lost = 0;
    unsigned failed = 0;

    (void)state;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        params_of(seed, &p);
        world_run(&p, &r);
        rates[seed % CELLS][seed / CELLS] = rate_of(&p, &r);
        slowest_us = r.total_us > slowest_us ? r.total_us : slowest_us;
        packets += r.packets;
        lost += r.lost;
        if (!r.ok) {
            failed++;
            print_error("seed %u (loss %.2f, delay %" PRIu64 " us): %s\n", seed, p.link[0].fault.loss,
                        p.link[0].fault.delay_us, r.why);
        }
    }
    format_table(table, rates);
    /* Not to standard output, which is the report. */
    fprintf(stderr,
            "%s\n%u seeds, %u failed; %" PRIu64 " packets, %" PRIu64
            " lost; the slowest run took %.0f virtual s\n",
            table, SEEDS, failed, packets, lost, (double)slowest_us / 1e6);
    assert_int_equal(failed, 0);
    if (GOLDEN)
        compare_with_golden(table);
}

static int run_one(unsigned seed)
{
    struct world_params p;
    struct world_result r;

    params_of(seed, &p);
    p.trace = getenv("VNFLAB_TRACE");
    world_run(&p, &r);
    printf("seed %u: %s; transfer %.3f s, total %.3f s, %" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64
           " retransmitted, %" PRIu64 " timeouts, %" PRIu64 " fast retransmits, %u connects\n",
           seed, r.ok ? "ok" : r.why, (double)r.transfer_us / 1e6, (double)r.total_us / 1e6, r.packets,
           r.lost, r.retransmits, r.timeouts, r.fast_retransmits, r.connects);
    return !r.ok;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matrix)};
    const char *seed = getenv("VNFLAB_SEED");

    if (seed)
        return run_one((unsigned)strtoul(seed, NULL, 0));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
