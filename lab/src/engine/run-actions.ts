/** Carries actions out: consecutive ones of one kind together, each journalled before it is done. */
import { setMaxListeners } from "node:events";
import { configureStack } from "../drivers/configure-stack.js";
import { asVnflabError, type VnflabError } from "../model/error.js";
import { type Action, describeAction } from "../plan/action.js";
import type { EngineContext } from "./context.js";
import type { Journal } from "./journal.js";
import { Lab } from "./lab.js";
import { needsOf } from "./needs.js";
import { awaitMachine, checkLink, watchSwitch } from "./readiness.js";
import { type LabRecord, machineOf } from "./record.js";
import { removeLab } from "./remove-lab.js";
import { clearStrays } from "./strays.js";

export interface RunOptions {
  readonly journal: Journal;
  readonly signal: AbortSignal;
  /** Carry on with the other actions when one fails, as a clean-up does. */
  readonly keepGoing?: boolean;
}

/** Returns the failures when it keeps going; otherwise throws the first. */
export async function runActions(
  context: EngineContext,
  record: LabRecord,
  actions: readonly Action[],
  options: RunOptions,
): Promise<VnflabError[]> {
  const failures: VnflabError[] = [];
  for (const group of groupByKind(actions)) {
    if (!options.keepGoing) options.signal.throwIfAborted();
    const failed = await runGroup(context, record, group, options);
    if (failed.length > 0 && !options.keepGoing) throw failed[0];
    failures.push(...failed);
  }
  return failures;
}

async function runGroup(
  context: EngineContext,
  record: LabRecord,
  group: readonly Action[],
  options: RunOptions,
): Promise<VnflabError[]> {
  const failures: VnflabError[] = [];
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  // Each machine listens a few times, which is no leak.
  setMaxListeners(0, signal, ended.signal, options.signal);
  const fail = (thrown: unknown) => {
    // What the end of the group brings down with it is no failure of its own.
    if (!ended.signal.aborted || options.keepGoing) failures.push(asVnflabError(thrown));
    if (!options.keepGoing) ended.abort(thrown);
  };
  const guard = needsSwitch(group) ? watchSwitch(context, record.switch, signal).catch(fail) : Promise.resolve();
  await Promise.all(group.map((action) => runOne(context, record, action, { ...options, signal }).catch(fail)));
  ended.abort();
  await guard;
  return failures;
}

function needsSwitch([first]: readonly Action[]): boolean {
  return first?.kind === "start-machine" || first?.kind === "await-machine" || first?.kind === "check-link";
}

async function runOne(
  context: EngineContext,
  record: LabRecord,
  action: Action,
  { journal, signal }: RunOptions,
): Promise<void> {
  const { clock } = context.host;
  const text = describeAction(action);
  const started = clock.now();
  // The last action removes the journal itself.
  const journalled = action.kind !== "remove-lab";
  context.emit({ type: "action-started", action: text });
  if (journalled) await journal.begin(action);
  try {
    await perform(context, record, action, signal);
    if (journalled) await journal.end(action);
    context.emit({ type: "action-done", action: text, seconds: (clock.now() - started) / 1000 });
  } catch (thrown) {
    const error = asVnflabError(thrown);
    if (journalled) await journal.end(action, error);
    // What ends because another action has failed is not a failure to tell.
    const cancelled = signal.aborted && signal.reason === thrown;
    context.emit(
      cancelled ? { type: "action-cancelled", action: text } : { type: "action-failed", action: text, error },
    );
    throw thrown;
  }
}

async function perform(context: EngineContext, record: LabRecord, action: Action, signal: AbortSignal): Promise<void> {
  switch (action.kind) {
    case "clear-strays":
      return clearStrays(context, record, action);
    case "start-switch":
      await context.hostOf(record.switch).prepare(needsOf(record));
      return context.switchDriver(record.switch).start(record.switch, signal);
    case "connect-ports":
      return context.switchDriver(record.switch).connect(record.switch, signal);
    case "stop-switch":
      return context.switchDriver(record.switch).stop(record.switch);
    case "start-machine": {
      const { spec } = machineOf(record, action.machine);
      await context.hostOf(spec).files.makeDirectory(spec.stateDir);
      return context.machineDriver(spec).start(spec, signal);
    }
    case "await-machine":
      return awaitMachine(context, record, machineOf(record, action.machine).spec, signal);
    case "configure-stack": {
      const { spec, allocated } = machineOf(record, action.machine);
      return configureStack(context.machineDriver(spec), spec, allocated);
    }
    case "check-link":
      return checkLink(new Lab(context, record), action.machine, signal);
    case "stop-machine": {
      const { spec } = machineOf(record, action.machine);
      return context.machineDriver(spec).stop(spec);
    }
    case "remove-lab":
      return removeLab(context, record);
  }
}

function groupByKind(actions: readonly Action[]): Action[][] {
  const groups: Action[][] = [];
  for (const action of actions) {
    const last = groups.at(-1);
    if (last?.[0]?.kind === action.kind) last.push(action);
    else groups.push([action]);
  }
  return groups;
}
