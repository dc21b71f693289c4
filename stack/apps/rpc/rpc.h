/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What rpc_server and rpc_client agree on. A request is SIZE bytes, and so is its answer, whose first 8 bytes
 * repeat those of the request: so the client knows that it got the answer to what it asked. */
#ifndef APPS_RPC_H
#define APPS_RPC_H

#define RPC_DEFAULT_PORT 7
#define RPC_DEFAULT_SIZE 64
#define RPC_MIN_SIZE 8
#define RPC_MAX_SIZE 65536

#endif
