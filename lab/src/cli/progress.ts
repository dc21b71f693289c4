/**
 * How events are shown: JSON lines, plain lines, or on a terminal the steps that are under way, each with its time, below
 * those that are done.
 */
import { formatEvent, type LabEvent } from "../engine/events.js";
import type { Io } from "./io.js";
import { type Paint, painter } from "./style.js";

export interface Progress extends Disposable {
  show(event: LabEvent): void;
}

export interface Volume {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

const REDRAW_MS = 200;
/** Seen in what is drawn, not above it. */
const LIVE: ReadonlySet<LabEvent["type"]> = new Set(["action-started", "case-started", "rung-reached"]);
const UP_AND_CLEAR = "\x1b[1A\x1b[2K";

export function progressOn(io: Io, { json, quiet, verbose }: Volume): Progress {
  if (json) return lines(io, (event) => JSON.stringify(event));
  if (quiet) return lines(io, () => undefined);
  const paint = painter(io.terminal.color);
  if (verbose) {
    const started = io.terminal.now();
    return lines(io, (event) => {
      const text = paintedLine(paint, event);
      return text && `${paint("dim", `${((io.terminal.now() - started) / 1000).toFixed(2).padStart(7)} s`)} ${text}`;
    });
  }
  return io.terminal.redraws ? new LiveProgress(io, paint) : lines(io, (event) => paintedLine(paint, event));
}

function lines(io: Io, format: (event: LabEvent) => string | undefined): Progress {
  return {
    show(event) {
      const line = format(event);
      if (line !== undefined) io.err(`${line}\n`);
    },
    [Symbol.dispose]() {},
  };
}

/** The mark at the beginning tells how it ended. */
function paintedLine(paint: Paint, event: LabEvent): string | undefined {
  const line = formatEvent(event);
  if (line === undefined) return undefined;
  const [mark = ""] = line;
  if (mark === "✔") return paint("green", mark) + line.slice(1);
  if (mark === "✘") return paint("red", mark) + line.slice(1);
  if (mark === "!") return paint("yellow", mark) + line.slice(1);
  return paint("dim", line);
}

/** Steps under way are drawn again and again; what has ended is printed above them and stays. */
class LiveProgress implements Progress {
  private readonly running = new Map<string, { readonly since: number; reached: string }>();
  private drawn = 0;
  private readonly timer: Disposable;

  constructor(
    private readonly io: Io,
    private readonly paint: Paint,
  ) {
    this.timer = io.terminal.every(REDRAW_MS, () => this.redraw([]));
  }

  show(event: LabEvent): void {
    this.follow(event);
    const line = LIVE.has(event.type) ? undefined : paintedLine(this.paint, event);
    this.redraw(line === undefined ? [] : [line]);
  }

  [Symbol.dispose](): void {
    this.timer[Symbol.dispose]();
    this.running.clear();
    this.redraw([]);
  }

  private follow(event: LabEvent): void {
    const begin = (step: string) => this.running.set(step, { since: this.io.terminal.now(), reached: "" });
    if (event.type === "action-started") begin(event.action);
    else if (event.type === "case-started") begin(event.case);
    else if (event.type === "case-done") this.running.delete(event.case);
    else if ("action" in event) this.running.delete(event.action);
    else if (event.type === "rung-reached") {
      for (const [step, state] of this.running) {
        if (step.split(/[ ,]/).includes(event.machine)) state.reached = event.rung;
      }
    }
  }

  private redraw(done: readonly string[]): void {
    const live = [...this.running].map(([action, { since, reached }]) => {
      const seconds = ((this.io.terminal.now() - since) / 1000).toFixed(1);
      return this.paint("dim", this.fit(`… ${action} (${seconds} s${reached === "" ? "" : `, ${reached}`})`));
    });
    if (this.drawn === 0 && done.length === 0 && live.length === 0) return;
    const text = [...done, ...live].map((line) => `${line}\n`).join("");
    this.io.err(UP_AND_CLEAR.repeat(this.drawn) + text);
    this.drawn = live.length;
  }

  /** A line that wraps would count as two. */
  private fit(line: string): string {
    return line.length < this.io.terminal.columns ? line : `${line.slice(0, this.io.terminal.columns - 2)}…`;
  }
}
