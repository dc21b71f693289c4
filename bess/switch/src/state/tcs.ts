// SPDX-License-Identifier: BSD-3-Clause
// Traffic classes, as far as attaching tasks to workers needs them: every worker's tasks share it round-robin, and a
// named round_robin class at a worker's root is another name for that worker.
import type { Reply, RequestRead } from "@vnflab/bess-proto";
import { invalid, missing, unsupported } from "../errors.js";
import type { Graph } from "./graph.js";
import type { Workers } from "./workers.js";

type TrafficClass = NonNullable<RequestRead<"AddTc">["class"]>;
type Status = NonNullable<Reply<"ListTcs">["classes_status"]>[number];

const POLICIES = ["priority", "weighted_fair", "round_robin", "rate_limit", "leaf"];
const RESOURCES = ["count", "cycle", "packet", "bit"];
const ANY_WORKER = -1;

export class TrafficClasses {
  /** Named round_robin classes and their workers. */
  readonly #named = new Map<string, number>();

  constructor(
    private readonly workers: Workers,
    private readonly graph: Graph,
  ) {}

  add(tc: TrafficClass): void {
    if (tc.name === "") throw invalid("Missing 'name' field");
    if (tc.name.startsWith("!")) throw invalid(`Name '${tc.name}' is reserved`);
    if (this.#named.has(tc.name)) throw invalid(`Name '${tc.name}' already exists`);
    if (tc.policy === "leaf") throw invalid("Cannot create leaf TC. Use UpdateTcParentRequest message");
    if (!POLICIES.includes(tc.policy)) throw invalid("Invalid traffic policy");
    const needsResource = tc.policy === "rate_limit" || tc.policy === "weighted_fair";
    if (needsResource && !RESOURCES.includes(tc.resource)) throw invalid("Invalid resource");
    const wid = this.#place(tc);
    if (tc.policy !== "round_robin" || tc.parent !== "") {
      throw unsupported(`Only round_robin classes at the root of a worker are supported, not '${tc.policy}'`);
    }
    this.workers.get(wid);
    this.#named.set(tc.name, wid);
  }

  /** Attaches a module's task to a worker; without worker and parent it becomes an orphan. */
  updateParent(tc: TrafficClass): void {
    if (tc.leaf_module_name === "") {
      if (!this.#named.has(tc.name)) throw missing(`No TC '${tc.name}' found`);
      throw unsupported("Only the tasks of modules can be moved");
    }
    const module = this.graph.get(tc.leaf_module_name);
    const id = tc.leaf_module_taskid;
    if (id >= module.tasks) throw missing(`Task ${module.name}:${id} does not exist`);
    const wid = this.#place(tc);
    if (wid === ANY_WORKER) this.workers.detach((task) => task.module === module && task.id === id);
    else this.workers.attach(module, id, wid, tc.parent);
  }

  /** The worker that `wid` or `parent` means. */
  #place({ wid, parent }: TrafficClass): number {
    if (parent === "") return wid;
    if (wid !== ANY_WORKER) throw invalid("Both 'parent' and 'wid'have been specified");
    const found = this.#named.get(parent);
    if (found === undefined) throw missing(`No TC '${parent}' found`);
    return found;
  }

  /** Classes go, and every task becomes an orphan. */
  reset(): void {
    this.workers.detach(() => true);
    this.#named.clear();
  }

  /** The classes of a worker that ends go with it. */
  dropWorker(wid: number): void {
    for (const [name, holder] of this.#named) if (holder === wid) this.#named.delete(name);
  }

  list(wid: number): Status[] {
    const workers = wid === ANY_WORKER ? [...this.workers] : [this.workers.get(wid)];
    return workers.flatMap((worker) => {
      const named = [...this.#named].filter(([, holder]) => holder === worker.wid).map(([name]) => name);
      const direct = worker.tasks.filter(({ parent }) => parent === "").length;
      const root = named.length + direct > 1 ? `!default_rr_${worker.wid}` : "";
      const roundRobin = (name: string, parent: string) => ({
        class: { name, policy: "round_robin", wid: worker.wid, parent },
        parent,
      });
      return [
        ...(root === "" ? [] : [roundRobin(root, "")]),
        ...named.map((name) => roundRobin(name, root)),
        ...worker.tasks.map((task) => {
          const parent = task.parent === "" ? root : task.parent;
          return {
            class: {
              name: `!leaf_${task.module.name}:${task.id}`,
              policy: "leaf",
              wid: worker.wid,
              parent,
              leaf_module_name: task.module.name,
              leaf_module_taskid: task.id,
            },
            parent,
          };
        }),
      ];
    });
  }
}
