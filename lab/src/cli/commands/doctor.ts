import { doctorChecks, examine, type Mended, mend } from "../../engine/doctor.js";
import type { Finding } from "../../model/finding.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";

interface Options extends CommonOptions {
  readonly fix?: boolean;
  readonly yes?: boolean;
}

export const registerDoctor: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("doctor")
    .description("check what this host offers; exit code 1 when something keeps labs from running")
    .option("--fix", "mend what can be mended without harm; asks first, and prints what it ran")
    .option("-y, --yes", "with --fix: do not ask")
    .option(...JSON_OPTION)
    .action(async (options: Options) => {
      await withEngine(io, options, async (engine) => {
        const checks = doctorChecks(engine);
        const findings: Finding[] = [];
        for await (const finding of examine(engine.host, checks)) {
          findings.push(finding);
          if (!options.json) io.out(formatFinding(finding));
        }
        const mended: Mended[] = [];
        for (const finding of options.fix ? findings.filter(({ fix }) => fix) : []) {
          if (!(await agreed(io, options, finding))) continue;
          const result = await mend(engine.host, checks, finding);
          mended.push(result);
          if (!options.json) io.out(formatMended(result));
        }
        const now = findings.map((finding) => mended.find(({ check }) => check === finding.check)?.after ?? finding);
        if (options.json)
          show(io, options, { schemaVersion: 1, findings: now, ...(options.fix ? { mended } : {}) }, "");
        if (now.some(({ status }) => status === "failure")) finish(ANSWER_IS_NO);
      });
    });
  examples(command, ["vnflab doctor", "vnflab doctor --fix", "vnflab doctor --fix --yes --json"]);
};

/** Enter is yes, Ctrl-C ends the command; without a terminal nobody can agree but by --yes. */
async function agreed(io: Io, { yes }: Options, { check, hint }: Finding): Promise<boolean> {
  if (yes) return true;
  const enter = io.enter();
  if (!enter) {
    io.err(`${check}: left alone, as nobody can be asked; --yes does it: ${hint}\n`);
    return false;
  }
  io.err(`${check}: ${hint}\n    Enter runs it, Ctrl-C ends here.\n`);
  await Promise.race([enter, interruption(io.interrupted)]);
  return true;
}

/** Rejects with the reason of the interruption. */
function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function formatFinding({ check, status, message, hint }: Finding): string {
  const mark = { ok: "✔", warning: "!", failure: "✘" }[status];
  return `${mark} ${check}: ${message}\n${hint === undefined ? "" : `    ${hint}\n`}`;
}

function formatMended({ check, ran, skipped, after }: Mended): string {
  if (skipped !== undefined) return `${check}: not mended: ${skipped}\n`;
  const lines = ran.map(({ argv, exitCode, stderr }) => {
    const ended = exitCode === 0 ? "" : `    exit code ${exitCode}: ${stderr.trim()}\n`;
    return `${check}: ran ${argv.join(" ")}\n${ended}`;
  });
  return `${lines.join("")}${after ? formatFinding(after) : ""}`;
}
