/**
 * An engine that waits only so long for an answer. A guest agent, a switch or a connection to another host can hang
 * without an error; what is asked of machines and switch through this engine then ends with one that names it.
 */
import type { GuestCommand, GuestProcess, MachineDriver, MachineSpec } from "../drivers/machine-driver.js";
import type { SwitchDriver } from "../drivers/switch-driver.js";
import type { Clock } from "../host/clock.js";
import { NEVER, withDeadline } from "../host/wait.js";
import { VnflabError } from "../model/error.js";
import type { EngineContext } from "./context.js";

/** What answers at once or has deadlines of its own. */
const NOT_WAITED_FOR: readonly PropertyKey[] = ["rungs", "terminal", "release", Symbol.asyncDispose];
const TITLE_MAX = 100;

/** Every answer must come within `deadlineMs`; throws VNF_NO_ANSWER. Commands with a deadline of their own may last. */
export function patientEngine(context: EngineContext, deadlineMs: number): EngineContext {
  const patience = new Patience(context.host.clock, deadlineMs);
  return {
    ...context,
    machineDriver: (spec) => patience.machines(context.machineDriver(spec)),
    switchDriver: (placed) => patience.switches(context.switchDriver(placed)),
  };
}

/** The promise's outcome, or VNF_NO_ANSWER with what was waited for. */
export async function answerWithin<T>(clock: Clock, work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  const onDeadline = () => new VnflabError("VNF_NO_ANSWER", `no answer after ${deadlineMs / 1000} s: ${what}`);
  let answered = false;
  const settled = work.finally(() => {
    answered = true;
  });
  settled.catch(() => {});
  // Most answers are there at once and need no timer.
  await Promise.race([settled.catch(() => {}), new Promise((resolve) => setImmediate(resolve))]);
  // An interruption does not cut an answer off: what was begun is still to be taken back by the same calls.
  return answered ? settled : withDeadline(clock, settled, { deadlineMs, signal: NEVER, onDeadline });
}

class Patience {
  constructor(
    private readonly clock: Clock,
    private readonly deadlineMs: number,
  ) {}

  machines(driver: MachineDriver): MachineDriver {
    return new Proxy(driver, {
      get: (target, key) => {
        if (key === "control") return this.each(target.control, machineTitle);
        if (key === "exec") return (spec: MachineSpec, command: GuestCommand) => this.exec(target, spec, command);
        if (key === "readFile") return (spec: MachineSpec, path: string) => this.chunks(target, spec, path);
        return this.member(target, key, machineTitle);
      },
    });
  }

  switches(driver: SwitchDriver): SwitchDriver {
    return this.each(driver, (method) => `${method} of the switch`);
  }

  private each<D extends object>(driver: D, title: Title): D {
    return new Proxy(driver, { get: (target, key) => this.member(target, key, title) });
  }

  private member(target: object, key: PropertyKey, title: Title): unknown {
    const value: unknown = Reflect.get(target, key, target);
    if (typeof value !== "function") return value;
    if (NOT_WAITED_FOR.includes(key)) return value.bind(target);
    return (...args: unknown[]) => this.answer(title(String(key), args), value.apply(target, args) as Promise<unknown>);
  }

  private async exec(driver: MachineDriver, spec: MachineSpec, command: GuestCommand): Promise<GuestProcess> {
    const what = `${spec.machine}: ${command.argv.join(" ")}`.slice(0, TITLE_MAX);
    const process = await this.answer(`start of ${what}`, driver.exec(spec, command));
    return {
      signal: (name) => this.answer(`${name} to ${what}`, process.signal(name)),
      wait: () => (command.ownDeadline ? process.wait() : this.answer(`end of ${what}`, process.wait())),
    };
  }

  private async *chunks(driver: MachineDriver, spec: MachineSpec, path: string): AsyncGenerator<Uint8Array> {
    const chunks = driver.readFile(spec, path)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.answer(machineTitle("readFile", [spec, path]), chunks.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      void chunks.return?.()?.catch(() => {});
    }
  }

  private answer<T>(what: string, work: Promise<T>): Promise<T> {
    return answerWithin(this.clock, work, this.deadlineMs, what);
  }
}

type Title = (method: string, args: readonly unknown[]) => string;

/** `putFile of vm1: /run/vnflab/stack.conf` */
function machineTitle(method: string, [spec, detail]: readonly unknown[]): string {
  const machine = (spec as MachineSpec).machine;
  return typeof detail === "string" ? `${method} of ${machine}: ${detail}` : `${method} of ${machine}`;
}
