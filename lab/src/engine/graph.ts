/** The picture of a lab that exists, or of a lab file. */
import type { Setting } from "../model/setting.js";
import { type GraphInput, renderDot, renderMermaid } from "../render/graph.js";
import type { EngineContext } from "./context.js";
import { loadTopology } from "./load-topology.js";
import { findRecord } from "./record.js";

export const GRAPH_FORMATS = ["mermaid", "dot", "svg"] as const;
export type GraphFormat = (typeof GRAPH_FORMATS)[number];

/** `lab`: the name of a lab that exists, else a lab file. Throws VNF_LAB_INVALID. */
export async function drawLab(
  context: EngineContext,
  lab: string,
  format: GraphFormat,
  settings: readonly Setting[] = [],
): Promise<string> {
  const input = await findLab(context, lab, settings);
  switch (format) {
    case "mermaid":
      return renderMermaid(input);
    case "dot":
      return renderDot(input);
    case "svg":
      return drawSvg(renderDot(input));
  }
}

async function findLab(context: EngineContext, lab: string, settings: readonly Setting[]): Promise<GraphInput> {
  const name = /^[a-z][a-z0-9-]*$/.test(lab) ? lab : undefined;
  const record = name && (await findRecord(context.host.files, context.layout.lab(name).stateDir));
  if (record) return { ...record.deployment, name: record.lab };
  return loadTopology(context, lab, settings);
}

/** Graphviz itself, as WebAssembly; loaded when it is asked for. */
async function drawSvg(dot: string): Promise<string> {
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  return (await Graphviz.load()).dot(dot, "svg");
}
