import type { Command } from "commander";
import { lintTemplate, migrateFile, type TemplateChange, type TemplateReport } from "../../engine/template.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";

export const registerTemplate: RegisterCommand = (program, io, finish) => {
  const template = program.command("template").description("check domain templates, and mend old ones");
  const lint = template
    .command("lint")
    .description(
      "say what is wrong with a domain template and what a lab sets in it; exit code 1 when it cannot be used",
    )
    .argument("<file>", "template: a libvirt domain, with or without vnflab's placeholders")
    .option(...JSON_OPTION)
    .action(async (file: string, options: CommonOptions) => {
      await withEngine(io, options, async ({ host }) => {
        const report = await lintTemplate(host, file);
        show(io, options, { schemaVersion: 1, usable: isUsable(report), ...report }, formatReport(report));
        if (!isUsable(report)) finish(ANSWER_IS_NO);
      });
    });
  examples(lint, ["vnflab template lint my-guest.xml"]);
  registerMigrate(template, io, finish);
};

function registerMigrate(template: Command, io: Io, finish: (exitCode: number) => void): void {
  const migrate = template
    .command("migrate")
    .description("make a template that works here of a domain of another host, another QEMU or another time")
    .argument("<file>", "libvirt domain, such as from `virsh dumpxml`")
    .option(
      "-o, --output <file>",
      "write the template there; otherwise to standard output, and the list to standard error",
    )
    .option(...JSON_OPTION)
    .action(async (file: string, options: CommonOptions & { output?: string }) => {
      await withEngine(io, options, async ({ host }) => {
        const { xml, changes, report, file: written } = await migrateFile(host, file, options.output);
        const usable = isUsable(report);
        const list = `${formatChanges(changes)}${formatTrouble(report)}`;
        if (options.output === undefined && !options.json) {
          io.err(list);
          io.out(xml);
        } else {
          const data = { schemaVersion: 1, usable, changes, faults: report.faults, missing: report.missing };
          const where = options.output === undefined ? { xml } : { file: written };
          show(io, options, { ...data, ...where }, `${list}${written} written\n`);
        }
        if (!usable) finish(ANSWER_IS_NO);
      });
    });
  examples(migrate, ["vnflab template migrate old.xml -o my-guest.xml", "vnflab template migrate old.xml --json"]);
}

function isUsable({ outdated, faults = [], missing }: TemplateReport): boolean {
  return outdated.length + faults.length + missing.length === 0;
}

function formatReport(report: TemplateReport): string {
  const { file, outdated, patched } = report;
  const old =
    outdated.length === 0 ? "" : `\`vnflab template migrate ${file}\` would mend:\n${formatChanges(outdated)}`;
  const sets = patched.length === 0 ? "" : `a lab sets, whatever the file says:\n${formatChanges(patched)}`;
  const verdict = isUsable(report) ? `${file}: can be used\n` : `${file}: cannot be used as it is\n`;
  return `${old}${formatTrouble(report)}${sets}${verdict}`;
}

function formatTrouble({ file, faults, missing }: TemplateReport): string {
  const lines = [
    ...(faults ?? []).map(({ line, message }) => `${file}${line === undefined ? "" : `:${line}`}: ${message}`),
    ...missing.map((disk) => `${file}: there is no disk ${disk}`),
    ...(faults ? [] : ["not checked against libvirt's schema: xmllint or the schema is missing (make setup)"]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function formatChanges(changes: readonly TemplateChange[]): string {
  return changes
    .map(({ line, what, why, decide }) => {
      const yours = decide === undefined ? "" : `    to decide: ${decide}\n`;
      return `  ${line === undefined ? "new" : `line ${line}`}: ${what}\n    ${why}\n${yours}`;
    })
    .join("");
}
