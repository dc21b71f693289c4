/** Which combinations of levels can be had at all, whatever an experiment asks for. Each rule with its reason. */
import type { Conditions, Constraint, Experiment, FactorName, Level } from "../../model/experiment/experiment.js";
import { SHAPES } from "../../model/experiment/factors.js";

export interface Rule {
  /** One sentence, for people. */
  readonly because: string;
  allows(conditions: Conditions): boolean;
}

/** Congestion control that libmtcp has; key `cc` of stack.conf. */
export const LIBMTCP_CC: readonly Conditions["cc"][] = ["reno"];

/** The product's before the experiment's. `experiment`: with all its levels, before some of them are chosen. */
export function rulesOf(experiment: Experiment): readonly Rule[] {
  return [...productRules(experiment), ...experiment.constraints.map(ruleOf)];
}

function productRules(experiment: Experiment): Rule[] {
  // Where a factor means nothing, one of its levels stands for all of them.
  const first = (name: FactorName): Level | undefined => experiment.factors.find((it) => it.name === name)?.levels[0];
  const isFirst = (conditions: Conditions, name: FactorName) =>
    first(name) === undefined || conditions[name] === first(name);
  return [
    {
      because: "the kernel distributes in its own way, libmtcp in one of ours",
      allows: ({ stack, distribution }) => (stack === "kernel") === (distribution === "none"),
    },
    {
      because: "direct has one queue for each worker",
      allows: ({ distribution, queues, workers }) => distribution !== "direct" || queues === workers,
    },
    {
      because: "with one queue there is nothing to spread: it is measured at its first level alone",
      allows: (it) => it.queues > 1 || isFirst(it, "spread"),
    },
    {
      because: "burst is a key of libmtcp: the kernel is measured at its first level alone",
      allows: (it) => it.stack === "libmtcp" || isFirst(it, "burst"),
    },
    {
      because: "the kernel and direct have no rings between cores: they are measured at the first level of ring alone",
      allows: (it) => !(it.stack === "kernel" || it.distribution === "direct") || isFirst(it, "ring"),
    },
    {
      because: `congestion control of libmtcp is ${LIBMTCP_CC.join(", ")}`,
      allows: ({ stack, cc }) => stack === "kernel" || LIBMTCP_CC.includes(cc),
    },
    {
      because: "UDP has no congestion control: it is measured at its first level alone",
      allows: (it) => it.workload !== "udp" || it.stack === "libmtcp" || isFirst(it, "cc"),
    },
    {
      because: "only requests on connections that stay, and datagrams, can be sent when they are due",
      allows: ({ load, workload }) => load === 0 || workload === "rpc" || workload === "udp",
    },
    {
      because: "each thread of the client has a connection at least",
      allows: ({ connections, workers }) => connections >= workers,
    },
    {
      because: "udp_sink keeps 64 flows apart",
      allows: ({ workload, connections }) => workload !== "udp" || connections <= 64,
    },
    {
      because: "offload is a key of libmtcp: the kernel is measured at its first level alone",
      allows: (it) => it.stack === "libmtcp" || isFirst(it, "offload"),
    },
    {
      because: "the programs of the workload do not take this payload",
      allows: ({ workload, payload }) => payload >= SHAPES[workload].least && payload <= SHAPES[workload].most,
    },
  ];
}

function ruleOf({ when, only, because }: Constraint): Rule {
  return {
    because,
    allows(conditions) {
      const names = (lists: object) => Object.keys(lists) as FactorName[];
      if (!names(when).every((name) => when[name]?.includes(conditions[name]))) return true;
      return names(only).every((name) => {
        const allowed = only[name];
        return allowed === "=workers" ? conditions[name] === conditions.workers : allowed?.includes(conditions[name]);
      });
    },
  };
}
