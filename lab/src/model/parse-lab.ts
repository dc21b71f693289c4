/** The text of a lab file -> Topology. All problems are reported together, each with line, column and key. */
import { dirname, resolve } from "node:path";
import { isMap, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";
import { isHostOf, parsePrefix } from "./address.js";
import { dedicatedCores, usualQueues } from "./distribution.js";
import { VnflabError } from "./error.js";
import { DEADLINE_DEFAULTS_S, type LabFile, labJsonSchema, labSchema, MACHINE_DEFAULTS } from "./schema.js";
import { didYouMean } from "./suggest.js";
import type { DeadlineName, MachineModel, StackModel, Topology } from "./topology.js";

type Path = readonly PropertyKey[];

interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** `file` is the absolute path of the text: for messages, and for the paths that the file names. */
export function parseLab(text: string, file: string): Topology {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax) throw invalid(file, [{ at: lines.linePos(syntax.pos[0]), path: [], message: syntax.message }]);
  const located = (problem: Problem) => ({
    ...problem,
    at: lines.linePos(findNode(document.contents, problem.path)?.range?.[0] ?? 0),
  });

  const parsed = labSchema.safeParse(document.toJS());
  if (!parsed.success) throw invalid(file, parsed.error.issues.flatMap(explain).map(located));
  const topology = normalise(parsed.data, dirname(file));
  const contradictions = crossCheck(topology);
  if (contradictions.length > 0) throw invalid(file, contradictions.map(located));
  return topology;
}

function invalid(file: string, problems: (Problem & { at: { line: number; col: number } })[]): VnflabError {
  const inOrder = problems.toSorted((a, b) => a.at.line - b.at.line || a.at.col - b.at.col);
  const lines = inOrder.map(({ at, path, message }) => {
    const key = path.length > 0 ? `${path.map(String).join(".")}: ` : "";
    return `${file}:${at.line}:${at.col}: ${key}${message}`;
  });
  return new VnflabError("VNF_LAB_INVALID", lines.join("\n"));
}

/** The node at a path, or its nearest ancestor that exists. For an unknown key: the key itself. */
function findNode(root: Node | null, path: Path): Node | null {
  let node: Node | null = root;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(key) === String(part));
      if (!pair) return node;
      node = (depth === path.length - 1 ? pair.key : (pair.value ?? pair.key)) as Node;
    } else if (isSeq(node)) {
      node = (node.items[Number(part)] as Node | undefined) ?? node;
    } else {
      return node;
    }
  }
  return node;
}

function explain(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const allowed = allowedKeys(issue.path);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `unknown key${didYouMean(key, allowed)}; allowed: ${allowed.join(", ")}`,
    }));
  }
  if (issue.code === "invalid_value") {
    const allowed = issue.values.map(String);
    return [{ path: issue.path, message: `must be one of ${allowed.join(", ")}` }];
  }
  if (issue.code === "invalid_key") {
    return [{ path: issue.path, message: issue.issues[0]?.message ?? issue.message }];
  }
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return [{ path: issue.path, message: missing ? "is required" : issue.message }];
}

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly additionalProperties?: JsonSchemaNode;
}

function allowedKeys(path: Path): string[] {
  let node: JsonSchemaNode | undefined = labJsonSchema() as JsonSchemaNode;
  for (const part of path) node = node?.properties?.[String(part)] ?? node?.additionalProperties;
  return Object.keys(node?.properties ?? {});
}

function normalise(file: LabFile, folder: string): Topology {
  const deadlines = { ...DEADLINE_DEFAULTS_S, ...defined(file.deadlines) };
  const inMs = Object.entries(deadlines).map(([name, value]) => [name, value * 1000]);
  return {
    name: file.name,
    subnet: file.subnet,
    switch: {
      kind: file.switch.kind,
      memoryMib: mib(file.switch.memory),
      hugepages: file.switch.hugepages,
      ...(file.switch.core === undefined ? {} : { core: file.switch.core }),
    },
    deadlinesMs: Object.fromEntries(inMs) as Record<DeadlineName, number>,
    machines: Object.entries(file.machines).map(([name, own]) => {
      const machine = { ...MACHINE_DEFAULTS, ...defined(file.defaults), ...defined(own) };
      const stack = normaliseStack(file.defaults.stack, own.stack);
      return {
        name,
        kind: machine.kind,
        cpus: machine.cpus,
        queues: machine.queues ?? usualQueues(stack.distribution, stack.workers),
        memoryMib: mib(machine.memory),
        hugepagesMib: mib(machine.hugepages),
        accelerator: machine.accelerator,
        stack,
        ...defined({
          image: machine.image && resolve(folder, machine.image),
          template: machine.template && resolve(folder, machine.template),
          address: own.address,
          mac: own.mac?.toLowerCase(),
        }),
      };
    }),
  };
}

