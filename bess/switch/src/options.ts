// SPDX-License-Identifier: BSD-3-Clause
// The command line.
import { Command, InvalidArgumentError, Option } from "commander";
import type { HugepageMode } from "./hugepages.js";

export interface Options {
  listen: string;
  core?: number;
  hugepages: HugepageMode;
  mem: number;
  buffers: number;
  filePrefix: string;
  logFile?: string;
  pidFile?: string;
}

function integer(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`a whole number from ${min} to ${max} is needed.`);
    }
    return value;
  };
}

function address(text: string): string {
  if (/^unix:\/./.test(text)) return text;
  const match = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d+)$/.exec(text);
  if (match === null || Number(match[2]) < 1 || Number(match[2]) > 65535) {
    throw new InvalidArgumentError("unix:/ABSOLUTE/PATH or a loopback HOST:PORT is needed; the protocol has no login.");
  }
  return text;
}

function filePrefix(text: string): string {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(text))
    throw new InvalidArgumentError("letters, digits, '_', '.', '-' are allowed.");
  return text;
}

export function parseOptions(argv: string[], version: string): Options {
  return new Command("vportd")
    .description("Switch for vhost-user ports, controlled by the BESS protocol. SIGTERM stops it.")
    .version(version)
    .requiredOption("--listen <address>", "control address: unix:/path/bess.sock or 127.0.0.1:10514", address)
    .option("--core <n>", "core of the default worker (default: the first that the process may use)", integer(0, 1023))
    .addOption(
      new Option("--hugepages <mode>", "packet memory from hugepages").choices(["auto", "on", "off"]).default("auto"),
    )
    .option("--mem <MB>", "packet memory", integer(16, 65536), 256)
    .option("--buffers <n>", "packet buffers", integer(1024, 4194304), 16384)
    .option("--file-prefix <name>", "DPDK file prefix", filePrefix, `vportd-${process.pid}`)
    .option("--log-file <file>", "log to this file instead of standard error")
    .option("--pid-file <file>", "write the process number here")
    .exitOverride()
    .parse(argv)
    .opts<Options>();
}
