/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See report.h. */
#include "mtcpstat/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

/** What a thread spends its cycles on. */
static const char *const cycles[] = {"receive", "steer", "protocol", "transmit", "application", "idle"};
#define NUM_CYCLES (sizeof(cycles) / sizeof(cycles[0]))

/** A stack and the time between two looks at it. */
struct span {
    const struct stack_file *f;
    const struct sample *from, *to;
    double seconds;
};

static struct span span_of(const struct stack_file *f, const struct sample *from, const struct sample *to)
{
    return (struct span){f, from, to, (double)(to->at_us - from->at_us) / 1e6};
}

static uint64_t now(const struct span *s, uint32_t thread, const char *name)
{
    return sample_value(s->to, s->f, thread, stack_file_counter(s->f, name));
}

static uint64_t gain(const struct span *s, uint32_t thread, const char *name)
{
    uint32_t counter = stack_file_counter(s->f, name);
    uint64_t before = sample_value(s->from, s->f, thread, counter);
    uint64_t after = sample_value(s->to, s->f, thread, counter);

    return after > before ? after - before : 0; /* another worker may have begun in between */
}

/** Per second, by the thread's own clock: it may have written its counters some time ago. */
static double rate(const struct span *s, uint32_t thread, const char *name)
{
    double us = (double)(s->to->moment[thread].updated_us - s->from->moment[thread].updated_us);

    return us > 0 ? (double)gain(s, thread, name) * 1e6 / us : 0;
}

/** Cycles a second by the clock of the threads' cycles: of the first thread that has shown both twice. */
static double cycles_per_second(const struct span *s)
{
    for (uint32_t i = 0; i < s->f->header.num_threads; i++) {
        uint64_t us = gain(s, i, "clock.us");

        if (us > 0)
            return (double)gain(s, i, "clock.cycles") * 1e6 / (double)us;
    }
    return 0;
}

/** What part of the thread's cycles each kind took; all 0 when the thread did not run. */
static void shares(const struct span *s, uint32_t thread, double *share)
{
    double sum = 0;
    char name[MTCP_STAT_NAME_LEN];

    for (size_t i = 0; i < NUM_CYCLES; i++) {
        snprintf(name, sizeof(name), "worker.cycles_%s", cycles[i]);
        share[i] = (double)gain(s, thread, name);
        sum += share[i];
    }
    for (size_t i = 0; i < NUM_CYCLES; i++)
        share[i] = sum > 0 ? share[i] / sum : 0;
}

/** All that was dropped since the thread began: every counter whose name says so. */
static uint64_t drops(const struct span *s, uint32_t thread)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->f->header.num_counters; i++) {
        const char *name = strchr(stack_file_name(s->f, i), '.');

        if (name &&
            (!strncmp(name, ".drop_", 6) || !strcmp(name, ".rx_dropped") || !strcmp(name, ".tx_dropped")))
            sum += sample_value(s->to, s->f, thread, i);
    }
    return sum;
}

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {"worker", "distributor", "receiver", "transmitter", "interface"};

    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "thread";
}

static bool is_kind(const struct span *s, uint32_t thread, enum mtcp_stat_kind kind)
{
    return stack_file_thread(s->f, thread)->kind == kind;
}

/* ---- for people ---- */

static void row(const struct span *s, uint32_t i)
{
    const struct mtcp_stat_thread *t = stack_file_thread(s->f, i);
    bool worker = t->kind == MTCP_STAT_WORKER;
    double share[NUM_CYCLES];
    char name[32];

    snprintf(name, sizeof(name), worker ? "%s %u" : "%s", kind_name(t->kind), t->index);
    if (!s->to->moment[i].present) {
        printf("  %-12s (not there)\n", name);
        return;
    }
    shares(s, i, share);
    printf("  %-12s %9.0f %9.0f %9.0f %9.0f %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %8" PRIu64 " %7" PRIu64
           " |",
           name, rate(s, i, "worker.rx_frames"),
           worker ? rate(s, i, "worker.tx_frames") : rate(s, i, "worker.tx_from_rings"),
           rate(s, i, "worker.rx_polled"), rate(s, i, "worker.rx_ring_frames"), now(s, i, "ring.waiting"),
           now(s, i, "ring.most"), now(s, i, "transmit.waiting"), drops(s, i), now(s, i, "tcp.connections"));
    for (size_t k = 0; k < NUM_CYCLES; k++)
        printf(" %5.1f", 100 * share[k]);
    printf("\n");
}

static void interface_row(const struct span *s, uint32_t i)
{
    printf("  %-12s %9.0f %9.0f packets/s, %.3f and %.3f Gbit/s; lost since the start: %" PRIu64
           " received, %" PRIu64 " sent, %" PRIu64 " without a worker\n",
           "interface", rate(s, i, "netif.rx_packets"), rate(s, i, "netif.tx_packets"),
           rate(s, i, "netif.rx_bytes") * 8e-9, rate(s, i, "netif.tx_bytes") * 8e-9,
           now(s, i, "netif.rx_dropped"), now(s, i, "netif.tx_dropped"), now(s, i, "steer.drop_absent"));
}