type StackFile = NonNullable<LabFile["defaults"]["stack"]>;

/** `workers` and `cores` say the same in two ways: the machine's own word wins over that of `defaults`. */
function normaliseStack(usual: StackFile = {}, own: StackFile = {}): StackModel {
  const distribution = own.distribution ?? usual.distribution ?? "auto";
  const dedicated = dedicatedCores(distribution);
  const { workers, cores } = own.workers === undefined && own.cores === undefined ? usual : own;
  const rebalance = own.rebalance ?? usual.rebalance;
  return {
    distribution,
    cores: cores ?? (workers ?? 1) + dedicated,
    workers: workers ?? (cores ?? 1 + dedicated) - dedicated,
    ...(rebalance === undefined ? {} : { rebalance }),
    config: { ...usual.config, ...own.config },
  };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys that are there but undefined. */
function defined<T extends object>(object: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}

function mib(size: string): number {
  return Number(size.slice(0, -1)) * (size.endsWith("G") ? 1024 : 1);
}

/** What no single key shows. */
function crossCheck(topology: Topology): Problem[] {
  const problems: Problem[] = [];
  const owners = new Map<string, string>();
  for (const machine of topology.machines) {
    const at = (key: string) => ["machines", machine.name, key];
    for (const key of ["address", "mac"] as const) {
      const value: string | undefined = machine[key]?.split("/")[0];
      if (value === undefined) continue;
      const owner = owners.get(value);
      if (owner) problems.push({ path: at(key), message: `${value} already belongs to machine ${owner}` });
      owners.set(value, machine.name);
    }
    problems.push(...checkMachine(machine).map(({ key, message }) => ({ path: at(key), message })));
  }
  return problems;
}

/** Left for the guest's kernel and programs beside DPDK's hugepages. */
const GUEST_MIB = 192;

function checkMachine(machine: MachineModel): { key: string; message: string }[] {
  const problems: { key: string; message: string }[] = [];
  const prefix = parsePrefix(machine.address ?? "");
  if (prefix && !isHostOf(prefix, prefix.address)) {
    problems.push({ key: "address", message: `${machine.address} is the network or broadcast address itself` });
  }
  if (machine.kind === "vm" && machine.memoryMib < machine.hugepagesMib + GUEST_MIB) {
    const least = machine.hugepagesMib + GUEST_MIB;
    problems.push({
      key: "memory",
      message: `${machine.memoryMib}M is too little: hugepages and guest need ${least}M`,
    });
  }
  return [...problems, ...checkStack(machine)];
}

function checkStack({ kind, cpus, queues, stack }: MachineModel): { key: string; message: string }[] {
  const { distribution, cores, workers } = stack;
  const dedicated = dedicatedCores(distribution);
  const problems: { key: string; message: string }[] = [];
  if (workers < 1) {
    const message = `${distribution} takes ${dedicated} of the cores for itself: it needs ${dedicated + 1} or more, not ${cores}`;
    problems.push({ key: "stack", message });
  } else if (workers + dedicated !== cores) {
    problems.push({ key: "stack", message: "give workers or cores, not both" });
  }
  if (kind === "vm" && cores > cpus) {
    const what = dedicated === 0 ? `${workers} workers` : `${workers} workers and ${dedicated} of ${distribution}`;
    problems.push({ key: "stack", message: `${what} need as many cpus, not ${cpus}` });
  }
  if (distribution === "direct" && queues < workers) {
    const message = `direct needs a queue for each of ${workers} workers, not ${queues}; auto, shared, 1kb and 2kb do not`;
    problems.push({ key: "queues", message });
  }
  return problems;
}
