/** What the plan must know of the host. Pure data: host/facts.ts reads it, tests make it up. */

export interface HostFacts {
  /** CPUs that this process may use, ascending. */
  readonly cores: readonly number[];
  readonly availableMemoryMib: number;
  /** Groups of CPUs that are threads of one physical core; a CPU in no group has its core to itself. */
  readonly siblings?: readonly (readonly number[])[];
  /** CPUs of each NUMA node; a CPU in none belongs to node 0. */
  readonly nodes?: readonly { readonly node: number; readonly cores: readonly number[] }[];
  /** Pages that are free, per node and size. */
  readonly hugepages?: readonly HugepageFacts[];
  /** CPUs that other labs have: taken when there are no others left. */
  readonly heldCores?: readonly HeldCore[];
  /** Hugepages that labs have been promised and may not have taken yet: they are among those that are free. */
  readonly heldHugepages?: readonly HeldHugepages[];
}

export interface HeldCore {
  readonly core: number;
  readonly lab: string;
  /** That lab shares it with nobody. */
  readonly exclusive?: boolean;
}

export interface HeldHugepages {
  readonly lab: string;
  readonly mib: number;
}

export interface HugepageFacts {
  readonly node: number;
  readonly sizeKib: number;
  readonly free: number;
}
