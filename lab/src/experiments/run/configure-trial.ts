/** A lab as a trial's conditions want it: both stacks, the link, who drives the cards. */
import { giveCardsToStack } from "../../engine/card.js";
import { impairLink } from "../../engine/impair.js";
import { lendToKernel, readKernelShape } from "../../engine/kernel-side.js";
import type { Lab, LabMachine } from "../../engine/lab.js";
import { dedicatedCores } from "../../model/distribution.js";
import { VnflabError } from "../../model/error.js";
import type { Conditions } from "../../model/experiment/experiment.js";
import type { Trial } from "../../model/experiment/trial.js";
import type { StackModel } from "../../model/topology.js";
import type { Ends } from "../measure.js";
import { differsFrom, type Effective, readEffective } from "./effective.js";

export interface Configured extends AsyncDisposable {
  readonly ends: Ends;
  /** What the kernels are in fact; the stack says so itself when it has run. */
  readonly kernel?: Effective;
  readonly problems: readonly string[];
}

/** Sockets of a core beside the connections of the load: listeners, those that are closing. */
const MORE_SOCKETS = 1000;
/** max_concurrency when nobody sets it. */
const USUAL_SOCKETS = 10_000;

/** Taken back when it is disposed, so that the next trial finds the lab as this one did. */
export async function configureTrial(lab: Lab, trial: Trial): Promise<Configured> {
  const { conditions } = trial;
  const [client, server] = lab.machines.map((it) => it.withStack(stackOf(it.allocated.stack, conditions)));
  if (!client || !server) throw new VnflabError("VNF_INTERNAL", "a lab for experiments has two machines");
  const machines = [client, server];
  await Promise.all(machines.map((machine) => machine.configureStack()));
  const undo = new Undo();
  try {
    undo.add(await impair(lab, trial));
    if (conditions.stack === "libmtcp") {
      await giveCardsToStack(machines);
      return { ends: { client, server }, problems: [], [Symbol.asyncDispose]: () => undo.all() };
    }
    undo.add(await lendToKernel(machines, { cpus: conditions.workers, congestionControl: conditions.cc }));
    const kernel = await kernelAsItIs(server, conditions);
    return { ends: { client, server }, ...kernel, [Symbol.asyncDispose]: () => undo.all() };
  } catch (error) {
    // Why it failed matters more than what is left.
    await undo.all().catch(() => {});
    throw error;
  }
}

/** What has been changed, the last change first when it is taken back; all of it, also when a part of it fails. */
class Undo {
  private readonly changes: AsyncDisposable[] = [];

  add(change: AsyncDisposable): void {
    this.changes.push(change);
  }

  async all(): Promise<void> {
    const last = this.changes.pop();
    if (last === undefined) return;
    try {
      await last[Symbol.asyncDispose]();
    } finally {
      await this.all();
    }
  }
}

function stackOf(before: StackModel, conditions: Conditions): StackModel {
  const { stack, distribution, workers, burst, ring, cc, offload, connections } = conditions;
  if (stack === "kernel" || distribution === "none") {
    return { ...before, kind: "kernel", distribution: "shared", workers, cores: workers };
  }
  const sockets = connections + MORE_SOCKETS > USUAL_SOCKETS ? { max_concurrency: 2 * connections + MORE_SOCKETS } : {};
  return {
    ...before,
    ...{ kind: "libmtcp", distribution, workers, cores: workers + dedicatedCores(distribution) },
    config: { ...before.config, burst, steer_ring: ring, cc, offload, ...sockets },
  };
}

/** Both directions alike; the same frames are lost whenever this repetition is run. */
async function impair({ context, record }: Lab, { conditions, repetition }: Trial): Promise<AsyncDisposable> {
  const { loss, delay } = conditions;
  const [link] = record.switch.links;
  if (!link || (loss === 0 && delay === 0)) return { async [Symbol.asyncDispose]() {} };
  const nothing = { jitterUs: 0, duplicate: 0, reorder: 0 };
  await impairLink(context, record.lab, link.name, { ...nothing, delayUs: delay, loss, seed: repetition });
  return {
    async [Symbol.asyncDispose]() {
      await impairLink(context, record.lab, link.name, undefined);
    },
  };
}

async function kernelAsItIs(server: LabMachine, { workers, cc }: Conditions) {
  const { cpus, congestionControl } = await readKernelShape(server);
  const problems = [
    ...(cpus === workers ? [] : [`CPUs of ${server.name}'s kernel: ${cpus}, asked for ${workers}`]),
    ...(congestionControl === cc ? [] : [`congestion control: ${congestionControl}, asked for ${cc}`]),
  ];
  return { kernel: { workers: cpus, cc: congestionControl }, problems };
}

/** What both ends have run as, and what of it is not as asked. */
export function effectiveOf(
  { conditions }: Pick<Trial, "conditions">,
  said: { readonly client: readonly string[]; readonly server: readonly string[] },
): { readonly effective: Effective; readonly problems: readonly string[] } {
  const [server, client] = [readEffective(said.server), readEffective(said.client)];
  const of = (who: string, problems: readonly string[]) => problems.map((problem) => `${who}: ${problem}`);
  const problems = [...of("server", differsFrom(conditions, server)), ...of("client", differsFrom(conditions, client))];
  // The stack refuses a file with another congestion control than it has.
  return { effective: { ...server, cc: conditions.cc }, problems };
}
