// SPDX-License-Identifier: BSD-3-Clause
// The four classes at the edge of a pipeline: they own queues of a port.
import { type MessageName, unpack } from "@vnflab/bess-proto";
import { Errno, invalid, RpcError } from "../errors.js";
import { DRIVER, type Port } from "../state/ports.js";
import { type Command, type CreateContext, command, MAX_BURST, MAX_GATES, type ModuleClass } from "./module-class.js";

function portOf(context: CreateContext, name: string): Port {
  if (name === "") throw invalid("Field 'port' must be specified");
  const port = context.findPort(name);
  if (port === undefined) throw new RpcError(Errno.ENODEV, `Port ${name} not found`);
  return port;
}

/** Also of Source. */
export function setBurst<N extends MessageName & `${"QueueInc" | "PortInc" | "Source"}CommandSetBurstArg`>(
  arg: N,
): Command {
  return command(arg, true, ({ id, plane }, value) => {
    const { burst } = value as { burst: number };
    if (burst < 1 || burst > MAX_BURST) throw invalid(`burst size must be [1,${MAX_BURST}]`);
    plane.command(id, "set_burst", [burst]);
  });
}

export const queueInc: ModuleClass = {
  name: "QueueInc",
  help: "receives packets from one queue of a port",
  template: "queue_inc",
  igates: 0,
  ogates: 1,
  commands: { set_burst: setBurst("QueueIncCommandSetBurstArg") },
  create(context, any) {
    const { port: name, qid } = unpack("QueueIncArg", any);
    const port = portOf(context, name);
    return { args: [port.id, qid, MAX_BURST], desc: `${name}:${qid}/${DRIVER}`, port: name };
  },
};

export const queueOut: ModuleClass = {
  name: "QueueOut",
  help: "sends packets to one queue of a port",
  template: "queue_out",
  igates: 1,
  ogates: 0,
  commands: {},
  create(context, any) {
    const { port: name, qid } = unpack("QueueOutArg", any);
    return { args: [portOf(context, name).id, qid], desc: `${name}:${qid}/${DRIVER}`, port: name };
  },
};

export const portInc: ModuleClass = {
  name: "PortInc",
  help: "receives packets from all queues of a port",
  template: "port_inc",
  igates: 0,
  ogates: 1,
  commands: { set_burst: setBurst("PortIncCommandSetBurstArg") },
  create(context, any) {
    const { port: name } = unpack("PortIncArg", any);
    return { args: [portOf(context, name).id, MAX_BURST], desc: `${name}/${DRIVER}`, port: name };
  },
};

export const portOut: ModuleClass = {
  name: "PortOut",
  help: "sends packets to all queues of a port, the workers spread over them",
  template: "port_out",
  igates: MAX_GATES,
  ogates: 0,
  commands: {},
  create(context, any) {
    const { port: name } = unpack("PortOutArg", any);
    return { args: [portOf(context, name).id], desc: `${name}/${DRIVER}`, port: name };
  },
};
