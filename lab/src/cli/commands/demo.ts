import { upInForeground } from "../../engine/foreground.js";
import { exampleFile } from "../../engine/up.js";
import { isSuccess } from "../../suites/report.js";
import { chooseCases } from "../../suites/run-suites.js";
import { ANSWER_IS_NO, type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";
import { addSetOption, type SetOptions } from "../set-option.js";
import { addTestOptions, runTests, showReport, type TestOptions } from "./test.js";

export const registerDemo: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("demo")
    .description("up, test and down in one; nothing stays behind, whatever happens")
    .argument("[file]", "lab file; the example of two virtual machines when absent");
  examples(command, ["vnflab demo", "vnflab demo lab/examples/two-processes/lab.yaml --quick"]);
  addSetOption(addTestOptions(command)).action(async (file: string | undefined, options: TestOptions & SetOptions) => {
    // Before minutes are spent on a lab that cannot be tested.
    chooseCases(options.only);
    await withEngine(io, options, async (engine) => {
      await using running = await upInForeground(engine, file ?? exampleFile(engine, "two-vms"), {
        signal: io.interrupted,
        settings: options.set ?? [],
      });
      const report = await runTests(engine, running.lab, options, io.interrupted);
      showReport(io, options, report);
      if (!isSuccess(report)) finish(ANSWER_IS_NO);
    });
  });
};
