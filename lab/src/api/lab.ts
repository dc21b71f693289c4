/**
 * A lab from a program or a test: `await using lab = await Lab.up("lab.yaml")`.
 *
 * The lab lives as long as the object: disposal takes it down, and so does the end of the process, even by SIGKILL.
 */
import { openEngine } from "../engine/compose.js";
import type { EngineContext } from "../engine/context.js";
import { pauseOrResume, reset } from "../engine/control.js";
import { type Copied, copy } from "../engine/copy.js";
import type { LabEvent } from "../engine/events.js";
import { upInForeground } from "../engine/foreground.js";
import { impairLink } from "../engine/impair.js";
import { type Inspection, inspectLab } from "../engine/inspect.js";
import { Lab as EngineLab } from "../engine/lab.js";
import { VnflabError } from "../model/error.js";
import { parseSetting } from "../model/setting.js";
import type { ImpairModel } from "../model/topology.js";
import { type Amounts, NORMAL } from "../suites/case.js";
import type { SuiteReport } from "../suites/report.js";
import { runSuites } from "../suites/run-suites.js";
import { Machine } from "./machine.js";

export interface UpOptions {
  /** Keys of the lab file with other values: `{ "machines.vm1.cpus": 2 }`. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  /** Ends what is under way; the lab is taken down. */
  readonly signal?: AbortSignal;
  /** Told of every step; errors and notes among them. */
  readonly onEvent?: (event: LabEvent) => void;
}

export interface TestOptions {
  /** Names of suites or ids of cases; absent: all that need not be asked for. */
  readonly only?: readonly string[];
  readonly amounts?: Partial<Amounts>;
  /** Repetitions; default 1. */
  readonly rounds?: number;
  readonly seed?: number;
  /** For each step of a case; default five minutes. */
  readonly deadlineMs?: number;
  /** For report.json and the artefacts of failed cases. */
  readonly folder?: string;
}

type OpenEngine = typeof openEngine;

const DEADLINE_MS = 300_000;

export class Lab implements AsyncDisposable {
  private constructor(
    private readonly engine: EngineContext & AsyncDisposable,
    private readonly inner: EngineLab,
    private readonly running: AsyncDisposable,
    private readonly signal: AbortSignal,
  ) {}

  /** Brings a lab file up. Throws VnflabError, with nothing left behind, when it does not come up. */
  static up(file: string, options: UpOptions = {}): Promise<Lab> {
    return Lab.upWith(openEngine, file, options);
  }

  /** The same over another engine, for tests. */
  static async upWith(openWith: OpenEngine, file: string, options: UpOptions = {}): Promise<Lab> {
    const signal = options.signal ?? new AbortController().signal;
    const settings = Object.entries(options.set ?? {}).map(([key, value]) => parseSetting(`${key}=${value}`));
    const engine = await openWith(options.onEvent ?? (() => {}));
    try {
      const running = await upInForeground(engine, file, { signal, settings });
      return new Lab(engine, await EngineLab.open(engine, running.lab), running, signal);
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  get name(): string {
    return this.inner.record.lab;
  }

  get machines(): readonly Machine[] {
    return this.inner.machines.map((machine) => new Machine(machine));
  }

  /** Throws VNF_LAB_UNKNOWN when there is none of that name. */
  machine(name: string): Machine {
    return new Machine(this.inner.machine(name));
  }

  /** Copies a file or folder; one of the two is `MACHINE:PATH`. */
  copy(source: string, target: string): Promise<Copied> {
    return copy(this.inner, source, target);
  }

  /** All machines when none is named. */
  async pause(...machines: string[]): Promise<void> {
    await pauseOrResume(this.engine, this.name, "pause", named(machines));
  }

  async resume(...machines: string[]): Promise<void> {
    await pauseOrResume(this.engine, this.name, "resume", named(machines));
  }

  /** Resolves when they are ready again. */
  async reset(...machines: string[]): Promise<void> {
    await reset(this.engine, this.name, named(machines), this.signal);
  }

  /** What a link does to frames from now on; without a second argument nothing any more. */
  async impair(link: string, impair?: Partial<ImpairModel>): Promise<void> {
    const nothing = { delayUs: 0, jitterUs: 0, loss: 0, duplicate: 0, reorder: 0 };
    await impairLink(this.engine, this.name, link, impair && { ...nothing, ...impair });
  }

  inspect(): Promise<Inspection> {
    return inspectLab(this.engine, this.name);
  }

  /** Runs suites across the machines; the report tells what failed. */
  test(options: TestOptions = {}): Promise<SuiteReport> {
    const { amounts, deadlineMs = DEADLINE_MS, ...rest } = options;
    return runSuites(this.inner, { ...rest, amounts: { ...NORMAL, ...amounts }, deadlineMs, signal: this.signal });
  }

  /** Takes the lab down. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using _engine = this.engine;
    await this.running[Symbol.asyncDispose]();
  }
}

function named(machines: readonly string[]): readonly string[] | undefined {
  return machines.length === 0 ? undefined : machines;
}

export { VnflabError };
