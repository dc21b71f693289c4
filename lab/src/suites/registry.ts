/** All suites, one line each. */
import type { TestCase } from "./case.js";
import { machineSuite } from "./machine.js";
import { steerSuite } from "./steer.js";
import { tcpSuite } from "./tcp.js";
import { udpSuite } from "./udp.js";

export const suites: Readonly<Record<string, readonly TestCase[]>> = {
  machine: machineSuite,
  tcp: tcpSuite,
  udp: udpSuite,
  steer: steerSuite,
};
