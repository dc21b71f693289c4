/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A stream's connection leaves for another worker and arrives there. What the user has set or done to the
 * descriptor goes along as TCP's luggage; being non-blocking and watched does not, for there it comes out of
 * accept as a new one. Only a descriptor that an epoll set watches lets its connection go: else the user
 * would never hear of it. */
#include "sock/epoll_set.h"
#include "sock/sock.h"

enum luggage_bits {
    LUGGAGE_MOVED = 1u << 0, /**< there is luggage */
    LUGGAGE_RD_SHUT = 1u << 1,
    LUGGAGE_WR_SHUT = 1u << 2,
    LUGGAGE_NO_DELAY = 1u << 3,
    LUGGAGE_REUSE_ADDR = 1u << 4,
    LUGGAGE_REUSE_PORT = 1u << 5,
};

static uint32_t bit_if(bool on, uint32_t bit)
{
    return on ? bit : 0;
}

bool sock_let_go(struct tcp_conn *c)
{
    struct sock *s = tcp_conn_owner(c);

    if (!s || !s->movable || list_empty(&s->items))
        return false;
    tcp_conn_set_luggage(
        c, (struct tcp_luggage){
               .data = s->user_data,
               .bits = LUGGAGE_MOVED | bit_if(s->rd_shut, LUGGAGE_RD_SHUT) |
                       bit_if(s->wr_shut, LUGGAGE_WR_SHUT) | bit_if(s->no_delay, LUGGAGE_NO_DELAY) |
                       bit_if(s->reuse_addr, LUGGAGE_REUSE_ADDR) | bit_if(s->reuse_port, LUGGAGE_REUSE_PORT),
           });
    s->type = SOCK_TYPE_MOVED;
    s->conn = NULL;
    epoll_report_moved(s);
    return true;
}

void sock_take_luggage(struct sock *s, const struct sock *listener)
{
    struct tcp_luggage luggage = tcp_conn_luggage(s->conn);

    s->movable = listener->movable;
    s->reuse_port = listener->reuse_port;
    if (!(luggage.bits & LUGGAGE_MOVED))
        return;
    s->movable = true;
    s->user_data = luggage.data;
    s->rd_shut = luggage.bits & LUGGAGE_RD_SHUT;
    s->wr_shut = luggage.bits & LUGGAGE_WR_SHUT;
    s->no_delay = luggage.bits & LUGGAGE_NO_DELAY;
    s->reuse_addr = luggage.bits & LUGGAGE_REUSE_ADDR;
    s->reuse_port = luggage.bits & LUGGAGE_REUSE_PORT;
}
