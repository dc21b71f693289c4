/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How many packets per second can one core hash and hand to N rings? Frames of 64 bytes of random flows go
 * through steer_distribute() in bursts of 32. They are taken in turn from so many buffers of 2 KB: 8192 (the
 * default) come from the second and third level of cache, as frames do that a device or vhost has just
 * written; 131072 come from memory.
 * "alone": the same thread empties the rings, so that the figure is the cost of distributing and of taking.
 * "threads": a consumer thread for every ring; with more threads than cores that says nothing about scaling.
 * Usage: bench_steer [--json] [--rings N] [--seconds S] [--frames N] [--threads]. */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/prng.h"
#include "steer/steer_testkit.h"

#define FRAME_ROOM 2048u /* as a packet pool lays them out */
#define BURST 32u
#define FLOWS 4096u
#define MAX_RINGS 8u

struct bench {
    struct steer *s;
    unsigned rings;
    unsigned frames;
    struct pkt *pkt; /* [frames] */
    uint8_t *mem;
    atomic_bool stop;
};

struct consumer {
    struct bench *b;
    unsigned index;
    uint64_t frames;
};

struct result {
    const char *mode;
    unsigned rings, threads;
    double mpps, cycles_distribute, cycles_both; /* per frame */
    uint64_t dropped;
};

static void no_release(struct pkt *p)
{
    (void)p;
}

static double clock_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_frames(struct bench *b)
{
    struct prng rnd = {1};

    b->mem = aligned_alloc(4096, (size_t)b->frames * FRAME_ROOM);
    b->pkt = calloc(b->frames, sizeof(*b->pkt));
    if (!b->mem || !b->pkt)
        abort();
    memset(b->mem, 0, (size_t)b->frames * FRAME_ROOM);
    for (unsigned i = 0; i < b->frames; i++) {
        uint32_t flow = (uint32_t)prng_below(&rnd, FLOWS);
        struct steer_flow f = {IP_PROTO_TCP, 0x0a000001, 0x0a000002 + flow % 7, 80, (uint16_t)(20000 + flow)};
        struct pkt *p = &b->pkt[i];

        *p = (struct pkt){.buf = b->mem + (size_t)i * FRAME_ROOM, .size = FRAME_ROOM, .release = no_release};
        p->data = p->buf + PKT_HEADROOM;
        p->len = kit_frame(p->data, &f, TCP_ACK);
    }
}

static void open_steer(struct bench *b)
{
    const struct steer_params params = {STEER_1KB, b->rings, 1, 1024, 1024, 32768, 60999, {0}};

    if (steer_create(&params, &b->s) != ST_OK)
        abort();
    for (unsigned w = 0; w < b->rings; w++)
        steer_join(b->s, w, NULL, NULL);
}

static void close_steer(struct bench *b)
{
    for (unsigned w = 0; w < b->rings; w++)
        steer_leave(b->s, w);
    steer_destroy(b->s);
}

/* The next burst of the frames in turn, as a device would hand it over. */
static void next_burst(struct bench *b, unsigned *at, struct pkt **frames)
{
    for (unsigned i = 0; i < BURST; i++)
        frames[i] = &b->pkt[(*at + i) % b->frames];
    *at = (*at + BURST) % b->frames;
}

static uint64_t empty_ring(struct bench *b, unsigned w)
{
    struct pkt *frames[64];
    uint64_t sum = 0;
    unsigned n;

    while ((n = steer_take(b->s, w, frames, 64)) > 0)
        sum += n;
    return sum;
}

static uint64_t dropped(const struct bench *b)
{
    struct steer_counters c;
    uint64_t sum = 0;

    for (unsigned w = 0; w < b->rings; w++) {
        steer_get_counters(b->s, w, &c);
        sum += c.drop_ring_full;
    }
    return sum;
}

static uint64_t distribute_burst(struct bench *b, struct pkt **frames)
{
    uint64_t start;

    if (!steer_rx_enter(b->s, 0))
        abort();
    start = __rdtsc();
    steer_distribute(b->s, 0, STEER_NOBODY, frames, BURST);
    steer_rx_leave(b->s, 0);
    return __rdtsc() - start;
}

/* Distributes 8 bursts, then empties all rings, on one thread. */
static struct result run_alone(struct bench *b, double seconds)
{
    uint64_t sent = 0, taken = 0, cycles = 0, start = __rdtsc();
    double begin = clock_s(), took;
    struct pkt *frames[BURST];
    unsigned at = 0;

