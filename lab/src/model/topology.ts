/** A lab as the other layers see it: checked, defaults filled in, units in the names. */
import type { AcceleratorWish } from "./accelerator.js";
import type { Distribution } from "./distribution.js";
import type { DEADLINE_DEFAULTS_S } from "./schema.js";

export interface StackModel {
  /** CPUs that it uses: those of the workers, and those that only distribute. */
  readonly cores: number;
  /** Threads that an application has. */
  readonly workers: number;
  readonly distribution: Distribution;
  /** Absent: as the stack does by itself. */
  readonly rebalance?: boolean;
  /** More keys of stack.conf. */
  readonly config: Readonly<Record<string, string | number>>;
}

export interface MachineModel {
  readonly name: string;
  readonly kind: "vm" | "process";
  readonly cpus: number;
  /** Queue pairs of the data interface. */
  readonly queues: number;
  readonly memoryMib: number;
  readonly hugepagesMib: number;
  /** Absolute path of the image's folder; absent: the project's own image. */
  readonly image?: string;
  /** Absolute path of the domain template; absent: the project's own. */
  readonly template?: string;
  readonly accelerator: AcceleratorWish;
  /** `a.b.c.d/len`; absent: allocated by the plan. */
  readonly address?: string;
  /** Lower case; absent: allocated by the plan. */
  readonly mac?: string;
  readonly stack: StackModel;
}

export interface SwitchModel {
  readonly kind: "vportd";
  readonly core?: number;
  readonly memoryMib: number;
  readonly hugepages: "auto" | "on" | "off";
}

export type DeadlineName = keyof typeof DEADLINE_DEFAULTS_S;

export interface Topology {
  readonly name: string;
  readonly subnet: string;
  readonly switch: SwitchModel;
  readonly deadlinesMs: Readonly<Record<DeadlineName, number>>;
  /** In the order of the file. */
  readonly machines: readonly MachineModel[];
}
