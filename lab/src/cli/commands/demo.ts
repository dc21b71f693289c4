import { upInForeground } from "../../engine/foreground.js";
import { exampleFile } from "../../engine/up.js";
import { chooseCases } from "../../suites/choose-cases.js";
import { type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";
import { addSetOption, type SetOptions } from "../set-option.js";
import { addTestOptions, chosenNames, conclude, runTests, type TestOptions } from "./test.js";

export const registerDemo: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("demo")
    .description("up, test and down in one; nothing stays behind, whatever happens")
    .argument("[file]", "lab file; the example of two virtual machines when absent");
  examples(command, ["vnflab demo", "vnflab demo lab/examples/two-processes/lab.yaml --quick"]);
  addSetOption(addTestOptions(command)).action(async (file: string | undefined, options: TestOptions & SetOptions) => {
    // Before minutes are spent on a lab that cannot be tested.
    chooseCases(chosenNames(options));
    await withEngine(io, options, async (engine) => {
      await using running = await upInForeground(engine, file ?? exampleFile(engine, "two-vms"), {
        signal: io.interrupted,
        settings: options.set ?? [],
      });
      finish(conclude(io, options, await runTests(engine, running.lab, options, io)));
    });
  });
};
