import { type Inspection, inspectLab } from "../../engine/inspect.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerInspect: RegisterCommand = (program, io) => {
  const command = program
    .command("inspect")
    .description(
      "everything that is known of a lab: machines, NICs, addresses, sockets, processes, cores, ports, versions, places; the shape of --json is lab/schema/inspect.schema.json",
    )
    .argument("<lab>", "name of the lab")
    .option(...JSON_OPTION)
    .action(async (lab: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const inspection = await inspectLab(engine, lab);
        show(io, options, inspection, formatInspection(inspection));
      });
    });
  examples(command, ["vnflab inspect two-vms", "vnflab inspect two-vms --json | jq '.machines[].nics[].mac'"]);
};

function formatInspection({ lab, file, folders, switch: sw, machines, links, versions }: Inspection): string {
  const cells = (...values: unknown[]) => values.map((value) => String(value ?? "-"));
  return `${[
    `${lab} (${file})`,
    ...formatTable([
      cells("state", folders.state),
      cells("run", folders.run),
      cells(
        "versions",
        Object.entries(versions)
          .map((entry) => entry.join(" "))
          .join("; "),
      ),
      cells(
        "switch",
        `${sw.kind} ${sw.status} (${sw.place.kind}), core ${sw.core}, pid ${sw.pid ?? "-"}, ${sw.address}`,
      ),
      ...links.map(({ name, subnet }) => cells(`link ${name}`, subnet)),
    ]),
    "",
    ...formatTable([
      cells("machine", "kind", "place", "status", "cpus", "MiB", "cores", "pids", "stack"),
      ...machines.map((one) => [
        ...cells(one.name, one.kind, one.place.kind, one.paused ? "paused" : one.status, one.cpus, one.memoryMib),
        ...cells(one.cores.join(",") || "-", one.pids.join(",") || "-"),
        ...cells(`${one.stack.kind}, ${one.stack.workers} worker(s), ${one.stack.distribution}`),
      ]),
    ]),
    "",
    ...formatTable([
      cells("nic of", "link", "address", "mac", "queues", "state", "received", "sent", "dropped", "socket"),
      ...machines.flatMap(({ name, nics }) =>
        nics.map(({ link, address, mac, queues, socket, port }) => [
          ...cells(name, link, address, mac, queues, port?.linkUp ? "link up" : "no link"),
          ...cells(port?.received, port?.sent, port?.dropped, socket),
        ]),
      ),
    ]),
  ].join("\n")}\n`;
}
