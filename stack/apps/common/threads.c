/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See threads.h. */
#include "common/threads.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define MEGABYTE (1024ul * 1024ul)
#define TICK_NS 20000000
#define SECOND_US 1000000u

struct job {
    pthread_t id;
    struct thread *thread;
    void (*run)(struct thread *t);
    atomic_bool ended;
};

int thread_wait(struct thread *t, int ep, struct mtcp_epoll_event *events, int max, int timeout_ms)
{
    int n = mtcp_epoll_wait(t->mctx, ep, events, max, timeout_ms);

    count(&t->counts.waits, 1);
    if (n < 0 && errno == EINTR)
        n = 0;
    if (n < 0) {
        app_complain(t->options, "mtcp_epoll_wait: %s", strerror(errno));
        t->failed = true;
        app_stop();
        return -1;
    }
    count(&t->counts.events, (unsigned long)n);
    return n;
}

static void *thread_main(void *arg)
{
    struct job *job = arg;
    struct thread *t = job->thread;

    t->mctx = app_context(t->options, t->core);
    if (t->mctx) {
        job->run(t);
        mtcp_destroy_context(t->mctx);
        t->mctx = NULL;
    } else {
        t->failed = true;
        app_stop();
    }
    atomic_store(&job->ended, true);
    return NULL;
}

static void add(struct thread_counts *to, const struct thread_counts *from)
{
    count(&to->waits, counted(&from->waits));
    count(&to->events, counted(&from->events));
    count(&to->connects, counted(&from->connects));
    count(&to->read_bytes, counted(&from->read_bytes));
    count(&to->write_bytes, counted(&from->write_bytes));
    count(&to->completes, counted(&from->completes));
    count(&to->errors, counted(&from->errors));
    count(&to->time_sum_us, counted(&from->time_sum_us));
    if (counted(&from->time_max_us) > counted(&to->time_max_us))
        atomic_store(&to->time_max_us, counted(&from->time_max_us));
}

void threads_sum(const struct thread *threads, int n, struct thread_counts *out)
{
    *out = (struct thread_counts){0};
    for (int i = 0; i < n; i++)
        add(out, &threads[i].counts);
}

/** What came between two looks at the counters; the longest time is that of the whole run. */
static void difference(struct thread_counts *d, const struct thread_counts *now,
                       const struct thread_counts *before)
{
    d->waits = counted(&now->waits) - counted(&before->waits);
    d->events = counted(&now->events) - counted(&before->events);
    d->connects = counted(&now->connects) - counted(&before->connects);
    d->read_bytes = counted(&now->read_bytes) - counted(&before->read_bytes);
    d->write_bytes = counted(&now->write_bytes) - counted(&before->write_bytes);
    d->completes = counted(&now->completes) - counted(&before->completes);
    d->time_sum_us = counted(&now->time_sum_us) - counted(&before->time_sum_us);
    d->time_max_us = counted(&now->time_max_us);
}

static unsigned long average_us(const struct thread_counts *c)
{
    return counted(&c->completes) ? counted(&c->time_sum_us) / counted(&c->completes) : 0;
}

static void print_second(const struct app_options *o, const struct thread *threads, int n,
                         struct thread_counts *before)
{
    struct thread_counts all = {0}, d;

    for (int i = 0; i < n; i++) {
        const struct thread_counts *now = &threads[i].counts;

        difference(&d, now, &before[i]);
        app_say(o,
                "[CPU %2d] epoll_wait: %5lu, event: %7lu, connect: %7lu, read: %4lu MB, write: %4lu MB, "
                "completes: %7lu (resp_time avg: %4lu, max: %6lu us)",
                threads[i].core, d.waits, d.events, d.connects, d.read_bytes / MEGABYTE,
                d.write_bytes / MEGABYTE, d.completes, average_us(&d), d.time_max_us);
        add(&all, &d);
        before[i] = (struct thread_counts){0};
        add(&before[i], now);
    }
    app_say(o,
            "[ ALL ] connect: %7lu, read: %4lu MB, write: %4lu MB, completes: %7lu (resp_time avg: %4lu, "
            "max: %6lu us)",
            all.connects, all.read_bytes / MEGABYTE, all.write_bytes / MEGABYTE, all.completes,
            average_us(&all), all.time_max_us);
}

static bool all_ended(const struct job *jobs, int n)
{
    for (int i = 0; i < n; i++)
        if (!atomic_load(&jobs[i].ended))
            return false;
    return true;
}

/** Prints once a second while the threads run. */
static void watch(const struct app_options *o, const struct thread *threads, const struct job *jobs, int n)
{
    struct thread_counts before[THREADS_MAX] = {0};
    uint64_t next_us = app_now_us() + SECOND_US;

    while (!all_ended(jobs, n)) {
        struct timespec tick = {.tv_nsec = TICK_NS};

        nanosleep(&tick, NULL);
        if (app_now_us() < next_us)
            continue;
        print_second(o, threads, n, before);
        next_us += SECOND_US;
    }
}

bool threads_run(const struct app_options *o, struct thread *threads, const int *cores, int n,
                 void (*run)(struct thread *t))
{
    struct job jobs[THREADS_MAX] = {0};
    int started = 0;
    bool ok = true;

    for (; started < n; started++) {
        threads[started].options = o;
        threads[started].core = cores[started];
        jobs[started].thread = &threads[started];
        jobs[started].run = run;
        if (pthread_create(&jobs[started].id, NULL, thread_main, &jobs[started]) != 0) {
            app_complain(o, "no thread for core %d", cores[started]);
            app_stop();
            ok = false;
            break;
        }
    }
    watch(o, threads, jobs, started);
    for (int i = 0; i < started; i++) {
        pthread_join(jobs[i].id, NULL);
        ok = ok && !threads[i].failed;
    }
    return ok;
}
