/** Climbing the ladder: each rung has a deadline, and a failure tells which one and what was seen last. */
import type { MachineSpec, Rung } from "../drivers/machine-driver.js";
import type { SwitchSpec } from "../drivers/switch-driver.js";
import { type Probed, waitFor } from "../host/wait.js";
import { VnflabError } from "../model/error.js";
import type { EngineContext } from "./context.js";
import type { Lab } from "./lab.js";

const CONSOLE_LINES = 40;
const SWITCH_POLL_MS = 200;
/** A TCP port that no suite uses. */
const PROBE_PORT = 7;

/** All rungs that the machine's driver knows. */
export async function awaitMachine(context: EngineContext, spec: MachineSpec, signal: AbortSignal): Promise<void> {
  for (const rung of context.machineDriver(spec).rungs(spec)) await climb(context, spec, rung, signal);
}

async function climb(context: EngineContext, spec: MachineSpec, rung: Rung, signal: AbortSignal): Promise<void> {
  const { clock } = context.host;
  const started = clock.now();
  const probe = async (asked: AbortSignal): Promise<Probed<string | undefined>> => {
    const status = await rung.probe(asked);
    return status.reached ? { reached: true, value: status.detail } : status;
  };
  const onDeadline = async (lastSeen: string) =>
    new VnflabError("VNF_NOT_READY", notReached(spec.machine, rung.name, rung.deadlineMs, lastSeen), {
      log: await consoleTail(context, spec),
    });
  const detail = await waitFor(clock, probe, { deadlineMs: rung.deadlineMs, signal, onDeadline });
  const seconds = (clock.now() - started) / 1000;
  const event = { type: "rung-reached", machine: spec.machine, rung: rung.name, seconds } as const;
  context.emit(detail === undefined ? event : { ...event, detail });
}

/** The last rung: the stack starts in the machine with its configuration, and the switch sees the link of each NIC. */
export async function checkLink(lab: Lab, name: string, signal: AbortSignal): Promise<void> {
  const machine = lab.machine(name);
  const deadlineMs = lab.record.deployment.deadlinesMs.link;
  await using sink = await machine.start("tcp_sink", ["-l", String(PROBE_PORT)]);
  await sink.listening({ deadlineMs, signal });
  const probe = async (): Promise<Probed<true>> => {
    const { ports, detail } = await lab.switchState();
    const states = machine.allocated.nics.map((nic) => ({ nic, port: ports.find((port) => port.name === nic.port) }));
    const missing = states.find(({ port }) => !port?.linkUp);
    if (!missing) return { reached: true, value: true };
    return { reached: false, lastSeen: missing.port ? `the switch's port ${missing.nic.port} has no link` : detail };
  };
  const onDeadline = async (lastSeen: string) => {
    const { said } = await sink.stop();
    const log = { file: `${sink.title}, standard error`, lines: said };
    return new VnflabError("VNF_NOT_READY", notReached(name, "link", deadlineMs, lastSeen), { log });
  };
  await waitFor(lab.context.host.clock, probe, { deadlineMs, signal, onDeadline });
  await sink.stop();
}

/** Never resolves while the switch lives; rejects when it has died. */
export async function watchSwitch(context: EngineContext, spec: SwitchSpec, signal: AbortSignal): Promise<never> {
  for (;;) {
    await context.host.clock.delay(SWITCH_POLL_MS, signal);
    const { status, detail } = await context.switchDriver(spec).observe(spec);
    if (status === "running") continue;
    const log = { file: spec.logFile, lines: await context.hostOf(spec).files.tail(spec.logFile, CONSOLE_LINES) };
    throw new VnflabError("VNF_SWITCH_FAILED", `the switch has died: ${detail}`, { log });
  }
}

export async function consoleTail(context: EngineContext, spec: MachineSpec) {
  return { file: spec.consoleLog, lines: await context.hostOf(spec).files.tail(spec.consoleLog, CONSOLE_LINES) };
}

function notReached(machine: string, rung: string, deadlineMs: number, lastSeen: string): string {
  return `${machine}: the rung "${rung}" was not reached in ${deadlineMs / 1000} s; last seen: ${lastSeen}`;
}
