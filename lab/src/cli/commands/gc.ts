import { collectGarbage, type GcFinding } from "../../engine/gc.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { wholeNumber } from "../names.js";

interface Options extends CommonOptions {
  readonly dryRun?: boolean;
  readonly olderThan?: number;
}

const DAY_MS = 86_400_000;

export const registerGc: RegisterCommand = (program, io, finish) => {
  program
    .command("gc")
    .description(
      "remove what is provably dead: labs that were interrupted or of which nothing runs, orphaned processes, sockets, " +
        "folders and locks; exit code 1 when something could not be removed",
    )
    .argument("[lab...]", "only these labs, and nothing else")
    .option("--dry-run", "only print what would be removed, and why")
    .option("--older-than <days>", "also the logs of failed labs that are older", wholeNumber)
    .option(...JSON_OPTION)
    .action(async (labs: string[], options: Options) => {
      await withEngine(io, options, async (engine) => {
        const dryRun = options.dryRun ?? false;
        const age = options.olderThan === undefined ? {} : { logsOlderThanMs: options.olderThan * DAY_MS };
        const findings: GcFinding[] = [];
        for await (const finding of collectGarbage(engine, { dryRun, ...(labs.length > 0 ? { labs } : {}), ...age }))
          findings.push(finding);
        const text = findings.map((finding) => `${format(finding, dryRun)}\n`).join("") || "nothing to remove\n";
        show(io, options, { schemaVersion: 1, dryRun, findings }, text);
        if (findings.some(({ error }) => error !== undefined)) finish(ANSWER_IS_NO);
      });
    });
};

function format({ kind, name, why, error }: GcFinding, dryRun: boolean): string {
  const done = error === undefined ? (dryRun ? "would remove" : "removed") : "could not remove";
  return `${done} ${kind} ${name}: ${why}${error === undefined ? "" : `: ${error}`}`;
}
