import { listSnapshots, removeSnapshot, restoreSnapshot, type Snapshot, saveSnapshot } from "../../engine/snapshot.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { machinesOrAll } from "../names.js";

export const registerSnapshot: RegisterCommand = (program, io) => {
  const group = program
    .command("snapshot")
    .description("save the memory of virtual machines, all at one moment, and go back to it");
  examples(group, [
    "vnflab snapshot save two-vms before",
    "vnflab snapshot ls two-vms",
    "vnflab snapshot restore two-vms before",
    "vnflab snapshot rm two-vms before",
  ]);
  const sub = (verb: string, description: string) =>
    group.command(verb).description(description).argument("<lab>", "name of the lab");

  const save = sub("save", "save machines; they run on")
    .argument("<name>", "of the snapshot")
    .argument("[machines...]", "names of machines; all when absent")
    .option(...JSON_OPTION)
    .action(async (lab: string, name: string, machines: string[], options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const snapshot = await saveSnapshot(engine, lab, name, machinesOrAll(machines));
        show(io, options, { ...snapshot, lab }, `saved ${name}: ${contents(snapshot)}\n`);
      });
    });
  examples(save, ["vnflab snapshot save two-vms before", "vnflab snapshot save two-vms before vm1"]);

  const restore = sub("restore", "set machines back; what they have done since is lost")
    .argument("<name>", "of the snapshot")
    .option(...JSON_OPTION)
    .action(async (lab: string, name: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const snapshot = await restoreSnapshot(engine, lab, name);
        show(io, options, { ...snapshot, lab }, `restored ${name}: ${contents(snapshot)}\n`);
      });
    });
  examples(restore, ["vnflab snapshot restore two-vms before"]);

  const ls = sub("ls", "the snapshots of a lab")
    .option(...JSON_OPTION)
    .action(async (lab: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const snapshots = await listSnapshots(engine, lab);
        const rows = snapshots.map((one) => [one.name, one.time, contents(one)]);
        const text = rows.length === 0 ? "no snapshot\n" : `${formatTable(rows).join("\n")}\n`;
        show(io, options, { schemaVersion: 1, lab, snapshots }, text);
      });
    });
  examples(ls, ["vnflab snapshot ls two-vms"]);

  const rm = sub("rm", "remove a snapshot")
    .argument("<name>", "of the snapshot")
    .option(...JSON_OPTION)
    .action(async (lab: string, name: string, options: CommonOptions) => {
      await withEngine(io, options, (engine) => removeSnapshot(engine, lab, name));
      show(io, options, { schemaVersion: 1, lab, name, removed: true }, `removed ${name}\n`);
    });
  examples(rm, ["vnflab snapshot rm two-vms before"]);
};

function contents({ machines }: Snapshot): string {
  return machines.map(({ name, bytes }) => `${name} (${(bytes / 2 ** 20).toFixed(0)} MiB)`).join(", ");
}
