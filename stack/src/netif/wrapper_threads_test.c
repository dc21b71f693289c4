/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A thread that receives and one that sends on the same queue at once, through the wrappers: every frame
 * arrives, in order. For ThreadSanitizer above all. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "netif/fault.h"
#include "netif/netif_testkit.h"
#include "netif/pair.h"
#include "netif/pcap.h"

#define FRAMES 20000u
#define UNDER_WAY 512u /**< less than any ring, or heap, on the way holds */
#define LEN 60u

struct end {
    struct netif *nif;
    struct end *peer;
    atomic_uint received; /**< in order */
};

static struct end ends[2];
static atomic_bool wrong;

/** Polling moves what a wrapper holds back, so both ends go on until both have all. */
static bool done(void)
{
    return atomic_load(&wrong) ||
           (atomic_load(&ends[0].received) == FRAMES && atomic_load(&ends[1].received) == FRAMES);
}

static void *sender(void *arg)
{
    struct end *e = arg;
    struct pkt *p = NULL;

    for (uint32_t number = 1; number <= FRAMES && !done();) {
        if (!p && number <= atomic_load(&e->peer->received) + UNDER_WAY) {
            p = netif_alloc(e->nif, 0);
            memset(pkt_put(p, LEN), 0, LEN);
            memcpy(p->data + 14, &number, sizeof(number));
        }
        if (p && netif_tx_burst(e->nif, 0, &p, 1)) {
            p = NULL;
            number++;
        } else {
            sched_yield();
        }
    }
    pkt_free(p);
    return NULL;
}

static void *receiver(void *arg)
{
    struct end *e = arg;

    while (!done()) {
        uint32_t number = kit_receive(e->nif, 0);

        if (!number)
            sched_yield();
        else if (number == atomic_load(&e->received) + 1)
            atomic_store(&e->received, number);
        else
            atomic_store(&wrong, true);
    }
    return NULL;
}

static void two_threads_share_a_queue(void **state)
{
    struct netif_params params = {.num_queues = 1, .mtu = 1500};
    struct fault_params fault;
    char file[] = "/tmp/wrapper_threads.XXXXXX";
    struct netif *nif;
    pthread_t id[4];

    (void)state;
    close(mkstemp(file));
    fault_params_defaults(&fault);
    fault.delay_us = 20;
    ends[0].peer = &ends[1];
    ends[1].peer = &ends[0];
    assert_int_equal(pair_open(&params, &nif, &ends[1].nif), ST_OK);
    assert_int_equal(pcap_wrap(nif, file, kit_log(), &nif), ST_OK);
    assert_int_equal(fault_wrap(nif, &fault, NULL, NULL, &ends[0].nif), ST_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&id[i], NULL, i < 2 ? sender : receiver, &ends[i % 2]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(id[i], NULL);
    assert_false(wrong);
    for (int i = 0; i < 2; i++)
        ends[i].nif->ops->close(ends[i].nif);
    unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_share_a_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
