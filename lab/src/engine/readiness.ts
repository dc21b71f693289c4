/** Climbing the ladder: each rung has a deadline, and a failure tells which one and what was seen last. */
import type { MachineSpec, Rung, RungStatus } from "../drivers/machine-driver.js";
import type { SwitchSpec } from "../drivers/switch-driver.js";
import { type Probed, waitFor } from "../host/wait.js";
import { type LogExcerpt, VnflabError } from "../model/error.js";
import type { EngineContext } from "./context.js";
import { guessCause } from "./diagnose.js";
import type { LadderRung } from "./events.js";
import type { Lab, LabMachine } from "./lab.js";
import { answerWithin } from "./patience.js";
import type { LabRecord } from "./record.js";

const CONSOLE_LINES = 40;
const SWITCH_LINES = 20;
const SWITCH_POLL_MS = 200;
/** A TCP port that no suite uses. */
const PROBE_PORT = 7;

/** All rungs that the machine's driver knows. Throws VNF_NOT_READY with the logs and what they make likely. */
export async function awaitMachine(
  context: EngineContext,
  record: LabRecord,
  spec: MachineSpec,
  signal: AbortSignal,
): Promise<void> {
  for (const rung of context.machineDriver(spec).rungs(spec)) {
    await climb(context, record, spec, { ...rung, signal });
  }
}

interface Climb extends Omit<Rung, "name"> {
  readonly name: LadderRung;
  readonly signal: AbortSignal;
  /** What an application has said, for the guess. */
  readonly said?: () => Promise<LogExcerpt>;
}

async function climb(context: EngineContext, record: LabRecord, spec: MachineSpec, rung: Climb): Promise<void> {
  const { clock } = context.host;
  const { name, deadlineMs, signal } = rung;
  const started = clock.now();
  const probe = async (asked: AbortSignal): Promise<Probed<string | undefined>> => {
    const status = await answerWithin(clock, rung.probe(asked), deadlineMs, `${spec.machine}, rung "${name}"`);
    return status.reached ? { reached: true, value: status.detail } : status;
  };
  const onDeadline = async (lastSeen: string) => {
    const said = rung.said && (await rung.said());
    return notReady(context, record, spec, { name, deadlineMs, lastSeen, ...(said ? { said } : {}) });
  };
  const detail = await waitFor(clock, probe, { deadlineMs, signal, onDeadline });
  const seconds = (clock.now() - started) / 1000;
  const event = { type: "rung-reached", machine: spec.machine, rung: name, seconds } as const;
  context.emit(detail === undefined ? event : { ...event, detail });
}

/**
 * The last rungs: an application on the stack listens, the stack has the queues that were asked for, and the switch
 * sees the link of each NIC.
 */
export async function checkLink(lab: Lab, name: string, signal: AbortSignal): Promise<void> {
  const { context, record } = lab;
  const machine = lab.machine(name);
  const deadlineMs = record.deployment.deadlinesMs.link;
  await using sink = await machine.start("tcp_sink", ["-l", String(PROBE_PORT)]);
  const said = async () => ({ file: `${sink.title}, standard error`, lines: (await sink.stop()).said });
  const up = (rung: Pick<Climb, "name" | "probe">) =>
    climb(context, record, machine.spec, { deadlineMs, signal, said, ...rung });
  const listening = async (): Promise<RungStatus> => {
    await sink.listening({ deadlineMs, signal });
    return { reached: true };
  };
  await up({ name: "listening", probe: listening });
  await up({ name: "link", probe: () => linkStatus(lab, machine) });
  await sink.stop();
}

async function linkStatus(lab: Lab, machine: LabMachine): Promise<RungStatus> {
  const { ports, detail } = await lab.switchState();
  const states = machine.allocated.nics.map((nic) => ({ nic, port: ports.find((port) => port.name === nic.port) }));
  const missing = states.find(({ port }) => !port?.linkUp);
  if (!missing) return { reached: true };
  return { reached: false, lastSeen: missing.port ? `the switch's port ${missing.nic.port} has no link` : detail };
}

interface Failure {
  readonly name: LadderRung;
  readonly deadlineMs: number;
  readonly lastSeen: string;
  readonly said?: LogExcerpt;
}

/** The error of a rung that was not reached: which, what was seen, the logs, and what they make likely. */
async function notReady(
  context: EngineContext,
  record: LabRecord,
  spec: MachineSpec,
  { name, deadlineMs, lastSeen, said }: Failure,
): Promise<VnflabError> {
  const console = await consoleTail(context, spec);
  const sw = record.switch;
  const switchLog = { file: sw.logFile, lines: await context.hostOf(sw).files.tail(sw.logFile, SWITCH_LINES) };
  const guess = guessCause({
    ...{ console: console.lines, switchLog: switchLog.lines, rung: name, lastSeen },
    ...(said ? { said: said.lines } : {}),
  });
  const seen = `${spec.machine}: the rung "${name}" was not reached in ${deadlineMs / 1000} s; last seen: ${lastSeen}`;
  return new VnflabError("VNF_NOT_READY", guess ? `${seen}; likely cause: ${guess.cause}` : seen, {
    log: console,
    moreLogs: [...(said ? [said] : []), switchLog],
    ...(guess ? { hint: guess.hint } : {}),
  });
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

async function consoleTail(context: EngineContext, spec: MachineSpec) {
  return { file: spec.consoleLog, lines: await context.hostOf(spec).files.tail(spec.consoleLog, CONSOLE_LINES) };
}
