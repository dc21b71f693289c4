#!/usr/bin/env node
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const MIN_MAJOR = 20;
const own = fileURLToPath(import.meta.url);
/** The Node.js that `make setup` fetches where the system's is too old. */
const toolchain = fileURLToPath(new URL("../../build/toolchain/bin/node", import.meta.url));
const built = new URL("../dist/cli/main.js", import.meta.url);
const args = process.argv.slice(2);

function fail(code, what, hint) {
  process.stderr.write(`error ${code}: ${what}\nhint: ${hint}\n`);
  process.exitCode = 9;
}

/** Runs this program again under the newer Node.js; signals go on to it, which tears down in order. A terminal sends
 *  Ctrl-C to both of us by itself. */
function runUnder(node) {
  const child = spawn(node, [own, ...args], { stdio: "inherit" });
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

if (Number.parseInt(process.versions.node, 10) < MIN_MAJOR) {
  if (existsSync(toolchain)) runUnder(toolchain);
  else
    fail(
      "VNF_NOT_BUILT",
      `Node.js ${process.versions.node} is too old, ${MIN_MAJOR} is needed`,
      "run `make build` in the repository",
    );
} else if (existsSync(built)) {
  const { main } = await import(built);
  await main(args);
} else {
  fail("VNF_NOT_BUILT", "vnflab is not built", "run `make build` in the repository");
}