static void bucket_rows(const struct stack_file *f)
{
    const uint8_t *b = stack_file_buckets(f);

    for (uint32_t i = 0; i < f->header.num_buckets; i++)
        printf("%s%2u%s", i % 32 ? " " : "  buckets ", __atomic_load_n(&b[i], __ATOMIC_RELAXED),
               i % 32 == 31 ? "\n" : "");
}

void report_table(const struct stack_file *f, const struct sample *from, const struct sample *to,
                  bool buckets)
{
    const struct mtcp_stat_header *h = &f->header;
    struct span s = span_of(f, from, to);

    printf("%s (pid %d) on %s: distribution %s, %u worker(s), %u thread(s) besides, %u queue(s) (%s)\n",
           f->command, (int)f->pid, h->port[0] ? h->port : "-", h->design, h->num_workers, h->num_dedicated,
           h->num_queues, h->reason);
    printf("  %-12s %9s %9s %9s %9s %6s %6s %6s %8s %7s |", "", "rx/s", "tx/s", "polled/s", "rings/s", "wait",
           "most", "unsent", "drops", "conns");
    printf(" %% of cycles:");
    for (size_t k = 0; k < NUM_CYCLES; k++)
        printf(" %s", cycles[k]);
    printf("\n");
    for (uint32_t i = 0; i < h->num_threads; i++) {
        if (is_kind(&s, i, MTCP_STAT_INTERFACE))
            interface_row(&s, i);
        else
            row(&s, i);
    }
    if (buckets)
        bucket_rows(f);
    fflush(stdout);
}

/* ---- for programs ---- */

static void json_rates(struct json *j, const struct span *s, uint32_t i)
{
    static const char *const rates[][2] = {
        {"rxFrames", "worker.rx_frames"},        {"rxBytes", "worker.rx_bytes"},
        {"txFrames", "worker.tx_frames"},        {"txBytes", "worker.tx_bytes"},
        {"polled", "worker.rx_polled"},          {"rxBursts", "worker.rx_bursts"},
        {"rings", "worker.rx_ring_frames"},      {"ringBursts", "worker.rx_ring_bursts"},
        {"fromTxRings", "worker.tx_from_rings"}, {"rxPackets", "netif.rx_packets"},
        {"txPackets", "netif.tx_packets"},
    };

    json_open(j, "rates", '{');
    for (size_t k = 0; k < sizeof(rates) / sizeof(rates[0]); k++)
        json_double(j, rates[k][0], rate(s, i, rates[k][1]));
    json_close(j, '}');
}

static void json_thread(struct json *j, const struct span *s, uint32_t i)
{
    const struct mtcp_stat_thread *t = stack_file_thread(s->f, i);
    double share[NUM_CYCLES];

    json_open(j, NULL, '{');
    json_str(j, "kind", kind_name(t->kind));
    json_u64(j, "index", t->index);
    json_bool(j, "present", s->to->moment[i].present);
    json_double(j, "age", (double)(s->to->at_us - s->to->moment[i].updated_us) / 1e6);
    json_u64(j, "drops", drops(s, i));
    json_rates(j, s, i);
    shares(s, i, share);
    json_open(j, "cycles", '{');
    for (size_t k = 0; k < NUM_CYCLES; k++)
        json_double(j, cycles[k], share[k]);
    json_close(j, '}');
    json_open(j, "counters", '{');
    for (uint32_t c = 0; c < s->f->header.num_counters; c++)
        if (sample_value(s->to, s->f, i, c) != 0)
            json_u64(j, stack_file_name(s->f, c), sample_value(s->to, s->f, i, c));
    json_close(j, '}');
    json_close(j, '}');
}

void report_json(const struct stack_file *f, const struct sample *from, const struct sample *to, bool buckets)
{
    const struct mtcp_stat_header *h = &f->header;
    struct json *j = malloc(sizeof(*j));
    struct span s = span_of(f, from, to);

    if (!j)
        return;
    json_begin(j, "stack", "mtcpstat");
    json_u64(j, "pid", (uint64_t)f->pid);
    json_str(j, "command", f->command);
    json_str(j, "port", h->port);
    json_str(j, "distribution", h->design);
    json_str(j, "reason", h->reason);
    json_u64(j, "workers", h->num_workers);
    json_u64(j, "dedicated", h->num_dedicated);
    json_u64(j, "queues", h->num_queues);
    json_double(j, "seconds", s.seconds);
    json_double(j, "cyclesPerSecond", cycles_per_second(&s));
    json_open(j, "threads", '[');
    for (uint32_t i = 0; i < h->num_threads; i++)
        json_thread(j, &s, i);
    json_close(j, ']');
    if (buckets) {
        json_open(j, "buckets", '[');
        for (uint32_t i = 0; i < h->num_buckets; i++)
            json_u64(j, NULL, __atomic_load_n(&stack_file_buckets(f)[i], __ATOMIC_RELAXED));
        json_close(j, ']');
    }
    json_end(j);
    free(j);
}
