/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets for tests: each its own allocation, so that AddressSanitizer sees every overrun, and counted, so
 * that a test can demand that none is left. */
#ifndef TESTING_TEST_PKT_H
#define TESTING_TEST_PKT_H

#include "base/pkt.h"

struct test_pkts {
    size_t live;   /**< packets that somebody holds */
    size_t limit;  /**< test_pkt_alloc() fails beyond it; 0 = no limit */
    uint32_t room; /**< bytes behind the headroom */
};

/** A fresh packet, NULL at the limit. */
struct pkt *test_pkt_alloc(struct test_pkts *pool);
/** The same with so many bytes behind the headroom. */
struct pkt *test_pkt_alloc_room(struct test_pkts *pool, uint32_t room);
/** A packet that holds these bytes in memory that ends behind them. */
struct pkt *test_pkt_from(struct test_pkts *pool, const void *data, size_t len);

#endif
