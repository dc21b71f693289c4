import { listLabs } from "../../engine/ls.js";
import { type LabStatus, labStatus } from "../../engine/status.js";
import { formatTable } from "../../suites/report.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerStatus: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("status")
    .description("what runs of a lab, or which labs there are; exit code 1 when a part of the lab does not run")
    .argument("[lab]", "name of the lab")
    .option(...JSON_OPTION)
    .action(async (lab: string | undefined, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const names = lab === undefined ? await listLabs(engine) : [lab];
        const labs = await Promise.all(names.map((name) => labStatus(engine, name)));
        const data = lab === undefined ? { schemaVersion: 1, labs } : labs[0];
        show(io, options, data, labs.map(formatStatus).join("\n") || "no lab\n");
        if (lab !== undefined && !labs.every(({ running }) => running)) finish(ANSWER_IS_NO);
      });
    });
  examples(command, ["vnflab status", "vnflab status two-vms"]);
};

function formatStatus(status: LabStatus): string {
  const rows = status.machines.map(({ name, kind, address, mac, status: state, detail, paused, port }) => {
    const link = port?.linkUp ? "link up" : "no link";
    return [name, kind, address, mac, paused ? "paused" : state, link, detail];
  });
  const sw = ["switch", status.switch.kind, "", "", status.switch.status, "", status.switch.detail];
  const lines = [`${status.lab} (${status.file})`, ...formatTable([sw, ...rows]), ...formatPorts(status.ports)];
  return `${lines.join("\n")}\n`;
}

/** Frames since the switch was started; what a machine does not take is lost. */
function formatPorts(ports: LabStatus["ports"]): string[] {
  if (ports.length === 0) return [];
  const rows = ports.map(({ name, linkUp, received, sent, dropped }) => [
    name,
    linkUp ? "link up" : "no link",
    ...[received, sent, dropped].map(String),
  ]);
  return ["", ...formatTable([["port", "", "frames from it", "to it", "not taken"], ...rows])];
}
