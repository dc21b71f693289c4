import { formatAge } from "../../engine/duration.js";
import { type LabSummary, summariseLabs } from "../../engine/ls.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";

export const registerLs: RegisterCommand = (program, io) => {
  program
    .command("ls")
    .description("all labs of the state folder: what runs of them, since when, from which file, who is at work on them")
    .option(...JSON_OPTION)
    .action(async (options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const labs = await summariseLabs(engine);
        const now = engine.host.clock.wallTime().getTime();
        const text = labs.length === 0 ? "no lab\n" : `${formatTable(rows(labs, now)).join("\n")}\n`;
        show(io, options, { schemaVersion: 1, labs }, text);
      });
    });
};

function rows(labs: readonly LabSummary[], now: number): string[][] {
  const header = ["lab", "state", "machines", "cores", "age", "file", ""];
  return [header, ...labs.map((lab) => row(lab, now))];
}

function row({ lab, state, detail, machines, cores, createdAt, file, owner }: LabSummary, now: number): string[] {
  const count = machines ? `${machines.running}/${machines.total}` : "-";
  const age = createdAt === undefined ? "-" : formatAge(now - Date.parse(createdAt));
  const more = [detail, ...(owner ? [`process ${owner.pid}: ${owner.purpose}`] : [])].filter((part) => part !== "");
  return [lab, state, count, [...new Set(cores)].join(",") || "-", age, file ?? "-", more.join("; ")];
}
