/** A lab as a picture: machines are boxes, links are ellipses, NICs are the lines between them. */
import { placeName } from "../model/place.js";
import type { ImpairModel, LinkModel, MachineModel, NicModel } from "../model/topology.js";

/** What a topology and a deployment have in common. */
export interface GraphInput {
  readonly name: string;
  readonly links: readonly LinkModel[];
  readonly machines: readonly (Omit<MachineModel, "nics"> & { readonly nics: readonly NicModel[] })[];
}

interface Node {
  readonly id: string;
  readonly kind: "machine" | "link";
  readonly lines: readonly string[];
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

function graphOf({ links, machines }: GraphInput): Graph {
  return {
    nodes: [
      ...links.map((link): Node => ({ id: linkId(link.name), kind: "link", lines: describeLink(link) })),
      ...machines.map((it): Node => ({ id: machineId(it.name), kind: "machine", lines: describeMachine(it) })),
    ],
    edges: machines.flatMap(({ name, nics }) =>
      nics.map(({ link, address = "" }) => ({ from: machineId(name), to: linkId(link), label: address })),
    ),
  };
}

// No name has an underscore, so machines and links cannot clash, nor `a-b` with `a_b`.
const machineId = (name: string) => `m_${name.replaceAll("-", "_")}`;
const linkId = (name: string) => `l_${name.replaceAll("-", "_")}`;

function describeMachine({ name, kind, cpus, stack, forwarding, place }: GraphInput["machines"][number]): string[] {
  const what = kind === "vm" ? `VM, ${cpus} CPU${cpus === 1 ? "" : "s"}` : "process";
  const speaks = forwarding ? "forwards" : stack.kind;
  return [name, `${what}, ${speaks}`, ...(place.kind === "local" ? [] : [placeName(place)])];
}

function describeLink({ name, subnet, impair }: LinkModel): string[] {
  const harm = impair ? describeImpair(impair) : "";
  return [name, subnet, ...(harm === "" ? [] : [harm])];
}

function describeImpair({ delayUs, jitterUs, loss, duplicate, reorder, rateBps }: ImpairModel): string {
  const ms = (us: number) => `${us / 1000} ms`;
  const percent = (share: number) => `${Number((share * 100).toFixed(6))} %`;
  return [
    ...(delayUs > 0 ? [ms(delayUs) + (jitterUs > 0 ? ` ± ${ms(jitterUs)}` : "")] : []),
    ...(loss > 0 ? [`${percent(loss)} loss`] : []),
    ...(duplicate > 0 ? [`${percent(duplicate)} twice`] : []),
    ...(reorder > 0 ? [`${percent(reorder)} overtake`] : []),
    ...(rateBps === undefined ? [] : [`${rateBps / 1e6} Mbit/s`]),
  ].join(", ");
}

export function renderMermaid(input: GraphInput): string {
  const { nodes, edges } = graphOf(input);
  const shape = ({ id, kind, lines }: Node) =>
    kind === "machine" ? `${id}["${lines.join("<br/>")}"]` : `${id}(["${lines.join("<br/>")}"])`;
  const arrow = ({ from, to, label }: Edge) => `${from} ---${label === "" ? "" : `|"${label}"|`} ${to}`;
  return `${["graph LR", ...[...nodes.map(shape), ...edges.map(arrow)].map((line) => `  ${line}`)].join("\n")}\n`;
}

export function renderDot(input: GraphInput): string {
  const { nodes, edges } = graphOf(input);
  const shape = ({ id, kind, lines }: Node) =>
    `${id} [shape=${kind === "machine" ? "box" : "ellipse"}, label="${lines.join("\\n")}"];`;
  const line = ({ from, to, label }: Edge) => `${from} -- ${to}${label === "" ? "" : ` [label="${label}"]`};`;
  const style = ["rankdir=LR;", 'node [fontname="sans-serif"];', 'edge [fontname="sans-serif", fontsize=10];'];
  const inside = [...style, ...nodes.map(shape), ...edges.map(line)].map((text) => `  ${text}`);
  return `${[`graph "${input.name}" {`, ...inside, "}"].join("\n")}\n`;
}
