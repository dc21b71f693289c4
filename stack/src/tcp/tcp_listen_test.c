/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces that begin in LISTEN and SYN-RECEIVED. */
#include "testing/tcp_trace.h"

/* [RFC 9293 3.5] passive open, three-way handshake */
static void test_handshake(void **state)
{
    struct host *h = conn_listen(NULL);

    (void)state;
    IN(h, SYN, .seq = 0, .mss = 1460);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .win = 65535);
    assert_false(tcp_listener_acceptable(h->listener));
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    STATE(h, "ESTABLISHED");
    COUNTED(h, opened_passive, 1);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
