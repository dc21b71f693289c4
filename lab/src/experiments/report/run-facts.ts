/** Where a run was made, of what, and how it is made again. */
import type { Manifest, Run } from "../../model/experiment/run-folder.js";
import { argumentsOf } from "../results/bundle.js";
import type { Report } from "./report.js";
import { formatNumber } from "./words.js";

export function runFacts({ manifest, folder }: Run): Pick<Report, "host" | "versions" | "commands"> {
  return { host: hostOf(manifest), versions: versionsOf(manifest), commands: commandsOf(manifest, folder) };
}

function hostOf({ host, fitness }: Manifest): Report["host"] {
  const mitigations = Object.entries(host.mitigations).filter(([, state]) => state !== "Not affected");
  const facts: [string, string | undefined][] = [
    ["processor", host.cpu],
    ["cores", String(host.cores)],
    ["memory", `${formatNumber(host.memoryGb)} GB`],
    ["kernel", host.kernel],
    ["virtual itself", host.hypervisor ? "yes" : "no"],
    ["microcode", host.microcode],
    ["frequency governor", host.governor],
    ["mitigations", mitigations.map((entry) => entry.join(": ")).join("; ") || undefined],
    ["fit for", fitness.forbids.length === 0 ? "all comparisons" : `all but: ${fitness.forbids.join(", ")}`],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

function versionsOf({ versions, revision }: Manifest): Report["versions"] {
  const commit = revision.changed ? `${revision.commit}, with changes that were not committed` : revision.commit;
  return [{ name: "revision", value: commit }, ...Object.entries(versions).map(([name, value]) => ({ name, value }))];
}

function commandsOf({ experiment, options, run }: Manifest, folder: string): Report["commands"] {
  const words = ["npx", "vnflab", "experiment", "run", experiment.name, ...argumentsOf(options)];
  return [
    { says: "Run it again, with the same trials in the same order:", command: quoted(words) },
    {
      says: "Go on with this run where trials are missing:",
      command: quoted(["npx", "vnflab", "experiment", "resume", folder]),
    },
    {
      says: `Write this report anew from the results of ${run}:`,
      command: quoted(["npx", "vnflab", "results", "report", folder]),
    },
  ];
}

/** For a shell: what is not plainly a word stands in quotes, so that a name in a results file is a name in the command. */
function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}
