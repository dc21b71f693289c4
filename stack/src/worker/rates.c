/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Key stat_print: once a second each worker says how many connections it has and what its queue carried. */
#include "worker/worker_priv.h"

#define SECOND_US UINT64_C(1000000)

void rates_init(struct worker *w)
{
    w->rates.last_us = w->now_us;
    w->rates.next_us = w->stack->cfg->stat_print ? w->now_us + SECOND_US : WORKER_FOREVER;
}

void rates_print(struct worker *w)
{
    const struct worker_counters *last = &w->rates.last;
    struct netif_stats nif = {0};
    double seconds = (double)(w->now_us - w->rates.last_us) / 1e6;

    w->nif->ops->stats(w->nif, &nif);
    log_say(&w->stack->log, LOG_INFO,
            "[CPU %2u] %s flows: %6zu, RX: %8.0f(pps) (err: %5llu), %5.2f(Gbps), TX: %8.0f(pps), %5.2f(Gbps)",
            w->index, w->stack->cfg->stat_print, tcp_num_conns(w->tcp),
            (double)(w->cnt.rx_frames - last->rx_frames) / seconds, (unsigned long long)nif.rx_dropped,
            (double)(w->cnt.rx_bytes - last->rx_bytes) * 8e-9 / seconds,
            (double)(w->cnt.tx_frames - last->tx_frames) / seconds,
            (double)(w->cnt.tx_bytes - last->tx_bytes) * 8e-9 / seconds);
    w->rates.last = w->cnt;
    w->rates.last_us = w->now_us;
    w->rates.next_us = w->now_us + SECOND_US;
}
