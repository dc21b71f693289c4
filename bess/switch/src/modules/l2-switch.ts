// SPDX-License-Identifier: BSD-3-Clause
import { randomInt } from "node:crypto";
import { type MessageRead, pack, unpack } from "@vnflab/bess-proto";
import { DataPlaneError, Errno, invalid, RpcError } from "../errors.js";
import { macText, parseMac } from "../state/mac.js";
import { command, MAX_GATES, MAX_LANES, type ModuleClass, type Target } from "./module-class.js";

const DEFAULT_AGE_MS = 300_000;
const DEFAULT_PORT_LIMIT = 1024;
/** Keeps the table under 16 MB: the ports' limits together. */
const MAX_ADDRESSES = 2 ** 18;
/** As many entries as one query answers. */
const PAGE = 256;
const WORDS_AN_ENTRY = 4;

type Counters = Required<MessageRead<"L2SwitchCommandGetCountersResponse">>;

/** In the data plane's order. */
const COUNTERS: readonly (keyof Counters)[] = [
  "received",
  "forwarded",
  "flooded",
  "filtered",
  "runts",
  "bad_source",
  "no_buffer",
  "learned",
  "moved",
  "pinned",
  "not_learned",
  "entries",
];

function macOf(addr: string): number {
  const mac = parseMac(addr);
  if (mac === undefined) throw invalid(`${addr} is not a proper mac address`);
  return mac.number;
}

function refusedAs(text: string, code: number, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (error instanceof DataPlaneError && error.code === code) throw new RpcError(code, text);
    throw error;
  }
}

function addStatic({ id, plane }: Target, addr: string, port: number): void {
  const mac = macOf(addr);
  if (((mac / 2 ** 40) & 1) === 1) throw invalid(`${addr} is a group address`);
  refusedAs(`MAC address '${addr}' already exist`, Errno.EEXIST, () =>
    refusedAs(`Invalid port: ${port}`, Errno.EINVAL, () => void plane.command(id, "add", [mac, port])),
  );
}

function* entries({ id, plane }: Target) {
  for (let first = 0; ; first += PAGE) {
    const words = plane.query(id, "entries", [first], PAGE * WORDS_AN_ENTRY);
    for (let at = 0; at < words.length; at += WORDS_AN_ENTRY) {
      const [mac = 0, port = 0, fixed = 0, age_ms = 0] = words.slice(at, at + WORDS_AN_ENTRY);
      yield { addr: macText(mac), port, static: fixed === 1, age_ms };
    }
    if (words.length < PAGE * WORDS_AN_ENTRY) return;
  }
}

export const l2Switch: ModuleClass = {
  name: "L2Switch",
  help: "learning Ethernet switch: port i is input gate i and output gate i",
  template: "l2_switch",
  igates: MAX_GATES,
  ogates: MAX_GATES,
  commands: {
    add: command("L2SwitchCommandAddArg", true, (target, arg) => {
      for (const { addr, port } of arg.entries) addStatic(target, addr, port);
    }),
    delete: command("L2SwitchCommandDeleteArg", true, ({ id, plane }, { addrs }) => {
      for (const addr of addrs) {
        refusedAs(
          `MAC address '${addr}' does not exist`,
          Errno.ENOENT,
          () => void plane.command(id, "delete", [macOf(addr)]),
        );
      }
    }),
    flush: command("L2SwitchCommandFlushArg", true, ({ id, plane }, { port }) =>
      pack("L2SwitchCommandFlushResponse", { flushed: plane.command(id, "flush", port === undefined ? [] : [port]) }),
    ),
    set_age: command("L2SwitchCommandSetAgeArg", true, ({ id, plane }, { age_ms }) => {
      plane.command(id, "set_age", [age_ms]);
    }),
    get_table: command("L2SwitchCommandGetTableArg", true, (target) =>
      pack("L2SwitchCommandGetTableResponse", { entries: [...entries(target)] }),
    ),
    get_counters: command("L2SwitchCommandGetCountersArg", true, ({ id, plane }) => {
      const words = plane.query(id, "counters", [], COUNTERS.length);
      return pack(
        "L2SwitchCommandGetCountersResponse",
        Object.fromEntries(COUNTERS.map((name, i) => [name, words[i] ?? 0])),
      );
    }),
  },
  create(_context, any) {
    const { ports, lanes: asked, age_ms = DEFAULT_AGE_MS, port_limit } = unpack("L2SwitchArg", any);
    const lanes = asked === 0 ? 1 : asked;
    const limit = port_limit === 0 ? DEFAULT_PORT_LIMIT : port_limit;
    if (ports < 1 || lanes > MAX_LANES || ports * lanes > MAX_GATES) {
      const text = `1 port or more, up to ${MAX_LANES} lanes, up to ${MAX_GATES} of both together`;
      throw invalid(`Invalid ${ports} ports with ${lanes} lanes: ${text}`);
    }
    if (ports * limit > MAX_ADDRESSES) {
      throw invalid(`Invalid port_limit ${limit}: ${ports} ports may learn ${MAX_ADDRESSES} addresses together`);
    }
    return { args: [ports, lanes, age_ms, limit, randomInt(2 ** 47)], desc: `${ports} ports` };
  },
};
