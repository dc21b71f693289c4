/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Epoll sets, see epoll_set.h. Every operation is O(1) but finding an item, which costs the number of sets
 * that the socket is in. */
#include "sock/epoll_set.h"

#include <stdlib.h>

#include "base/pool.h"

#define ITEMS_PER_CHUNK 64u

struct epoll_set {
    struct sock *sock;
    struct list items;
    struct list ready;
    struct pool pool; /**< of the items */
};

struct epoll_item {
    struct list by_sock, by_set, by_ready;
    struct sock *sock;
    struct epoll_set *set;
    uint32_t interest; /**< enum sock_event, SOCK_EV_ET, SOCK_EV_ONESHOT */
    bool armed;        /**< false after a one-shot report */
    uint64_t data;
};

static void item_queue(struct epoll_item *it)
{
    if (list_empty(&it->by_ready))
        list_push_back(&it->set->ready, &it->by_ready);
}

static void item_unqueue(struct epoll_item *it)
{
    list_remove(&it->by_ready);
}

static uint32_t item_wants(const struct epoll_item *it)
{
    return it->armed ? it->interest | SOCK_EV_ALWAYS : 0;
}

static void item_free(struct epoll_item *it)
{
    item_unqueue(it);
    list_remove(&it->by_sock);
    list_remove(&it->by_set);
    pool_put(&it->set->pool, it);
}

/** The descriptor of a connection that has moved lives as long as a set has to tell of it. */
static void item_drop(struct epoll_item *it)
{
    struct sock *s = it->sock;

    item_free(it);
    if (s->type == SOCK_TYPE_MOVED && list_empty(&s->items))
        sock_release(s);
}

static void item_arm(struct epoll_item *it, uint32_t events, uint64_t data)
{
    it->interest = events;
    it->data = data;
    it->armed = true;
    if (sock_poll(it->sock) & item_wants(it))
        item_queue(it);
}

static struct epoll_item *item_find(const struct epoll_set *set, const struct sock *s)
{
    list_for_each(node, &s->items) {
        struct epoll_item *it = container_of(node, struct epoll_item, by_sock);

        if (it->set == set)
            return it;
    }
    return NULL;
}

enum status epoll_open(struct socktab *tab, struct sock **out)
{
    struct epoll_set *set = calloc(1, sizeof(*set));
    enum status st;

    if (!set)
        return ST_NO_MEMORY;
    st = sock_alloc(tab, SOCK_TYPE_EPOLL, out);
    if (st != ST_OK) {
        free(set);
        return st;
    }
    list_init(&set->items);
    list_init(&set->ready);
    pool_init(&set->pool, sizeof(struct epoll_item), ITEMS_PER_CHUNK, tab->ids.size);
    set->sock = *out;
    (*out)->epoll = set;
    return ST_OK;
}

void epoll_set_free(struct epoll_set *set)
{
    list_for_each_safe(node, &set->items)
        item_drop(container_of(node, struct epoll_item, by_set));
    pool_fini(&set->pool);
    free(set);
}

void epoll_forget_sock(struct sock *s)
{
    list_for_each_safe(node, &s->items)
        item_free(container_of(node, struct epoll_item, by_sock));
}

void epoll_report_moved(struct sock *s)
{
    list_for_each(node, &s->items) {
        struct epoll_item *it = container_of(node, struct epoll_item, by_sock);

        item_unqueue(it);
        list_push_front(&it->set->ready, &it->by_ready);
    }
}

enum status epoll_add(struct sock *ep, struct sock *s, uint32_t events, uint64_t data)
{
    struct epoll_item *it;

    if (ep->type != SOCK_TYPE_EPOLL || s->type == SOCK_TYPE_EPOLL)
        return ST_INVALID;
    if (item_find(ep->epoll, s))
        return ST_EXISTS;
    it = pool_get(&ep->epoll->pool);
    if (!it)
        return ST_NO_MEMORY;
    it->set = ep->epoll;
    it->sock = s;
    list_init(&it->by_ready);
    list_push_back(&s->items, &it->by_sock);
    list_push_back(&ep->epoll->items, &it->by_set);
    item_arm(it, events, data);
    return ST_OK;
}

enum status epoll_modify(struct sock *ep, struct sock *s, uint32_t events, uint64_t data)
{
    struct epoll_item *it;

    if (ep->type != SOCK_TYPE_EPOLL || s->type == SOCK_TYPE_EPOLL)
        return ST_INVALID;
    it = item_find(ep->epoll, s);
    if (!it)
        return ST_NOT_FOUND;
    item_arm(it, events, data);
    return ST_OK;
}

enum status epoll_remove(struct sock *ep, struct sock *s)
{
    struct epoll_item *it;

    if (ep->type != SOCK_TYPE_EPOLL)
        return ST_INVALID;
    it = item_find(ep->epoll, s);
    if (!it)
        return ST_NOT_FOUND;
    item_free(it);
    return ST_OK;
}

struct epoll_walk epoll_walk_begin(struct sock *ep)
{
    return (struct epoll_walk){.set = ep->epoll, .at = ep->epoll->ready.next};
}

bool epoll_walk_next(struct epoll_walk *walk, uint32_t *events, uint64_t *data)
{
    while (walk->at != &walk->set->ready) {
        struct epoll_item *it = container_of(walk->at, struct epoll_item, by_ready);
        uint32_t now = sock_poll(it->sock) & (item_wants(it) | SOCK_EV_MOVED);

        walk->at = walk->at->next;
        if (now == 0) {
            item_unqueue(it);
            continue;
        }
        *events = now;
        *data = it->data;
        if (now == SOCK_EV_MOVED) {
            item_drop(it);
        } else if (it->interest & (SOCK_EV_ONESHOT | SOCK_EV_ET)) {
            it->armed = !(it->interest & SOCK_EV_ONESHOT);
            item_unqueue(it);
        }
        return true;
    }
    return false;
}

void epoll_walk_end(struct epoll_walk *walk)
{
    struct list *head = &walk->set->ready, *at = walk->at;

    if (at == head || at == head->next)
        return;
    list_remove(head); /* the head of the circle moves to where the walk has come */
    list_push_back(at, head);
}

void sock_notify(struct sock *s, uint32_t events)
{
    list_for_each(node, &s->items) {
        struct epoll_item *it = container_of(node, struct epoll_item, by_sock);

        if (events & item_wants(it))
            item_queue(it);
    }
}
