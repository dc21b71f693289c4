/* SPDX-License-Identifier: BSD-3-Clause */
/* See capture.h. Two halves: what the workers and the control plane do, and the thread that writes. */
#define _GNU_SOURCE
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <rte_spinlock.h>

#include "capture_ring.h"

#define IDLE_MS 1           /* how long the writer sleeps over an empty ring */
#define READER_GRACE_MS 500 /* how long an ended capture waits for a reader that takes nothing */
#define OUT_BYTES (CAPTURE_SNAPLEN + 1 + 65536 + CAPTURE_OVERHEAD)
#define FLUSH_BYTES 65536

enum record_kind { RECORD_PACKET, RECORD_INTERFACE };

struct record {
    uint8_t kind;
    uint8_t direction;
    uint16_t interface;
    uint32_t captured, original;
    uint64_t time_ns;
    uint64_t dropped;
    uint8_t data[];
};

struct interface {
    char name[CAPTURE_NAME_MAX + 1];
    uint64_t received, dropped; /* written under the lock */
    uint64_t reported;          /* of the dropped ones, those that a packet has told about */
};

struct capture {
    struct capture *next;
    dev_t dev;
    ino_t ino;
    const struct capture_format *format;
    unsigned users;
    uint64_t wall_ns, monotonic_ns; /* at the start */
    unsigned n_interfaces;
    struct interface interfaces[CAPTURE_MAX_INTERFACES];

    rte_spinlock_t lock; /* between workers: the producing end of the ring */
    struct capture_ring ring;

    pthread_t thread;
    int fd;
    int reader_gone; /* set by the thread */
    int ending;      /* set by the control plane: write what there is, then end */
    int ended;       /* set by the thread, last of all */
    size_t out_len;
    uint8_t out[OUT_BYTES];
};

/* The control plane's own; its single thread alone touches the list. */
static struct capture *captures;

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static uint64_t now_ns(const struct capture *c)
{
    return c->wall_ns + clock_ns(CLOCK_MONOTONIC) - c->monotonic_ns;
}

bool capture_alive(const struct capture *c)
{
    return __atomic_load_n(&c->reader_gone, __ATOMIC_RELAXED) == 0;
}

uint64_t capture_dropped(const struct capture *c, unsigned interface)
{
    return __atomic_load_n(&c->interfaces[interface].dropped, __ATOMIC_RELAXED);
}

/* ---- the workers' half ---- */

static struct record *reserve(struct capture *c, enum record_kind kind, unsigned interface, uint32_t captured)
{
    struct record *r = capture_ring_reserve(&c->ring, sizeof(*r) + captured);

    if (r == NULL)
        return NULL;
    *r = (struct record){.kind = kind, .interface = interface, .captured = captured};
    r->time_ns = now_ns(c);
    return r;
}

static void copy_out(uint8_t *to, uint32_t len, const struct rte_mbuf *pkt)
{
    for (; len > 0 && pkt != NULL; pkt = pkt->next) {
        uint32_t n = RTE_MIN(len, (uint32_t)pkt->data_len);

        memcpy(to, rte_pktmbuf_mtod(pkt, const uint8_t *), n);
        to += n;
        len -= n;
    }
}

void capture_batch(struct capture *c, unsigned interface, enum capture_direction direction,
                   const struct batch *b)
{
    struct interface *i = &c->interfaces[interface];

    if (!capture_alive(c))
        return;
    rte_spinlock_lock(&c->lock);
    for (uint16_t n = 0; n < b->n; n++) {
        const struct rte_mbuf *pkt = b->pkt[n];
        struct record *r = reserve(c, RECORD_PACKET, interface, RTE_MIN(pkt->pkt_len, CAPTURE_SNAPLEN));

        i->received++;
        if (r == NULL) {
            __atomic_store_n(&i->dropped, i->dropped + 1, __ATOMIC_RELAXED);
            continue;
        }
        r->direction = direction;
        r->original = pkt->pkt_len;
        r->dropped = i->dropped - i->reported;
        i->reported = i->dropped;
        copy_out(r->data, r->captured, pkt);
        capture_ring_commit(&c->ring);
    }
    rte_spinlock_unlock(&c->lock);
}

int capture_interface(struct capture *c, const char *name)
{
    struct interface *i = &c->interfaces[c->n_interfaces];
    struct record *r;

    for (unsigned n = 0; n < c->n_interfaces; n++) {
        if (strncmp(c->interfaces[n].name, name, CAPTURE_NAME_MAX) == 0)
            return n;
    }
    if (c->n_interfaces == CAPTURE_MAX_INTERFACES)
        return -ENOSPC;
    rte_spinlock_lock(&c->lock);
    r = reserve(c, RECORD_INTERFACE, c->n_interfaces, sizeof(i->name));
    if (r != NULL) {
        memset(i, 0, sizeof(*i));
        memcpy(i->name, name, strnlen(name, CAPTURE_NAME_MAX));
        memcpy(r->data, i->name, sizeof(i->name));
        capture_ring_commit(&c->ring);
    }
    rte_spinlock_unlock(&c->lock);
    return r == NULL ? -ENOBUFS : (int)c->n_interfaces++;
}

/* ---- the writer's half ---- */

/* Sleeps until the pipe takes more, or for a while; learns that the reader has gone. */
static void wait_for_reader(struct capture *c, short events, int ms)
{
    struct pollfd pfd = {.fd = c->fd, .events = events};

    if (poll(&pfd, 1, ms) > 0 && (pfd.revents & POLLERR) != 0)
        __atomic_store_n(&c->reader_gone, 1, __ATOMIC_RELAXED);
}

