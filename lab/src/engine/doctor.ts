/** `vnflab doctor`: every check of every driver, one finding each; and mending what can be mended without harm. */
import type { DoctorCheck } from "../drivers/doctor/doctor-check.js";
import { HOST_CHECKS } from "../drivers/doctor/registry.js";
import type { Host } from "../host/host.js";
import { asVnflabError } from "../model/error.js";
import type { Finding } from "../model/finding.js";
import type { EngineContext } from "./context.js";
import { collectGarbage } from "./gc.js";

/** Packages may come from far away. */
const MEND_MS = 1_800_000;

/** The host's checks, then what labs have left on it. */
export function doctorChecks(context: EngineContext): readonly DoctorCheck[] {
  return [...HOST_CHECKS, leftovers(context)];
}

/** Findings in the order of the checks, as they come. */
export async function* examine(host: Host, checks: readonly DoctorCheck[]): AsyncGenerator<Finding> {
  for (const check of checks) yield await lookWith(host, check);
}

async function lookWith(host: Host, check: DoctorCheck): Promise<Finding> {
  try {
    return { check: check.name, ...(await check.look(host)) };
  } catch (thrown) {
    const { message, hint } = asVnflabError(thrown);
    return { check: check.name, status: "failure", message, hint };
  }
}

function leftovers(context: EngineContext): DoctorCheck {
  return {
    name: "leftovers",
    async look({ node, root }) {
      const found: string[] = [];
      for await (const { kind, name } of collectGarbage(context, { dryRun: true })) found.push(`${kind} ${name}`);
      if (found.length === 0) return { status: "ok", message: "no lab has left anything" };
      const fix = { commands: [[node, `${root}/lab/bin/vnflab.js`, "gc"]], needsRoot: false };
      return { status: "warning", message: `of labs that are gone: ${found.join(", ")}`, hint: "vnflab gc", fix };
    },
  };
}

export interface Mended {
  readonly check: string;
  /** What was run, in order; the last one may have failed. */
  readonly ran: readonly { readonly argv: readonly string[]; readonly exitCode: number; readonly stderr: string }[];
  /** Why nothing was run. */
  readonly skipped?: string;
  /** What the same check says now. */
  readonly after?: Finding;
}

/** Runs a finding's fix, by sudo where root is needed and this is not root, and looks again. */
export async function mend(host: Host, checks: readonly DoctorCheck[], finding: Finding): Promise<Mended> {
  const { check, fix } = finding;
  if (!fix) return { check, ran: [], skipped: "a person has to do this" };
  const asRoot = fix.needsRoot && host.uid !== 0;
  if (asRoot && (await host.exec.which("sudo")) === undefined) {
    return { check, ran: [], skipped: "it needs root, and there is no sudo" };
  }
  const ran: { argv: readonly string[]; exitCode: number; stderr: string }[] = [];
  for (const command of fix.commands) {
    const argv = asRoot ? ["sudo", ...command] : command;
    const { exitCode, stderr } = await host.exec.run(argv, { timeoutMs: MEND_MS });
    ran.push({ argv, exitCode, stderr });
    if (exitCode !== 0) break;
  }
  const again = checks.find(({ name }) => name === check);
  return { check, ran, ...(again ? { after: await lookWith(host, again) } : {}) };
}
