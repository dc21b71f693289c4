/** A lab as the other layers see it: checked, defaults filled in, units in the names. */
import type { AcceleratorWish } from "./accelerator.js";
import type { DeadlineName } from "./deadlines.js";
import type { Distribution } from "./distribution.js";
import { VnflabError } from "./error.js";

export interface StackModel {
  /** Whose TCP/IP the machine's applications use: libmtcp, or the kernel of the machine. */
  readonly kind: "libmtcp" | "kernel";
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

/** A data interface of a machine. */
export interface NicModel {
  /** Name of the link that it is on; a machine is on a link once. */
  readonly link: string;
  /** Queue pairs. */
  readonly queues: number;
  /** `a.b.c.d/len`; absent: allocated by the plan. */
  readonly address?: string;
  /** Lower case; absent: allocated by the plan. */
  readonly mac?: string;
}

/** What a link does to the frames that pass. */
export interface ImpairModel {
  readonly delayUs: number;
  readonly jitterUs: number;
  /** 0 to 1, as the next two. */
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** Bits a second; absent: as fast as it goes. */
  readonly rateBps?: number;
  readonly seed: number;
}

/** One Ethernet segment. */
/** How frames reach the queues of a NIC: as the sender chose its queue, or by a hash of their flow. */
export const SPREADS = ["lanes", "hash"] as const;
export type Spread = (typeof SPREADS)[number];

export interface LinkModel {
  readonly name: string;
  /** Where NICs without an address get theirs from, `a.b.c.d/len`. */
  readonly subnet: string;
  readonly spread: Spread;
  readonly impair?: ImpairModel;
}

/** Where machines and switches run. */
export type Place =
  | { readonly kind: "local" }
  /** `engine`: as in DOCKER_HOST; absent: the engine that the environment names. */
  | { readonly kind: "docker"; readonly engine?: string }
  /** `destination`: user@host:port, user and port where the file says them. */
  | { readonly kind: "ssh"; readonly destination: string; readonly libvirtUri: string };

export interface RouteModel {
  /** Destination: `a.b.c.d/len`, or the name of a link. */
  readonly to: string;
  /** Next hops, that share the connections: each an address on one of the machine's links, or a machine's name. */
  readonly via: readonly string[];
}

export interface MachineModel {
  readonly name: string;
  readonly kind: "vm" | "process";
  readonly place: Place;
  readonly cpus: number;
  /** One or more; the first one is the stack's. */
  readonly nics: readonly NicModel[];
  /** Its kernel forwards between its NICs. */
  readonly forwarding: boolean;
  readonly routes: readonly RouteModel[];
  /** More addresses of its kernel, `a.b.c.d/len`. */
  readonly aliases: readonly string[];
  readonly memoryMib: number;
  readonly hugepagesMib: number;
  /** Absolute path of the image's folder; absent: the project's own image. */
  readonly image?: string;
  /** In its place: absolute path of a disk image with cloud-init, of a distribution or one's own. */
  readonly qcow2?: string;
  /** Absolute path of the domain template; absent: the project's own. */
  readonly template?: string;
  readonly accelerator: AcceleratorWish;
  readonly stack: StackModel;
}

export interface SwitchModel {
  readonly kind: "vportd" | "bessd";
  /** Where a bessd that runs already serves the control protocol; the lab's own switches get theirs from the plan. */
  readonly address?: string;
  readonly place: Place;
  readonly core?: number;
  readonly memoryMib: number;
  readonly hugepages: "auto" | "on" | "off";
}

export interface Topology {
  readonly name: string;
  /** What is left to chance comes from this number. */
  readonly seed: number;
  /** Its CPUs are its own, or it is refused. */
  readonly exclusive: boolean;
  /** In the order of the file. */
  readonly links: readonly LinkModel[];
  readonly switch: SwitchModel;
  readonly deadlinesMs: Readonly<Record<DeadlineName, number>>;
  /** In the order of the file. */
  readonly machines: readonly MachineModel[];
}

/** The NIC that the machine's stack runs on, and by whose address others reach it. */
export function firstNic<N>(machine: { readonly name: string; readonly nics: readonly N[] }): N {
  const [first] = machine.nics;
  if (first === undefined) throw new VnflabError("VNF_INTERNAL", `machine ${machine.name} has no NIC`);
  return first;
}