/* A reader that takes nothing for a while after the end is given up. */
static void flush(struct capture *c)
{
    size_t done = 0;
    int idle_ms = 0;

    while (done < c->out_len && capture_alive(c) && idle_ms < READER_GRACE_MS) {
        ssize_t n = write(c->fd, c->out + done, c->out_len - done);

        if (n > 0) {
            done += n;
            idle_ms = 0;
        } else if (errno == EAGAIN) {
            wait_for_reader(c, POLLOUT, 50);
            idle_ms += __atomic_load_n(&c->ending, __ATOMIC_ACQUIRE) ? 50 : 0;
        } else if (errno != EINTR) {
            __atomic_store_n(&c->reader_gone, 1, __ATOMIC_RELAXED);
        }
    }
    if (idle_ms >= READER_GRACE_MS)
        __atomic_store_n(&c->reader_gone, 1, __ATOMIC_RELAXED);
    c->out_len = 0;
}

static void encode(struct capture *c, const struct record *r)
{
    struct capture_packet packet = {
        .time_ns = r->time_ns,
        .interface = r->interface,
        .captured = r->captured,
        .original = r->original,
        .dropped = r->dropped,
        .direction = r->direction,
        .data = r->data,
    };

    if (r->kind == RECORD_INTERFACE)
        c->out_len += c->format->interface(c->out + c->out_len, (const char *)r->data);
    else
        c->out_len += c->format->packet(c->out + c->out_len, &packet);
}

/* Everything that is in the ring, encoded; whether there was anything. */
static bool drain(struct capture *c)
{
    const struct record *r;
    bool any = false;

    while (capture_alive(c) && (r = capture_ring_peek(&c->ring)) != NULL) {
        encode(c, r);
        capture_ring_release(&c->ring);
        any = true;
        if (c->out_len >= FLUSH_BYTES)
            flush(c);
    }
    flush(c);
    return any;
}

static void write_statistics(struct capture *c)
{
    for (unsigned n = 0; n < c->n_interfaces; n++) {
        struct capture_statistics s = {
            .interface = n,
            .start_ns = c->wall_ns,
            .end_ns = now_ns(c),
            .received = c->interfaces[n].received,
            .dropped = c->interfaces[n].dropped,
        };

        c->out_len += c->format->statistics(c->out + c->out_len, &s);
    }
    flush(c);
}

static void *writer_main(void *arg)
{
    struct capture *c = arg;

    c->out_len = c->format->header(c->out);
    flush(c);
    while (capture_alive(c)) {
        bool ending = __atomic_load_n(&c->ending, __ATOMIC_ACQUIRE);

        if (drain(c))
            continue;
        if (ending) {
            write_statistics(c);
            break;
        }
        wait_for_reader(c, 0, IDLE_MS);
    }
    close(c->fd);
    __atomic_store_n(&c->ended, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* A write to a pipe without reader must come back as EPIPE, not as a signal; nor is any other signal for it.
 */
static int start_writer(struct capture *c)
{
    sigset_t all, old;
    int ret;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    ret = pthread_create(&c->thread, NULL, writer_main, c);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (ret == 0)
        pthread_setname_np(c->thread, "vportd-capture");
    return -ret;
}

/* ---- life ---- */

static int pipe_open(const char *fifo, struct stat *st, const char **why)
{
    int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    *why = "Failed to open FIFO";
    if (fd < 0)
        return -errno;
    if (fstat(fd, st) == 0 && S_ISFIFO(st->st_mode))
        return fd;
    *why = "It is not a FIFO";
    close(fd);
    return -EINVAL;
}

static int capture_begin(int fd, const struct stat *st, const struct capture_format *format,
                         struct capture **out)
{
    struct capture *c = calloc(1, sizeof(*c));
    int ret = c == NULL ? -ENOMEM : capture_ring_init(&c->ring, CAPTURE_RING_BYTES);

    if (ret == 0) {
        c->fd = fd;
        c->dev = st->st_dev;
        c->ino = st->st_ino;
        c->format = format;
        c->wall_ns = clock_ns(CLOCK_REALTIME);
        c->monotonic_ns = clock_ns(CLOCK_MONOTONIC);
        rte_spinlock_init(&c->lock);
        ret = start_writer(c);
    }
    if (ret != 0) {
        if (c != NULL)
            capture_ring_free(&c->ring);
        free(c);
        close(fd);
        return ret;
    }
    c->next = captures;
    captures = c;
    *out = c;
    return 0;
}

int capture_open(const char *fifo, const struct capture_format *format, struct capture **out,
                 const char **why)
{
    struct capture *c;
    struct stat st;
    int fd, ret;

    captures_reap(false);
    fd = pipe_open(fifo, &st, why);
    if (fd < 0)
        return fd;
    for (c = captures; c != NULL; c = c->next) {
        if (c->dev != st.st_dev || c->ino != st.st_ino || c->users == 0 || !capture_alive(c))
            continue;
        close(fd);
        *why = "The FIFO is being written in another format";
        if (c->format != format)
            return -EBUSY;
        c->users++;
        *out = c;
        return 0;
    }
    *why = "The capture's thread cannot be started";
    ret = capture_begin(fd, &st, format, &c);
    if (ret == 0) {
        c->users = 1;
        *out = c;
    }
    return ret;
}

void capture_close(struct capture *c)
{
    if (--c->users == 0)
        __atomic_store_n(&c->ending, 1, __ATOMIC_RELEASE);
}

void captures_reap(bool wait)
{
    struct capture **at = &captures;

    while (*at != NULL) {
        struct capture *c = *at;

        if (c->users > 0 || (!wait && !__atomic_load_n(&c->ended, __ATOMIC_ACQUIRE))) {
            at = &c->next;
            continue;
        }
        pthread_join(c->thread, NULL);
        *at = c->next;
        capture_ring_free(&c->ring);
        free(c);
    }
}
