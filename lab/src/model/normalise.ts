/** A lab file that the schema has passed -> Topology: defaults filled in, units taken off, paths made absolute. */
import { formatPrefix } from "./address.js";
import { DEADLINE_DEFAULTS_S, type DeadlineName } from "./deadlines.js";
import { dedicatedCores, usualQueues } from "./distribution.js";
import { type HostFile, LOCAL, parsePlace } from "./place.js";
import { type LabFile, MACHINE_DEFAULTS } from "./schema.js";
import type {
  ImpairModel,
  LinkModel,
  MachineModel,
  NicModel,
  Place,
  RouteModel,
  StackModel,
  SwitchModel,
  Topology,
} from "./topology.js";
import { parseMib, parsePercent, parseRateBps, parseTimeUs } from "./units.js";

type MachineFile = LabFile["machines"][string];
type StackFile = NonNullable<LabFile["defaults"]["stack"]>;
type LinkFile = NonNullable<LabFile["links"]>[string];

/** The one link of a lab that names none. */
const ONLY_LINK: LinkModel = { name: "lan", subnet: "169.254.9.0/24", spread: "lanes" };

export const DEFAULT_ROUTE = "0.0.0.0/0";

/** Makes the path of an image or template absolute; `path` is the key that says it. */
export type ResolvePath = (value: string, path: readonly string[]) => string;

export function normalise(file: LabFile, absolute: ResolvePath): Topology {
  const deadlines = { ...DEADLINE_DEFAULTS_S, ...defined(file.deadlines) };
  const inMs = Object.entries(deadlines).map(([name, value]) => [name, value * 1000]);
  const links = normaliseLinks(file);
  return {
    name: file.name,
    seed: file.seed,
    exclusive: file.exclusive,
    links,
    switch: normaliseSwitch(file),
    deadlinesMs: Object.fromEntries(inMs) as Record<DeadlineName, number>,
    machines: Object.entries(file.machines).map(([name, own]) => normaliseMachine(file, name, own, links, absolute)),
  };
}

function normaliseLinks(file: LabFile): LinkModel[] {
  if (!file.links) return [{ ...ONLY_LINK, ...defined({ subnet: file.subnet, spread: file.spread }) }];
  return Object.entries(file.links).map(([name, link], index) => ({
    name,
    subnet: link.subnet ?? usualSubnet(index),
    spread: link.spread ?? ONLY_LINK.spread,
    ...(link.impair ? { impair: normaliseImpair(link.impair, file.seed) } : {}),
  }));
}

/** 10.9.0.0/24 for the first link, 10.9.1.0/24 for the second. */
function usualSubnet(index: number): string {
  return formatPrefix({ address: 0x0a090000 + index * 256, length: 24 });
}

function normaliseImpair(impair: NonNullable<LinkFile["impair"]>, seed: number): ImpairModel {
  const share = (text: string | undefined) => parsePercent(text ?? "0%") ?? 0;
  const time = (text: string | undefined) => parseTimeUs(text ?? "0us") ?? 0;
  return {
    delayUs: time(impair.delay),
    jitterUs: time(impair.jitter),
    loss: share(impair.loss),
    duplicate: share(impair.duplicate),
    reorder: share(impair.reorder),
    ...defined({ rateBps: parseRateBps(impair.rate ?? "") }),
    seed: impair.seed ?? seed,
  };
}

function normaliseSwitch(file: LabFile): SwitchModel {
  const { kind, memory, hugepages, core, address, host } = file.switch;
  const place = placeOf(host ?? file.host ?? file.defaults.host);
  return { kind, place, memoryMib: parseMib(memory), hugepages, ...defined({ core, address }) };
}

function placeOf(host: HostFile | undefined): Place {
  return parsePlace(host ?? "local") ?? LOCAL;
}

function normaliseMachine(
  file: LabFile,
  name: string,
  own: MachineFile,
  links: readonly LinkModel[],
  absolute: ResolvePath,
): MachineModel {
  const kind = own.kind ?? file.defaults.kind ?? MACHINE_DEFAULTS.kind;
  const ofKind = file.kinds[kind] ?? {};
  const labWide = { ...MACHINE_DEFAULTS, ...defined({ host: file.host }) };
  const machine = { ...labWide, ...defined(file.defaults), ...defined(ofKind), ...defined(own) };
  const forwarding = machine.forwarding ?? false;
  const stack = normaliseStack([file.defaults.stack, ofKind.stack, own.stack], forwarding);
  const path = (key: "image" | "template", value: string | undefined) =>
    value === undefined ? undefined : absolute(value, whoSays(file, name, kind, key));
  const { image, template } = machine;
  const disk = typeof image === "object" ? image.qcow2 : undefined;
  return {
    name,
    kind,
    place: placeOf(machine.host),
    cpus: machine.cpus,
    nics: normaliseNics(own, machine.queues, stack, links),
    forwarding,
    routes: normaliseRoutes(machine),
    aliases: machine.aliases,
    memoryMib: parseMib(machine.memory),
    hugepagesMib: parseMib(machine.hugepages),
    accelerator: machine.accelerator,
    stack,
    ...defined({
      image: path("image", typeof image === "string" ? image : undefined),
      qcow2: path("image", disk),
      template: path("template", template),
    }),
  };
}

/** The gateway is the route to everything else. */
function normaliseRoutes(machine: {
  readonly routes: readonly { readonly to: string; readonly via: string | string[] }[];
  readonly gateway?: string;
}): RouteModel[] {
  const { routes, gateway } = machine;
  const all = gateway === undefined ? routes : [...routes, { to: DEFAULT_ROUTE, via: gateway }];
  return all.map(({ to, via }) => ({ to, via: typeof via === "string" ? [via] : via }));
}

/** The path of the key that won. */
function whoSays(file: LabFile, name: string, kind: "vm" | "process", key: "image" | "template"): string[] {
  if (file.machines[name]?.[key] !== undefined) return ["machines", name, key];
  return file.kinds[kind]?.[key] !== undefined ? ["kinds", kind, key] : ["defaults", key];
}

function normaliseNics(
  own: MachineFile,
  queues: number | undefined,
  stack: StackModel,
  links: readonly LinkModel[],
): NicModel[] {
  const usual = queues ?? (stack.kind === "kernel" ? 1 : usualQueues(stack.distribution, stack.workers));
  const nic = (link: string, { address, mac, queues: wanted }: Omit<MachineFile, "stack">): NicModel => ({
    link,
    queues: wanted ?? usual,
    ...defined({ address, mac: mac?.toLowerCase() }),
  });
  return own.nics ? own.nics.map(({ link, ...keys }) => nic(link, keys)) : [nic(links[0]?.name ?? "", own)];
}

/** `workers` and `cores` say the same in two ways: the word of the nearest level that has one of them wins. */
function normaliseStack(levels: readonly (StackFile | undefined)[], forwarding: boolean): StackModel {
  const merged: StackFile = Object.assign({}, ...levels.map((level) => defined(level ?? {})));
  const distribution = merged.distribution ?? "auto";
  const dedicated = dedicatedCores(distribution);
  const { workers, cores } =
    levels.findLast((level) => level?.workers !== undefined || level?.cores !== undefined) ?? {};
  return {
    kind: merged.kind ?? (forwarding ? "kernel" : "libmtcp"),
    distribution,
    cores: cores ?? (workers ?? 1) + dedicated,
    workers: workers ?? (cores ?? 1 + dedicated) - dedicated,
    ...defined({ rebalance: merged.rebalance }),
    config: Object.assign({}, ...levels.map((level) => level?.config)),
  };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys that are there but undefined. */
function defined<T extends object>(object: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}
