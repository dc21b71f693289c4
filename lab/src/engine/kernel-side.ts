/** A guest's kernel as somebody wants to measure it: on so many CPUs, with a congestion control. */
import { VnflabError } from "../model/error.js";
import { lendCardsToKernel } from "./card.js";
import type { LabMachine } from "./lab.js";

export interface KernelShape {
  /** The others are offline. */
  readonly cpus: number;
  readonly congestionControl: string;
}

/** The image's tool; docs/reference/guest-image.md. */
const CPUS_TOOL = "vnflab-cpus";
const CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control";

/**
 * The machines' kernels get the cards and this shape until it is disposed. All CPUs, the congestion control of before and
 * the cards are given back whatever happens. Throws VNF_GUEST_COMMAND when a guest cannot be like that.
 */
export async function lendToKernel(machines: readonly LabMachine[], shape: KernelShape): Promise<AsyncDisposable> {
  const congestion = await Promise.all(machines.map((it) => readCongestionControl(it)));
  const cards = await lendCardsToKernel(machines);
  const giveBack = async () => {
    await using _cards = cards;
    await Promise.all(machines.map((it) => onlineCpus(it, "all")));
    await Promise.all(machines.map((it, index) => writeCongestionControl(it, congestion[index] ?? "")));
  };
  try {
    await Promise.all(machines.map((it) => writeCongestionControl(it, shape.congestionControl)));
    await Promise.all(machines.map((it) => onlineCpus(it, String(shape.cpus))));
  } catch (error) {
    // Why it failed matters more than what is left.
    await giveBack().catch(() => {});
    throw error;
  }
  return { [Symbol.asyncDispose]: giveBack };
}

/** As it is in fact. */
export async function readKernelShape(machine: LabMachine): Promise<KernelShape> {
  const cpus = Number(await ask(machine, ["nproc"]));
  return { cpus, congestionControl: await readCongestionControl(machine) };
}

async function readCongestionControl(machine: LabMachine): Promise<string> {
  return (await ask(machine, ["cat", CONGESTION])).trim();
}

async function writeCongestionControl(machine: LabMachine, name: string): Promise<void> {
  await ask(machine, ["sh", "-c", `echo "$0" >${CONGESTION}`, name]);
}

async function onlineCpus(machine: LabMachine, cpus: string): Promise<void> {
  await ask(machine, [CPUS_TOOL, "online", cpus]);
}

async function ask(machine: LabMachine, argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await machine.run(argv);
  if (exitCode === 0) return stdout;
  const words = stderr.trim().split("\n").at(-1) ?? "";
  throw new VnflabError("VNF_GUEST_COMMAND", `${machine.name}: ${argv.join(" ")} failed (${exitCode}): ${words}`, {
    hint: "The guest image may be older than this command: run `make image`.",
  });
}
