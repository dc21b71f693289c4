// SPDX-License-Identifier: BSD-3-Clause
import type { MethodName, Reply, RequestRead } from "@vnflab/bess-proto";
import type { Switch } from "../switch.js";

/** One RPC: throws RpcError to refuse. Nothing in it waits, so that RPCs happen one after another. */
export type Handler<M extends MethodName> = (sw: Switch, request: RequestRead<M>) => Reply<M>;

export type Handlers = { [M in MethodName]?: Handler<M> };

/** Seconds since the epoch, as the timestamps of replies want it. */
export const now = () => Date.now() / 1000;
