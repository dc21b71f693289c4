/** Before anything is measured: does the lab run as its file asks? Figures of another configuration are no figures. */
import { VnflabError } from "../model/error.js";
import { differences, type EffectiveDomain, readDomain } from "../render/effective-domain.js";
import type { Lab, LabMachine } from "./lab.js";

/** Throws VNF_NOT_AS_ASKED with all that differs. */
export async function checkEffective(lab: Lab): Promise<void> {
  const problems = await Promise.all([portProblems(lab), ...lab.machines.map((machine) => domainProblems(machine))]);
  const all = problems.flat();
  if (all.length === 0) return;
  throw new VnflabError("VNF_NOT_AS_ASKED", `lab "${lab.record.lab}" does not run as it should: ${all.join("; ")}`);
}

/** What the lab file wants, what the template has made of it, and what libvirt runs. */
async function domainProblems(machine: LabMachine): Promise<string[]> {
  const { spec, allocated, name } = machine;
  if (spec.kind !== "vm") return [];
  const live = await machine.liveXml();
  if (live === undefined) return [`${name} does not run`];
  const defined = readDomain(`the domain of ${name}`, spec.domainXml);
  const asked: EffectiveDomain = {
    ...defined,
    sharedMemory: true,
    nics: allocated.nics.map(({ mac, queues }, index) => {
      return { mac: mac.toLowerCase(), queues, offloads: defined.nics[index]?.offloads ?? "" };
    }),
  };
  return differences(asked, readDomain(`the running domain of ${name}`, live)).map((problem) => `${name}: ${problem}`);
}

async function portProblems(lab: Lab): Promise<string[]> {
  const { status, detail, ports } = await lab.switchState();
  // One that does not run at all is no wrong configuration: what is measured then fails, and says so.
  if (status !== "running") return [];
  const names = new Set(ports.map(({ name }) => name));
  return lab.record.switch.ports
    .filter(({ name }) => !names.has(name))
    .map(({ name }) => `the switch has no port ${name}: ${detail}`);
}
