/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The timers of a connection: one main timer (struct tcp_timer, a tagged union) and the delayed ACK, both
 * behind one place in the timer wheel. That place is moved lazily: it may fire before there is anything to
 * do, never after. RFC 6298 (retransmission), RFC 9293 3.8.3 (giving up), 3.8.6.1 (persist), 3.4.2
 * (TIME-WAIT), RFC 5681 4.2 (delayed ACK).
 * Invariant: timer.deadline_us is where the place stands, TIMER_NONE when it is in no wheel. */
#include "tcp/tcp_internal.h"

static void fire(struct timer *t, void *ctx, uint64_t now_us);

void tcp_timer_init(struct tcp_conn *c)
{
    timer_init(&c->timer, fire);
    c->timer.deadline_us = TIMER_NONE;
    c->main.kind = TIMER_OFF;
}

void tcp_timer_fini(struct tcp_conn *c)
{
    c->main.kind = TIMER_OFF;
    c->flags &= ~CF_ACK_DELAYED;
    timer_wheel_cancel(&c->tcp->wheel, &c->timer);
    c->timer.deadline_us = TIMER_NONE;
}

/** Sees to it that the wheel fires at want_us or before. */
static inline void settle_at(struct tcp_conn *c, uint64_t want_us)
{
    if (want_us < c->timer.deadline_us)
        timer_wheel_add(&c->tcp->wheel, &c->timer, want_us);
}

/** The same for all that the connection waits for. */
static void settle(struct tcp_conn *c)
{
    if (c->main.kind != TIMER_OFF)
        settle_at(c, c->main.deadline_us);
    if (c->flags & CF_ACK_DELAYED)
        settle_at(c, c->delack_us);
}

void tcp_timer_start(struct tcp_conn *c, enum tcp_timer_kind kind, uint64_t deadline_us)
{
    c->main.kind = kind;
    c->main.deadline_us = deadline_us;
    settle_at(c, deadline_us);
}

/** Nothing to wait for; the place in the wheel is left to fire in vain. */
void tcp_timer_stop(struct tcp_conn *c)
{
    c->main.kind = TIMER_OFF;
}

void tcp_timer_quiet(struct tcp_conn *c, uint64_t now_us)
{
    if (c->snd.mem || c->rcv.mem)
        tcp_timer_start(c, TIMER_IDLE, now_us + TCP_IDLE_US);
    else
        tcp_timer_stop(c);
}

void tcp_timer_delack(struct tcp_conn *c, uint64_t now_us)
{
    c->flags |= CF_ACK_DELAYED;
    c->delack_us = now_us + TCP_DELACK_US;
    settle_at(c, c->delack_us);
}

void tcp_timer_leave(struct tcp_conn *c)
{
    timer_wheel_cancel(&c->tcp->wheel, &c->timer);
    c->timer.deadline_us = TIMER_NONE;
}

void tcp_timer_join(struct tcp_conn *c)
{
    timer_init(&c->timer, fire);
    c->timer.deadline_us = TIMER_NONE;
    settle(c);
}

/** Adds without overflow. */
static uint64_t after(uint64_t t_us, uint64_t span_us)
{
    return span_us > UINT64_MAX - 1 - t_us ? UINT64_MAX - 1 : t_us + span_us;
}

static void start_rexmt(struct tcp_conn *c, uint64_t now_us)
{
    uint64_t give_up_us = after(c->main.rexmt.since_us, c->tcp->params.user_timeout_us);

    tcp_timer_start(c, TIMER_REXMT, min_u64(now_us + c->rto_us, give_up_us));
}

void tcp_timer_rexmt(struct tcp_conn *c, uint64_t now_us)
{
    c->main.rexmt.since_us = now_us;
    c->main.rexmt.retries = 0;
    start_rexmt(c, now_us);
}

static void start_persist(struct tcp_conn *c, uint64_t now_us)
{
    uint64_t wait_us = (uint64_t)c->rto_us << c->main.persist.backoff;

    tcp_timer_start(c, TIMER_PERSIST, now_us + min_u64(wait_us, TCP_RTO_MAX_US));
}

