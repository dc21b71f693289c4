/**
 * A crash at a chosen moment, for tests of what a crash leaves: with VNFLAB_TEST_KILL=N the process kills itself, as
 * SIGKILL from outside would, when it comes to its N-th crash point.
 */
import type { Host } from "./host.js";

const CRASH_VARIABLE = "VNFLAB_TEST_KILL";

let passed = 0;

export function crashPoint(host: Host): void {
  const chosen = host.env[CRASH_VARIABLE];
  if (chosen === undefined) return;
  passed++;
  if (passed === Number(chosen)) process.kill(process.pid, "SIGKILL");
}
