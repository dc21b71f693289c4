/** All suites, one line each. */
import type { TestCase } from "./case.js";
import { failoverSuite } from "./failover.js";
import { impairSuite } from "./impair.js";
import { kernelSuite } from "./kernel.js";
import { machineSuite } from "./machine.js";
import { mtuSuite } from "./mtu.js";
import { neighbourSuite } from "./neighbour.js";
import { steerSuite } from "./steer.js";
import { tcpSuite } from "./tcp.js";
import { tcpLifeSuite } from "./tcp-life.js";
import { udpSuite } from "./udp.js";

export const suites: Readonly<Record<string, readonly TestCase[]>> = {
  machine: machineSuite,
  tcp: [...tcpSuite, ...tcpLifeSuite],
  udp: udpSuite,
  mtu: mtuSuite,
  arp: neighbourSuite,
  steer: steerSuite,
  impair: impairSuite,
  kernel: kernelSuite,
  failover: failoverSuite,
};

/** Suites that change the lab while they run, so that they are asked for by name. */
export const ON_DEMAND: ReadonlySet<string> = new Set(["failover"]);