void tcp_timer_persist(struct tcp_conn *c, uint64_t now_us)
{
    c->main.persist.since_us = now_us;
    c->main.persist.backoff = 0;
    c->main.persist.unanswered = 0;
    start_persist(c, now_us);
}

/** The peer does not answer: RFC 9293 3.8.3. A half-open connection of a listener just disappears. */
static void give_up(struct tcp_conn *c, uint64_t now_us)
{
    if (c->state != TCPS_SYN_SENT && c->state != TCPS_SYN_RECEIVED)
        tcp_send_reset(c, now_us);
    tcp_conn_done(c, ST_TIMED_OUT);
}

static bool expired(const struct tcp_conn *c, uint64_t since_us, uint64_t now_us)
{
    return now_us >= after(since_us, c->tcp->params.user_timeout_us);
}

static void on_rexmt(struct tcp_conn *c, uint64_t now_us)
{
    bool opening = c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED;
    uint8_t limit = opening ? TCP_SYN_RETRIES : TCP_RETRIES;

    if (c->main.rexmt.retries >= limit || expired(c, c->main.rexmt.since_us, now_us)) {
        give_up(c, now_us);
        return;
    }
    c->main.rexmt.retries++;
    COUNT(c->tcp, tx_timeouts);
    tcp_rtt_backoff(c);
    start_rexmt(c, now_us);
    if (opening) {
        c->flags |= CF_SYN_LOST;
        COUNT(c->tcp, tx_syn_retransmits);
        tcp_send_syn(c, now_us);
        return;
    }
    tcp_recovery_timeout(c, c->main.rexmt.retries > 1);
    tcp_output(c, now_us);
}

/** Whether the prober of a closed window should end: nobody answers, or the user has let go and nobody is
 * left who could end it. */
static bool persist_hopeless(const struct tcp_conn *c, uint64_t now_us)
{
    unsigned unanswered = c->main.persist.unanswered;

    if (unanswered >= TCP_RETRIES)
        return true;
    return (unanswered >= TCP_PROBES_MIN || !tcp_conn_held(c)) &&
           expired(c, c->main.persist.since_us, now_us);
}

/** The peer's window is closed. As long as our probes are answered we go on for ever (RFC 9293 3.8.6.1). */
static void on_persist(struct tcp_conn *c, uint64_t now_us)
{
    if (persist_hopeless(c, now_us)) {
        give_up(c, now_us);
        return;
    }
    if (c->main.persist.unanswered++ == 0 && tcp_conn_held(c))
        c->main.persist.since_us = now_us;
    if (((uint64_t)c->rto_us << c->main.persist.backoff) < TCP_RTO_MAX_US)
        c->main.persist.backoff++;
    start_persist(c, now_us);
    tcp_send_probe(c, now_us);
}

/** Gives back what a quiet connection does not need. */
static void on_idle(struct tcp_conn *c)
{
    tcp_timer_stop(c);
    if (!c->snd.len)
        byte_ring_release(&c->snd);
    if (!c->rcv.len && !c->reasm)
        byte_ring_release(&c->rcv);
    settle(c);
}

static void on_main(struct tcp_conn *c, uint64_t now_us)
{
    switch (c->main.kind) {
    case TIMER_REXMT:
        on_rexmt(c, now_us);
        return;
    case TIMER_PERSIST:
        on_persist(c, now_us);
        return;
    case TIMER_FIN_WAIT_2:
    case TIMER_TIME_WAIT:
        tcp_conn_done(c, ST_OK);
        return;
    case TIMER_IDLE:
        on_idle(c);
        return;
    case TIMER_OFF:
        return;
    }
}

static void fire(struct timer *t, void *ctx, uint64_t now_us)
{
    struct tcp_conn *c = container_of(t, struct tcp_conn, timer);

    (void)ctx;
    t->deadline_us = TIMER_NONE;
    if (c->flags & CF_ACK_DELAYED && c->delack_us <= now_us)
        tcp_send_ack(c, now_us);
    if (c->main.kind != TIMER_OFF && c->main.deadline_us <= now_us)
        on_main(c, now_us); /* may free c; else it has settled what comes next */
    else
        settle(c);
}
