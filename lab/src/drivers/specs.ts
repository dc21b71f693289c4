/** Deployment -> what the drivers are given. Virtual machines: libvirt/vm-spec.ts. */
import { join } from "node:path";
import type { Host } from "../host/host.js";
import { labMarks } from "../host/marked-processes.js";
import type { AcceleratorVerdict } from "../model/accelerator.js";
import type { AllocatedMachine, Deployment } from "../model/deployment.js";
import { vmSpec } from "./libvirt/vm-spec.js";
import type { MachineSpec, ProcessSpec } from "./machine-driver.js";
import type { SwitchSpec } from "./switch-driver.js";

const APPLICATIONS = "build/c/stack/apps";

export function switchSpec(deployment: Deployment): SwitchSpec {
  const { kind, place, address, core, memoryMib, hugepages, filePrefix } = deployment.switch;
  const { switch: switchMs, ports: portsMs } = deployment.deadlinesMs;
  return {
    lab: deployment.lab,
    ...{ kind, place, address, core, memoryMib, hugepages, filePrefix },
    stateDir: deployment.stateDir,
    runDir: deployment.runDir,
    logFile: join(deployment.stateDir, "switch.log"),
    links: deployment.links.map(({ name, spread, impair }) => ({ name, spread, ...(impair ? { impair } : {}) })),
    ports: deployment.machines.flatMap(({ nics }) =>
      nics.map(({ port, link, socket, queues, mac }) => ({ name: port, link, socket, queues, macs: [mac] })),
    ),
    deadlinesMs: { switch: switchMs, ports: portsMs },
  };
}

/** What the machine's driver needs; `accelerator` is asked only for machines that have one. */
export async function machineSpec(
  host: Host,
  deployment: Deployment,
  machine: AllocatedMachine,
  accelerator: () => Promise<AcceleratorVerdict>,
): Promise<MachineSpec> {
  const stateDir = join(deployment.stateDir, machine.name);
  const common = {
    lab: deployment.lab,
    machine: machine.name,
    place: machine.place,
    stateDir,
    runDir: deployment.runDir,
    consoleLog: join(stateDir, "console.log"),
    deadlinesMs: deployment.deadlinesMs,
  };
  if (machine.kind === "process") return processSpec(host, common);
  return vmSpec(host, common, machine, (await accelerator()).accelerator);
}

type Common = Omit<ProcessSpec, "kind" | "binDir" | "workDir" | "env">;

function processSpec(host: Host, common: Common): ProcessSpec {
  return {
    ...common,
    kind: "process",
    binDir: join(host.root, APPLICATIONS),
    workDir: join(common.stateDir, "work"),
    // DPDK keeps its run-time files there, which otherwise stay behind in /var/run/dpdk.
    env: { RUNTIME_DIRECTORY: common.runDir, ...labMarks(common.runDir, common.machine) },
  };
}
