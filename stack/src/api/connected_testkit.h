/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A connection between the two stacks of api_testkit.h, made before each test and gone after it. For tests
 * only, included once, after cmocka. */
#ifndef API_CONNECTED_TESTKIT_H
#define API_CONNECTED_TESTKIT_H

#include "api/api_testkit.h"

static struct kit kit;
static int listener, client, server;
static mctx_t C, S; /**< of the client and of the server */

static int make_world(void **state)
{
    (void)state;
    kit_open(&kit, 1);
    C = kit.ctx[0];
    S = kit.ctx[1];
    listener = kit_listener(&kit, 1, KIT_PORT);
    kit_connect(&kit, listener, &client, &server);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    kit_close(&kit);
    return 0;
}

#endif
