import { Option } from "commander";
import { drawLab, GRAPH_FORMATS, type GraphFormat } from "../../engine/graph.js";
import { type CommonOptions, type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";
import { addSetOption, type SetOptions } from "../set-option.js";

interface Options extends CommonOptions, SetOptions {
  readonly format: GraphFormat;
}

export const registerGraph: RegisterCommand = (program, io) => {
  const command = program
    .command("graph")
    .description("draw a lab: its machines, links and addresses")
    .argument("<lab>", "name of a lab that is up, with the addresses that it has; otherwise a lab file")
    .addOption(new Option("--format <format>", "of the picture").choices(GRAPH_FORMATS).default("mermaid"))
    .action(async (lab: string, options: Options) => {
      await withEngine(io, options, async (engine) => {
        io.out(await drawLab(engine, lab, options.format, options.set ?? []));
      });
    });
  addSetOption(command);
  examples(command, [
    "vnflab graph lab/examples/chain/lab.yaml",
    "vnflab graph chain --format svg > chain.svg",
    "vnflab graph chain --format dot | dot -Tpdf > chain.pdf",
  ]);
};
