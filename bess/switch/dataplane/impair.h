/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an impaired direction of a link does to each frame, and the frames that it holds until their time.
 *
 * Pure: time is a parameter (nanoseconds from any zero, never going back), frames are pointers that nobody
 * looks into. Not thread-safe: the module around it has the lock.
 *
 * Model, after netem: loss, then duplication, then corruption; then the rate limiter, a queue in front of a
 * wire of `rate_bps` that holds at most `limit_bytes`; then `delay_ns` with a deviation of `jitter_ns`. With
 * probability `reorder` a frame goes at once, past the limiter and the delay, but not before `gap` - 1 frames
 * have gone the long way since the last such one.
 *
 * Order: kept while jitter is 0 (but for frames that reorder takes out); with jitter frames pass each other,
 * unless `keep_order`, which lets a frame wait for those before it, so that the mean delay grows.
 *
 * Chance: each of loss, duplication, corruption, reordering and jitter draws from a generator of its own,
 * all seeded from `seed`. The n-th frame's fate depends on the seed and on n, not on time (the queues' limits
 * and the limiter excepted), and which frames are lost does not change when a delay is added.
 */
#ifndef DP_IMPAIR_H
#define DP_IMPAIR_H

#include <stdbool.h>
#include <stdint.h>

#define IMPAIR_CERTAIN 1000000000U /* probabilities are in parts of this */
#define IMPAIR_NEVER UINT64_MAX

enum impair_jitter {
    IMPAIR_UNIFORM, /* within delay +- jitter */
    IMPAIR_NORMAL,  /* standard deviation jitter, cut at six times that */
};

struct impair_config {
    uint64_t delay_ns, jitter_ns;
    enum impair_jitter jitter_kind;
    uint32_t loss, duplicate, corrupt, reorder;
    uint32_t gap; /* 0 means 1 */
    bool keep_order;
    uint64_t rate_bps;      /* 0: no limit */
    uint64_t limit_bytes;   /* of the limiter's queue; 0: what 100 ms send, at least 16 KB */
    uint32_t limit_packets; /* of all frames held; 0: IMPAIR_DEFAULT_PACKETS */
    uint64_t seed;
};

#define IMPAIR_DEFAULT_PACKETS 8192
#define IMPAIR_MAX_PACKETS (1U << 20)
#define IMPAIR_MAX_NS 60000000000ULL /* delay and jitter: one minute */

struct impair_counters {
    uint64_t lost;       /* by `loss` */
    uint64_t limited;    /* dropped because the limiter's queue or the room for held frames was full */
    uint64_t delayed;    /* held for some time */
    uint64_t duplicated; /* copies made */
    uint64_t reordered;  /* sent at once by `reorder` */
    uint64_t corrupted;
    uint64_t released; /* held ones that have left */
    /* How long after their time they left, because nobody asked sooner; the most since the last set. */
    uint64_t late_ns, late_max_ns;
};

struct impair_rng {
    uint64_t s[4];
};

struct impair_held {
    uint64_t release_ns;
    uint64_t seq; /* among equal times the earlier frame leaves first */
    void *frame;
    uint16_t gate; /* by which it came and will leave */
};

struct impair {
    struct impair_config cfg;
    struct impair_counters n;
    struct impair_rng loss, duplicate, corrupt, reorder, jitter;
    uint64_t busy_until_ns; /* of the wire behind the limiter */
    uint64_t last_ns;       /* when the last frame in order leaves */
    uint64_t seq;
    uint32_t since_reordered;
    uint32_t n_held, room;
    struct impair_held *held; /* [room], a heap: the first leaves first */
};

enum impair_fate {
    IMPAIR_DROP, /* the caller frees the frame */
    IMPAIR_HOLD, /* it is held now */
    IMPAIR_PASS, /* the caller sends it at once */
};

/* 0, -EINVAL (a value out of its range), -ENOMEM */
int impair_init(struct impair *im, const struct impair_config *cfg);
/* What is held must have been taken out. */
void impair_free(struct impair *im);
/*
 * From now on by `cfg`, whose seed starts the generators anew. No held frame is dropped; each leaves at its
 * time, or sooner if the new delay or a changed rate says so, and frames that come now do not pass it.
 */
int impair_set(struct impair *im, const struct impair_config *cfg, uint64_t now_ns);

/* Nothing is impaired and nothing held: frames may go past. */
bool impair_is_idle(const struct impair *im);

/* Before a frame comes: is it lost, does it come twice, is it corrupted? */
bool impair_loses(struct impair *im);
bool impair_duplicates(struct impair *im);
/* Which bit of a frame of `len_bytes` flips, from bit `from` on; -1: none. */
int64_t impair_corrupts(struct impair *im, uint32_t from, uint32_t len_bytes);
/* What becomes of a frame that is not lost. */
enum impair_fate impair_admit(struct impair *im, void *frame, uint16_t gate, uint32_t len_bytes,
                              uint64_t now_ns);
/* A frame that cannot be held, because the packet buffers that may be held are all in use. */
void impair_refuse(struct impair *im);

/* When the next frame leaves, or IMPAIR_NEVER. */
uint64_t impair_due_ns(const struct impair *im);
/* Takes out the next frame whose time has come; false if there is none. */
bool impair_release(struct impair *im, uint64_t now_ns, struct impair_held *out);

#endif
