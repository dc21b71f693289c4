import type { EngineContext } from "../../engine/context.js";
import { Lab, type LabMachine } from "../../engine/lab.js";
import { asVnflabError, type VnflabError } from "../../model/error.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";
import { chosenMachines } from "../names.js";

interface Options extends CommonOptions {
  readonly stdin?: boolean;
  readonly all?: boolean;
}

export const registerExec: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("exec")
    .description("run a command inside machines, in all of them at once; its output, and the highest exit code")
    .argument("<lab>", "name of the lab")
    .argument("<machines>", "names of machines with commas between them, or --all")
    .argument("[command...]", "the command and its arguments, after --")
    .option("-i, --stdin", "give it this command's standard input")
    .option("-a, --all", "in every machine of the lab (stands before the lab's name, or in place of the machines)")
    .option(...JSON_OPTION)
    .passThroughOptions()
    .action(async (name: string, machines: string, words: string[], options: Options) => {
      const all = options.all === true || machines === "--all";
      const argv = commandOf(options.all === true ? [machines, ...words] : words);
      if (argv.length === 0) command.error("error: missing the command to run");
      await withEngine(io, options, async (engine) => {
        const lab = await Lab.open(engine, name);
        const chosen = lab.select(all ? undefined : chosenMachines(machines));
        finish(await runIn(engine, io, options, chosen, argv));
      });
    });
  examples(command, [
    "vnflab exec two-vms vm1 -- uname -a",
    "vnflab exec two-vms vm1,vm2 -- cat /proc/uptime",
    "vnflab exec --all two-vms -- sh -c 'dmesg | tail -3'",
    "vnflab exec -i two-vms vm1 -- sh < script.sh",
  ]);
};

/** Options of the command are its own, with or without the -- before it. */
function commandOf(words: readonly string[]): readonly string[] {
  return words[0] === "--" ? words.slice(1) : words;
}

interface Answer {
  readonly machine: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** Why there is no answer. */
  readonly error?: VnflabError;
}

async function runIn(
  engine: EngineContext,
  io: Io,
  options: Options,
  machines: readonly LabMachine[],
  argv: readonly string[],
): Promise<number> {
  const input = options.stdin ? await io.readInput() : undefined;
  const alone = machines.length === 1;
  const answers = await Promise.all(
    machines.map(async (machine): Promise<Answer> => {
      try {
        return { machine: machine.name, ...(await runOne(io, options, machine, argv, input, alone)) };
      } catch (thrown) {
        if (alone || io.interrupted.aborted) throw thrown;
        const error = asVnflabError(thrown);
        engine.emit({ type: "note", text: `${machine.name}: ${error.message}` });
        return { machine: machine.name, stdout: "", stderr: "", exitCode: error.exitCode, error };
      }
    }),
  );
  const exitCode = Math.max(...answers.map((answer) => answer.exitCode));
  const [only] = answers;
  const data = alone ? { schemaVersion: 1, argv, ...only } : { schemaVersion: 1, argv, exitCode, answers };
  if (options.json) show(io, options, data, "");
  return exitCode;
}

async function runOne(
  io: Io,
  options: Options,
  machine: LabMachine,
  argv: readonly string[],
  input: Uint8Array | undefined,
  alone: boolean,
) {
  const outputs = { stdout: new Prefixed(machine.name, io.out), stderr: new Prefixed(machine.name, io.err) };
  const onOutput = (stream: "stdout" | "stderr", chunk: string) => {
    if (alone) (stream === "stdout" ? io.out : io.err)(chunk);
    else outputs[stream].add(chunk);
  };
  const process = await machine.exec({ argv, ...(input ? { input } : {}), ...(options.json ? {} : { onOutput }) });
  const interrupt = () => void process.signal("SIGTERM");
  io.interrupted.addEventListener("abort", interrupt, { once: true });
  const result = await process.wait();
  io.interrupted.removeEventListener("abort", interrupt);
  if (io.interrupted.aborted) throw io.interrupted.reason as VnflabError;
  for (const output of Object.values(outputs)) output.end();
  return result;
}

/** Whole lines, each with the machine's name before it. */
class Prefixed {
  private rest = "";

  constructor(
    private readonly name: string,
    private readonly put: (text: string) => void,
  ) {}

  add(chunk: string): void {
    const lines = (this.rest + chunk).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.put(`${this.name}: ${line}\n`);
  }

  end(): void {
    if (this.rest !== "") this.add("\n");
  }
}
