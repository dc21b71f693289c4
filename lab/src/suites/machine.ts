/** What a machine must be for the figures of the other suites to mean anything. */
import type { Lab, LabMachine } from "../engine/lab.js";
import { type CaseContext, figures, type Outcome, type TestCase } from "./case.js";

type Clock = Lab["context"]["host"]["clock"];

/** Between two looks at a machine's clock. */
const APART_MS = 3000;
/** A clock may be wrong by this part. */
const TOLERANCE = 0.03;

export const machineSuite: readonly TestCase[] = [
  { id: "machine.clock", title: "the machine's seconds are as long as the host's", run: clock },
];

async function clock({ lab, from, wait }: CaseContext): Promise<Outcome> {
  const { clock: host } = lab.context.host;
  const first = await look(host, from);
  await host.delay(APART_MS, wait.signal);
  const second = await look(host, from);
  const passed = second.seconds - first.seconds;
  // When in the meantime of its answer the machine looked is unknown: the ratio lies between these two.
  const least = passed / (second.after - first.before);
  const most = passed / (second.before - first.after);
  const right = least <= 1 + TOLERANCE && most >= 1 - TOLERANCE;
  const problem = `its clock runs at ${least.toFixed(2)} to ${most.toFixed(2)} of the right rate: timers and rates are wrong`;
  return { figures: figures({ clock_rate_least: least, clock_rate_most: most }), problems: right ? [] : [problem] };
}

/** Seconds of the machine's clock, and of the host's before and after it was read. */
async function look(host: Clock, machine: LabMachine) {
  const before = host.now() / 1000;
  const { stdout } = await machine.run(["cat", "/proc/uptime"]);
  return { before, seconds: Number.parseFloat(stdout), after: host.now() / 1000 };
}
