/** `vnflab inspect`: everything that is known of a lab, in one document whose shape is lab/schema/inspect.schema.json. */
import { z } from "zod";
import type { EngineContext } from "./context.js";
import { Lab, type LabMachine } from "./lab.js";
import { readVersions } from "./versions.js";

const port = z.object({
  name: z.string(),
  linkUp: z.boolean().describe("The machine's driver is attached."),
  received: z.int().describe("Frames from the machine."),
  sent: z.int().describe("Frames to the machine."),
  dropped: z.int().describe("Frames that the machine did not take."),
});

const nic = z.object({
  link: z.string(),
  address: z.string().describe("With the prefix length."),
  mac: z.string(),
  queues: z.int(),
  socket: z.string().describe("vhost-user socket of its port at the switch."),
  port: port.nullable().describe("What the switch knows of it; null when the switch does not run."),
});

const place = z.looseObject({ kind: z.enum(["local", "docker", "ssh"]) });

const machine = z.object({
  name: z.string(),
  kind: z.enum(["vm", "process"]),
  place,
  status: z.enum(["absent", "running", "dead"]),
  paused: z.boolean(),
  detail: z.string().describe("One line for people."),
  pids: z.array(z.int()).describe("Host processes of the machine, where they can be told."),
  cpus: z.int(),
  memoryMib: z.int(),
  cores: z.array(z.int()).describe("CPUs of the host that are its own; empty when none are."),
  stack: z.looseObject({ kind: z.string(), cores: z.int(), workers: z.int(), distribution: z.string() }),
  nics: z.array(nic),
  files: z.object({
    state: z.string(),
    console: z.string().describe("Everything that it printed."),
    consoleSocket: z.string().nullable(),
  }),
  domain: z
    .object({ name: z.string(), accelerator: z.string(), libvirtUri: z.string().nullable() })
    .nullable()
    .describe("Of a virtual machine; a null URI is the libvirtd that the lab has of its own."),
});

export const inspectionSchema = z
  .object({
    schemaVersion: z.literal(1),
    lab: z.string(),
    file: z.string(),
    fingerprint: z.string(),
    running: z.boolean().describe("All of it runs."),
    oversubscribed: z.boolean().describe("Cores are shared that should not be: figures are not comparable."),
    folders: z.object({ state: z.string(), run: z.string() }),
    versions: z.record(z.string(), z.string()),
    links: z.array(z.looseObject({ name: z.string(), subnet: z.string() })),
    switch: z.object({
      kind: z.string(),
      place,
      status: z.enum(["absent", "running", "dead"]),
      detail: z.string(),
      address: z.string().describe("Where the control protocol is served."),
      pid: z.int().nullable(),
      core: z.int(),
      log: z.string(),
    }),
    machines: z.array(machine),
  })
  .describe("What `vnflab inspect LAB --json` prints.");

export type Inspection = z.output<typeof inspectionSchema>;
type InspectedMachine = z.output<typeof machine>;

/** For editors and other programs; lab/schema/inspect.schema.json is this. */
export function inspectionJsonSchema(): object {
  return z.toJSONSchema(inspectionSchema, { target: "draft-2020-12" });
}

export async function inspectLab(context: EngineContext, name: string): Promise<Inspection> {
  const lab = await Lab.open(context, name);
  const { deployment, fingerprint, file, switch: sw } = lab.record;
  const state = await lab.switchState();
  const machines = await Promise.all(lab.machines.map((one) => inspectMachine(one, state.ports)));
  return {
    schemaVersion: 1,
    lab: name,
    ...{ file, fingerprint },
    running: state.status === "running" && machines.every(({ status }) => status === "running"),
    oversubscribed: deployment.oversubscribed,
    folders: { state: deployment.stateDir, run: deployment.runDir },
    versions: { ...(await readVersions(context.host)) },
    links: deployment.links.map((link) => ({ ...link })),
    switch: {
      ...{ kind: sw.kind, place: { ...sw.place }, status: state.status, detail: state.detail, address: sw.address },
      ...{ pid: state.pid ?? null, core: sw.core, log: sw.logFile },
    },
    machines,
  };
}

async function inspectMachine(one: LabMachine, ports: readonly z.output<typeof port>[]): Promise<InspectedMachine> {
  const { spec, allocated } = one;
  const { status, detail, paused = false, pids = [] } = await one.observe();
  const vm = spec.kind === "vm" ? spec : undefined;
  return {
    ...{ name: one.name, kind: spec.kind, place: { ...spec.place }, status, paused, detail, pids: [...pids] },
    ...{ cpus: allocated.cpus, memoryMib: allocated.memoryMib, cores: [...allocated.cores] },
    stack: { ...allocated.stack },
    nics: allocated.nics.map(({ link, address, mac, queues, socket, port: portName }) => {
      return { link, address, mac, queues, socket, port: ports.find((known) => known.name === portName) ?? null };
    }),
    files: { state: spec.stateDir, console: spec.consoleLog, consoleSocket: vm?.consoleSocket ?? null },
    domain: vm ? { name: vm.domainName, accelerator: vm.accelerator, libvirtUri: vm.libvirtUri ?? null } : null,
  };
}
