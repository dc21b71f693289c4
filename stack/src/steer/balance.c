/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See balance.h; and steer_balance(), which gathers what has happened and asks for the moves. */
#include "steer/balance.h"

#include <string.h>

#include "steer/steer_priv.h"

#define SMOOTHING 0.5 /* weight of the newest look */
#define COST_SMOOTHING 0.1
#define LOOKS_KEPT 3.0    /* looks that an average of this smoothing is worth */
#define CHANCE_SIGMAS 4.0 /* of a Poisson process */
#define LEAST_GAIN 0.01   /* of the mean: what a move must lower the maximum by */

/* A plan in the making. */
struct draft {
    const struct balance *b;
    const struct balance_look *look;
    double load[STEER_MAX_WORKERS];
    uint8_t home[STEER_BUCKETS];
    struct steer_buckets fixed;
    unsigned most, least; /* workers */
    double mean;
};

static bool is_fixed(const struct steer_buckets *set, unsigned b)
{
    return steer_buckets_has(set, b);
}

/* Cycles per frame of worker w; 0 when it is not known. */
static double cycles_per_frame(const struct balance_worker *w)
{
    return w->present && w->frames ? (double)w->busy_cycles / (double)w->frames : 0;
}

/* The lower one of two middles: of two workers the quicker one is the measure. */
static double median_cost(const struct balance_look *look)
{
    double sorted[STEER_MAX_WORKERS];
    unsigned n = 0;

    for (unsigned w = 0; w < look->num_workers; w++) {
        double cost = cycles_per_frame(&look->worker[w]);
        unsigned at = n;

        if (cost == 0)
            continue;
        for (; at > 0 && sorted[at - 1] > cost; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = cost;
        n++;
    }
    return n ? sorted[(n - 1) / 2] : 0;
}

static double cost_ratio(const struct balance_worker *w, double median)
{
    double ratio = median > 0 ? cycles_per_frame(w) / median : 1;

    if (w->stalled)
        return BALANCE_COST_STALLED;
    if (ratio <= 1)
        return 1;
    return ratio < BALANCE_COST_MAX ? ratio : BALANCE_COST_MAX;
}

static void learn_cost(struct balance *b, unsigned w, double ratio)
{
    double *average = &b->ratio[w], limit = b->cost[w] > 1 ? BALANCE_COST_AGAIN : BALANCE_COST_EQUAL;

    if (!b->warm)
        *average = 1;
    *average += COST_SMOOTHING * (ratio - *average);
    b->cost[w] = *average > limit ? *average : 1;
}

/* Averages of rates and costs. */
static void learn(struct balance *b, const struct balance_look *look)
{
    double median = median_cost(look), weight = b->warm ? SMOOTHING : 1;

    for (unsigned i = 0; i < STEER_BUCKETS; i++) {
        double rate = look->frames[i] * 1e6 / (double)look->interval_us;

        b->rate[i] += weight * (rate - b->rate[i]);
    }
    for (unsigned w = 0; w < look->num_workers; w++)
        learn_cost(b, w, cost_ratio(&look->worker[w], median));
    b->warm = true;
}

static void find_extremes(struct draft *d)
{
    double sum = 0;
    unsigned present = 0;

    d->most = d->least = STEER_NOBODY;
    for (unsigned w = 0; w < d->look->num_workers; w++) {
        if (!d->look->worker[w].present)
            continue;
        present++;
        sum += d->load[w];
        if (d->most == STEER_NOBODY || d->load[w] > d->load[d->most])
            d->most = w;
        if (d->least == STEER_NOBODY || d->load[w] < d->load[d->least])
            d->least = w;
    }
    d->mean = present ? sum / present : 0;
}

static void draft_begin(struct draft *d, struct balance *b, const struct balance_look *look)
{
    d->b = b;
    d->look = look;
    d->fixed = look->fixed;
    memset(d->load, 0, sizeof(d->load));
    for (unsigned i = 0; i < STEER_BUCKETS; i++) {
        d->home[i] = look->home[i];
        d->load[d->home[i]] += b->rate[i] * b->cost[d->home[i]];
    }
    memcpy(b->load, d->load, sizeof(b->load));
    find_extremes(d);
}

/* More than what frames that come by chance would show. */
static bool is_significant(const struct draft *d)
{
    double cost = d->b->cost[d->most], window_s = (double)d->look->interval_us * LOOKS_KEPT / 1e6;
    double excess = (d->load[d->most] - d->mean) / cost * window_s;
    double frames = d->load[d->most] / cost * window_s;

    return excess > 0 && excess * excess > CHANCE_SIGMAS * CHANCE_SIGMAS * frames;
}

static bool is_uneven(const struct draft *d)
{
    double total = 0;

    for (unsigned i = 0; i < STEER_BUCKETS; i++)
        total += d->b->rate[i];
    return d->most != STEER_NOBODY && d->most != d->least && total >= BALANCE_MIN_RATE &&
           d->load[d->most] > BALANCE_BEGIN * d->mean && is_significant(d);
}

/* The largest bucket whose going and coming stay on their sides of the mean; else the one that leaves the
 * lowest maximum of the two, if it is lower than now. STEER_BUCKETS: none helps. */
static unsigned choose(const struct draft *d)
{
    unsigned fitting = STEER_BUCKETS, helping = STEER_BUCKETS;
    double best = d->load[d->most] - LEAST_GAIN * d->mean, largest = 0;

    for (unsigned i = 0; i < STEER_BUCKETS; i++) {
        double rate = d->b->rate[i], left, there;

        if (d->home[i] != d->most || rate <= 0 || is_fixed(&d->fixed, i))
            continue;
        left = d->load[d->most] - rate * d->b->cost[d->most];
        there = d->load[d->least] + rate * d->b->cost[d->least];
        if (left >= d->mean && there <= d->mean && rate > largest) {
            largest = rate;
            fitting = i;
        }
        if ((left > there ? left : there) < best) {
            best = left > there ? left : there;
            helping = i;
        }
    }
    return fitting != STEER_BUCKETS ? fitting : helping;
}

static void move_one(struct draft *d, unsigned bucket, struct balance_plan *plan)
{
    double rate = d->b->rate[bucket];

    d->load[d->most] -= rate * d->b->cost[d->most];
    d->load[d->least] += rate * d->b->cost[d->least];
    d->home[bucket] = (uint8_t)d->least;
    steer_buckets_add(&d->fixed, bucket);
    plan->move[plan->num_moves++] = (struct balance_move){(uint16_t)bucket, (uint8_t)d->least};
}

void balance_look(struct balance *b, const struct balance_look *look, struct balance_plan *plan)
{
    struct draft d;

    plan->num_moves = 0;
    learn(b, look);
    draft_begin(&d, b, look);
    b->uneven = is_uneven(&d) ? b->uneven + 1 : 0;
    if (b->uneven < 2)
        return;
    b->uneven = 0;
    while (plan->num_moves < BALANCE_MAX_MOVES && d.load[d.most] > BALANCE_GOOD * d.mean) {
        unsigned bucket = choose(&d);

        if (bucket == STEER_BUCKETS)
            break;
        move_one(&d, bucket, plan);
        find_extremes(&d);
    }
}

/* ---- the distribution's own use ---- */

/* False: moves are under way, so that the next look would not know whose load is whose. */
static bool gather_homes(struct steer *s, struct balance_look *look)
{
    bool quiet = true;

    pthread_mutex_lock(&s->moves_lock);
    for (unsigned w = 0; w < s->params.num_workers; w++) {
        look->worker[w].present = steer_is_present(s, w) && s->worker[w].can_move && !s->worker[w].leaving;
        if (atomic_load_explicit(&s->worker[w].moving, memory_order_relaxed))
            quiet = false;
    }
    for (unsigned b = 0; b < STEER_BUCKETS; b++) {
        look->home[b] = (uint8_t)entry_home(bucket_entry(&s->table, b));
        if (s->busy[b] || !look->worker[look->home[b]].present)
            steer_buckets_add(&look->fixed, b);
    }
    pthread_mutex_unlock(&s->moves_lock);
    return quiet;
}

static void gather_loads(struct steer *s, struct balance *b, struct balance_look *look)
{
    for (unsigned i = 0; i < STEER_BUCKETS; i++) {
        uint32_t sum = 0;

        for (unsigned q = 0; q < s->params.num_queues; q++)
            sum += atomic_load_explicit(&s->queue[q].bucket_frames[i], memory_order_relaxed);
        look->frames[i] = sum - b->seen_frames[i];
        b->seen_frames[i] = sum;
    }
    for (unsigned w = 0; w < s->params.num_workers; w++) {
        uint64_t cycles = atomic_load_explicit(&s->worker[w].busy_cycles, memory_order_relaxed);
        uint64_t frames = atomic_load_explicit(&s->worker[w].reported_frames, memory_order_relaxed);
        struct balance_worker *bw = &look->worker[w];

        bw->busy_cycles = cycles - b->seen_cycles[w];
        bw->frames = frames - b->seen_reported[w];
        bw->stalled = frames > 0 && bw->frames == 0 && steer_waiting(s, w) > 0;
        b->seen_cycles[w] = cycles;
        b->seen_reported[w] = frames;
    }
}

static unsigned look_and_move(struct steer *s, uint64_t now_us)
{
    struct balance *b = s->balance;
    struct balance_look look = {.num_workers = s->params.num_workers, .interval_us = now_us - b->last_us};
    struct balance_plan plan;
    bool first = b->last_us == 0;
    unsigned asked = 0;

    if (!gather_homes(s, &look))
        return 0;
    gather_loads(s, b, &look);
    b->last_us = now_us;
    if (first || look.interval_us == 0)
        return 0;
    balance_look(b, &look, &plan);
    for (unsigned i = 0; i < plan.num_moves; i++)
        asked += steer_move(s, plan.move[i].bucket, plan.move[i].to);
    return asked;
}

unsigned steer_balance(struct steer *s, uint64_t now_us)
{
    unsigned asked = 0;

    if (s->params.design == STEER_DIRECT || s->params.num_workers < 2 ||
        now_us < atomic_load_explicit(&s->balance_next_us, memory_order_relaxed) ||
        pthread_mutex_trylock(&s->balance_lock) != 0)
        return 0;
    if (now_us >= atomic_load_explicit(&s->balance_next_us, memory_order_relaxed)) {
        atomic_store_explicit(&s->balance_next_us, now_us + STEER_BALANCE_US, memory_order_relaxed);
        asked = look_and_move(s, now_us);
    }
    pthread_mutex_unlock(&s->balance_lock);
    return asked;
}

void steer_report(struct steer *s, unsigned worker, uint64_t busy_cycles, uint64_t frames)
{
    atomic_store_explicit(&s->worker[worker].busy_cycles, busy_cycles, memory_order_relaxed);
    atomic_store_explicit(&s->worker[worker].reported_frames, frames, memory_order_relaxed);
}
