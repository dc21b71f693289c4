/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A network namespace of the test's own, for what runs on the kernel's sockets. */
#ifndef TESTING_OWN_NETWORK_H
#define TESTING_OWN_NETWORK_H

#define OWN_ADDRESS "10.7.0.1" /* 127.0.0.1 is no address of a stack */

/** Moves the process into a new network namespace that has the loopback interface alone, with OWN_ADDRESS/8.
 * A group setup of cmocka: 0, or -1 when the host does not allow it. */
int own_network(void **state);

#endif
