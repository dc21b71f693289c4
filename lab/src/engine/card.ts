/**
 * Who drives the cards of virtual machines: DPDK for the stack, or the guest's kernel. The same card, MAC, address and
 * vport either way, so that both can be compared.
 */
import { VnflabError } from "../model/error.js";
import { firstNic } from "../model/topology.js";
import type { Lab, LabMachine } from "./lab.js";

/** The image's tool; docs/reference/guest-image.md. */
const TOOL = "vnflab-card";

/** Why the kernel cannot have the cards of this lab; undefined when it can. */
export function noKernelCards(lab: Lab): string | undefined {
  const process = lab.machines.find(({ spec }) => spec.kind === "process");
  return process && `${process.name} is no virtual machine: it has no kernel of its own`;
}

/** Hands the cards to the machines' kernels until it is disposed, and back to DPDK whatever happened. */
export async function lendCardsToKernel(machines: readonly LabMachine[]): Promise<AsyncDisposable> {
  const giveBack = () => giveCardsToStack(machines);
  try {
    await Promise.all(machines.map((it) => run(it, ["kernel", ...kernelCard(it)])));
  } catch (error) {
    // Why it failed matters more than what is left.
    await giveBack().catch(() => {});
    throw error;
  }
  return { [Symbol.asyncDispose]: giveBack };
}

/** Nothing is done where DPDK has the cards already. */
export async function giveCardsToStack(machines: readonly LabMachine[]): Promise<void> {
  await Promise.all(machines.filter(({ spec }) => spec.kind === "vm").map((it) => run(it, ["dpdk"])));
}

function kernelCard({ allocated }: LabMachine): string[] {
  const { mac, address } = firstNic(allocated);
  return [mac, address];
}

async function run(machine: LabMachine, options: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await machine.run([TOOL, ...options]);
  if (exitCode === 0) return;
  const words = stderr.trim().split("\n").at(-1) ?? "";
  throw new VnflabError("VNF_GUEST_COMMAND", `${machine.name}: ${TOOL} ${options[0]} failed (${exitCode}): ${words}`, {
    hint: "The guest image may be older than this command: run `make image`, then `vnflab down` and `up`.",
  });
}
