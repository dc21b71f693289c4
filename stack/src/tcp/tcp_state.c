/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The states of a connection (RFC 9293 3.3.2), the transitions between them that may happen, and the only
 * function that changes a state. LISTEN is no state of a connection here: a listener makes a new connection
 * in SYN-RECEIVED for each SYN. */
#include "tcp/tcp_internal.h"

#define BIT(s) (1u << TCPS_##s)

static const struct state_row {
    const char *name;
    uint16_t next;  /**< set of states that may follow */
    uint16_t gauge; /**< offset in struct tcp_counters */
} states[TCPS_COUNT] = {
#define ROW(s, gauge_, next_) [TCPS_##s] = {#s, (next_), offsetof(struct tcp_counters, gauge_)}
    ROW(CLOSED, now_closed, BIT(SYN_SENT) | BIT(SYN_RECEIVED)),
    ROW(SYN_SENT, now_syn_sent, BIT(SYN_RECEIVED) | BIT(ESTABLISHED) | BIT(CLOSED)),
    ROW(SYN_RECEIVED, now_syn_received, BIT(ESTABLISHED) | BIT(CLOSED)),
    ROW(ESTABLISHED, now_established, BIT(FIN_WAIT_1) | BIT(CLOSE_WAIT) | BIT(CLOSED)),
    ROW(FIN_WAIT_1, now_fin_wait_1, BIT(FIN_WAIT_2) | BIT(CLOSING) | BIT(CLOSED)),
    ROW(FIN_WAIT_2, now_fin_wait_2, BIT(TIME_WAIT) | BIT(CLOSED)),
    ROW(CLOSE_WAIT, now_close_wait, BIT(LAST_ACK) | BIT(CLOSED)),
    ROW(CLOSING, now_closing, BIT(TIME_WAIT) | BIT(CLOSED)),
    ROW(LAST_ACK, now_last_ack, BIT(CLOSED)),
    ROW(TIME_WAIT, now_time_wait, BIT(CLOSED)),
#undef ROW
};

uint64_t *tcp_state_gauge(struct tcp *tcp, enum tcp_state s)
{
    return (uint64_t *)((char *)&tcp->counters + states[s].gauge);
}

/** RFC 9293 name, e.g. "ESTABLISHED". */
const char *tcp_state_name(enum tcp_state s)
{
    return s < TCPS_COUNT ? states[s].name : "?";
}

void tcp_set_state(struct tcp_conn *c, enum tcp_state to)
{
    enum tcp_state from = c->state;

    if (!(states[from].next & 1u << to)) {
        COUNT(c->tcp, refused_transitions);
        log_say(c->tcp->params.log, LOG_ERROR, "tcp: transition %s -> %s refused", tcp_state_name(from),
                tcp_state_name(to));
        return;
    }
    (*tcp_state_gauge(c->tcp, from))--;
    (*tcp_state_gauge(c->tcp, to))++;
    c->state = (uint8_t)to;
}
