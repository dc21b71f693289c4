// SPDX-License-Identifier: BSD-3-Clause
// The daemon's life: claim the pid file, start DPDK, serve, take everything down again.
import { existsSync, readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { Cleanup } from "./cleanup.js";
import type { DataPlane } from "./dataplane/dataplane.js";
import { DEFAULT_LIBRARY, startNative } from "./dataplane/native.js";
import { ExitCode, ExitError } from "./exit-error.js";
import { chooseHugepages } from "./hugepages.js";
import { checkAddress, listen } from "./listen.js";
import { type Logger, openLog } from "./log.js";
import { type Options, parseOptions } from "./options.js";
import { claimPidFile } from "./pid-file.js";
import { service } from "./rpc/service.js";
import { Switch } from "./switch.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const VERSION = `vportd-${version}`;
/** How often hooks are looked at whose reader may have gone. */
const DEAD_HOOKS_MS = 250;

/** Runs until told to stop; the result is the exit code. */
export async function main(argv: string[]): Promise<number> {
  let log: Logger = openLog();
  try {
    const options = parseOptions(argv, VERSION);
    log = openLog(options.logFile);
    await serve(options, log);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.usage; // it has said why
    const known = error instanceof ExitError;
    const text = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error(text);
    if (log.fd !== 2) process.stderr.write(`vportd: ${text}\n`);
    return known ? error.exitCode : ExitCode.failure;
  }
}

async function serve(options: Options, log: Logger): Promise<void> {
  await using cleanup = new Cleanup();
  const stop = stopSignals(log);
  if (options.pidFile !== undefined) cleanup.defer(claimPidFile(options.pidFile));
  await checkAddress(options.listen);
  const plane = startDataPlane(options, log);
  cleanup.defer(() => plane.stop());
  const defaultCore = options.core ?? firstCore();
  const sw = new Switch(plane, { version: VERSION, defaultCore, onKill: () => setImmediate(stop.now, "KillBess") });
  const server = await listen(options.listen, service(sw, log));
  cleanup.defer(
    () =>
      new Promise<void>((resolve) => {
        // Answers under way may go out; a client that keeps the connection does not hold us up.
        const force = setTimeout(() => server.forceShutdown(), 200);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  );
  const reaper = setInterval(() => {
    for (const hook of sw.removeDeadHooks()) log.info(`removed a hook whose reader has gone: ${hook}`);
  }, DEAD_HOOKS_MS);
  cleanup.defer(() => clearInterval(reaper));
  process.stderr.write(`vportd: serving ${options.listen}\n`);
  log.info(`serving ${options.listen}, default worker on core ${defaultCore}`);
  log.info(`stopping: ${await stop.reason}`);
}

function startDataPlane(options: Options, log: Logger): DataPlane {
  const library = process.env.VPORTD_DATAPLANE ?? DEFAULT_LIBRARY;
  if (!existsSync(library)) {
    throw new ExitError(ExitCode.dataPlane, `the data plane ${library} is missing: build it, or set VPORTD_DATAPLANE`);
  }
  const huge = chooseHugepages(options.hugepages, options.mem, readFileSync("/proc/meminfo", "utf8"));
  log.info(`packet memory: ${options.mem} MB ${huge.use ? "of hugepages" : "without hugepages"} (${huge.reason})`);
  try {
    return startNative({
      library,
      filePrefix: options.filePrefix,
      pluginDir: process.env.VPORTD_DPDK_PLUGINS ?? null,
      memMb: options.mem,
      buffers: options.buffers,
      hugepages: huge.use,
      logFd: log.fd,
    });
  } catch (cause) {
    const hint = huge.use && options.hugepages === "on" ? " (try --hugepages off)" : "";
    throw new ExitError(ExitCode.dataPlane, `${(cause as Error).message}${hint}`, { cause });
  }
}

/** The first core of "0-3,8" in the process's own status. */
function firstCore(): number {
  const list = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(list ?? 0);
}

/** Settles when something asks for the end; rejects when the process is not sane any more. */
function stopSignals(log: Logger): { reason: Promise<string>; now(reason: string): void } {
  let now: (reason: string) => void = () => undefined;
  const reason = new Promise<string>((resolve, reject) => {
    now = resolve;
    process.on("uncaughtException", reject);
  });
  reason.catch(() => undefined); // whoever awaits it is told
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => now(signal));
  process.on("SIGHUP", () => log.info("SIGHUP ignored"));
  process.stderr.on("error", () => undefined); // its reader may be gone
  return { reason, now };
}
