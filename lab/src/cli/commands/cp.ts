import { copy } from "../../engine/copy.js";
import { Lab } from "../../engine/lab.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerCp: RegisterCommand = (program, io) => {
  const command = program
    .command("cp")
    .description(
      "copy a file or folder into a machine, out of it, or from one to another; modes stay, and nothing half copied remains",
    )
    .argument("<lab>", "name of the lab")
    .argument("<source>", "a path of this host, or MACHINE:PATH")
    .argument("<target>", "the same; a folder that exists gets the source into it")
    .option(...JSON_OPTION)
    .action(async (name: string, source: string, target: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const copied = await copy(await Lab.open(engine, name), source, target);
        const text = `${source} -> ${copied.target}: ${copied.kind}, ${copied.bytes} bytes\n`;
        show(io, options, { schemaVersion: 1, lab: name, source, ...copied }, text);
      });
    });
  examples(command, [
    "vnflab cp two-vms ./page.html vm1:/tmp/",
    "vnflab cp two-vms vm2:/run/vnflab/vm2.pcap .",
    "vnflab cp two-vms vm1:/etc ./etc-of-vm1",
    "vnflab cp two-vms vm1:/tmp/page.html vm2:/tmp/page.html",
  ]);
};
