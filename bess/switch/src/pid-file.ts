// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { ExitCode, ExitError } from "./exit-error.js";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Writes our pid; the result removes the file. A file that a dead process left is taken over. */
export function claimPidFile(path: string): () => void {
  const write = () => writeFileSync(path, `${process.pid}\n`, { flag: "wx", mode: 0o644 });
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new ExitError(ExitCode.usage, `cannot write the pid file ${path}: ${(error as Error).message}`);
    }
    const holder = Number.parseInt(readFileSync(path, "utf8"), 10);
    if (holder > 0 && isAlive(holder)) {
      throw new ExitError(ExitCode.alreadyRunning, `already running as process ${holder} by the pid file ${path}`);
    }
    rmSync(path);
    write();
  }
  return () => rmSync(path, { force: true });
}
