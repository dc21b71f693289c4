// SPDX-License-Identifier: BSD-3-Clause
// Turns the handlers into the gRPC service: whatever a handler throws becomes the reply's `error`, the gRPC status
// stays OK, as with bessd.
import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { type MethodName, methodNames } from "@vnflab/bess-proto";
import { Errno, RpcError } from "../errors.js";
import type { Logger } from "../log.js";
import type { Switch } from "../switch.js";
import { daemonHandlers } from "./daemon.js";
import type { Handlers } from "./handlers.js";
import { hookHandlers } from "./hooks.js";
import { moduleHandlers } from "./modules.js";
import { portHandlers } from "./ports.js";
import { workerHandlers } from "./workers.js";

const handlers: Handlers = {
  ...daemonHandlers,
  ...workerHandlers,
  ...portHandlers,
  ...moduleHandlers,
  ...hookHandlers,
};

/** The RPCs that answer something else than EOPNOTSUPP. */
export const offered = Object.keys(handlers) as MethodName[];

export function service(sw: Switch, log: Logger): UntypedServiceImplementation {
  return Object.fromEntries(
    methodNames.map((name) => [
      name,
      (call: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) => {
        reply(null, answer(sw, log, name, call.request));
      },
    ]),
  );
}

function answer(sw: Switch, log: Logger, name: MethodName, request: object): object {
  try {
    const handler = handlers[name] as ((sw: Switch, request: object) => object) | undefined;
    if (handler === undefined) throw new RpcError(Errno.EOPNOTSUPP, `${name} is not supported by vportd`);
    return handler(sw, request);
  } catch (error) {
    if (error instanceof RpcError) {
      log.info(`${name} refused: ${error.message} (errno ${error.code})`);
      return { error: { code: error.code, errmsg: error.message } };
    }
    log.error(`${name} failed: ${error instanceof Error ? error.stack : String(error)}`);
    return { error: { code: Errno.EIO, errmsg: `Internal error in ${name}; vportd's log has the details` } };
  }
}