    do {
        for (unsigned n = 0; n < 1024; n++) {
            next_burst(b, &at, frames);
            cycles += distribute_burst(b, frames);
            sent += BURST;
            if (n % 8 == 7)
                for (unsigned w = 0; w < b->rings; w++)
                    taken += empty_ring(b, w);
        }
        took = clock_s() - begin;
    } while (took < seconds);
    if (taken + dropped(b) != sent)
        abort();
    return (struct result){"alone",
                           b->rings,
                           1,
                           (double)sent / took / 1e6,
                           (double)cycles / (double)sent,
                           (double)(__rdtsc() - start) / (double)sent,
                           dropped(b)};
}

static void *consume(void *arg)
{
    struct consumer *c = arg;

    while (!atomic_load_explicit(&c->b->stop, memory_order_relaxed)) {
        uint64_t n = empty_ring(c->b, c->index);

        c->frames += n;
        if (n == 0)
            sched_yield();
    }
    c->frames += empty_ring(c->b, c->index);
    return NULL;
}

static struct result run_threads(struct bench *b, double seconds)
{
    struct consumer c[MAX_RINGS] = {0};
    pthread_t thread[MAX_RINGS];
    uint64_t sent = 0, taken = 0, cycles = 0;
    struct pkt *frames[BURST];
    double begin, took;
    unsigned at = 0;

    atomic_store(&b->stop, false);
    for (unsigned w = 0; w < b->rings; w++) {
        c[w] = (struct consumer){b, w, 0};
        if (pthread_create(&thread[w], NULL, consume, &c[w]) != 0)
            abort();
    }
    begin = clock_s();
    do {
        for (unsigned n = 0; n < 1024; n++) {
            next_burst(b, &at, frames);
            cycles += distribute_burst(b, frames);
            sent += BURST;
        }
        took = clock_s() - begin;
    } while (took < seconds);
    atomic_store(&b->stop, true);
    for (unsigned w = 0; w < b->rings; w++) {
        pthread_join(thread[w], NULL);
        taken += c[w].frames;
    }
    return (struct result){"threads",
                           b->rings,
                           b->rings + 1,
                           (double)taken / took / 1e6,
                           (double)cycles / (double)sent,
                           took * 1e9 / (double)(taken ? taken : 1),
                           dropped(b)};
}

static void print_result(const struct result *r, bool json, bool first)
{
    const bool measured = r->threads <= (unsigned)sysconf(_SC_NPROCESSORS_ONLN);

    if (json) {
        printf("%s{\"mode\":\"%s\",\"rings\":%u,\"threads\":%u,\"mpps\":%.2f,\"cycles_distribute\":%.1f,"
               "\"dropped\":%" PRIu64 ",\"scaling_measured\":%s}",
               first ? "" : ",\n  ", r->mode, r->rings, r->threads, r->mpps, r->cycles_distribute, r->dropped,
               measured ? "true" : "false");
        return;
    }
    printf("%-8s %u rings: %6.2f Mpps, %5.1f cycles/frame to hash and enqueue", r->mode, r->rings, r->mpps,
           r->cycles_distribute);
    if (r->threads == 1)
        printf(", %5.1f with dequeueing", r->cycles_both);
    printf(", %" PRIu64 " dropped%s\n", r->dropped,
           measured ? "" : "; more threads than cores: scaling is not measured");
}

static int usage(void)
{
    fprintf(stderr,
            "usage: bench_steer [--json] [--rings N (1..%u)] [--seconds S] [--frames N] [--threads]\n",
            MAX_RINGS);
    return 2;
}

int main(int argc, char **argv)
{
    static struct bench b = {.frames = 8192};
    unsigned from = 1, to = 4;
    bool json = false, threads = false, first = true;
    double seconds = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--threads") == 0)
            threads = true;
        else if (strcmp(argv[i], "--rings") == 0 && i + 1 < argc)
            from = to = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--frames") == 0 && i + 1 < argc)
            b.frames = (unsigned)atoi(argv[++i]);
        else
            return usage();
    }
    if (from < 1 || to > MAX_RINGS || seconds <= 0 || b.frames < BURST || b.frames > 1u << 20)
        return usage();
    make_frames(&b);
    printf("%s", json ? "[\n  " : "");
    for (b.rings = from; b.rings <= to; b.rings++) {
        struct result r;

        open_steer(&b);
        r = threads ? run_threads(&b, seconds) : run_alone(&b, seconds);
        print_result(&r, json, first);
        first = false;
        close_steer(&b);
    }
    printf("%s", json ? "\n]\n" : "");
    free(b.pkt);
    free(b.mem);
    return 0;
}
