// SPDX-License-Identifier: BSD-3-Clause
// Plain lines, written at once: the last ones before a crash are the ones that matter. DPDK shares the descriptor.
import { openSync, writeSync } from "node:fs";

export interface Logger {
  readonly fd: number;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

const STDERR = 2;

/** Appends to `file`, or writes to standard error. */
export function openLog(file?: string): Logger {
  const fd = file === undefined ? STDERR : openSync(file, "a", 0o644);
  const line = (level: string) => (text: string) => {
    try {
      writeSync(fd, `${new Date().toISOString()} vportd ${level}: ${text}\n`);
    } catch {
      // Nowhere left to say it; a full disk must not stop the traffic.
    }
  };
  return { fd, info: line("info"), warn: line("warn"), error: line("error") };
}
