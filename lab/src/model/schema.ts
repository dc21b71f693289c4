/**
 * The lab file. This schema is the one truth: types, defaults, checks, lab/schema/lab.schema.json and the suggestions
 * for misspelt keys all come from it.
 */
import { z } from "zod";
import { ACCELERATORS } from "./accelerator.js";
import { parseMac, parsePrefix } from "./address.js";
import { DISTRIBUTIONS } from "./distribution.js";

/** Names become parts of file names, host names and domain names. */
const name = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/, "a name has 1 to 20 of a-z, 0-9 and -, and begins with a letter");

const memory = z
  .string()
  .regex(/^[1-9]\d{0,6}[MG]$/, "a size is a whole number with M or G, such as 512M")
  .describe("Size with unit M (MiB) or G (GiB), such as 512M.");

const address = z
  .string()
  .refine((text) => parsePrefix(text) !== undefined, "an address is written 169.254.9.8/24")
  .describe("IPv4 address with prefix length.");

const mac = z
  .string()
  .refine((text) => parseMac(text) !== undefined, "a MAC address is six bytes, unicast: 02:00:00:00:00:01")
  .describe("MAC address of the data interface.");

const core = z.int().min(0).max(1023);

/** Keys of stack.conf that the lab itself writes. */
const LAB_OWNED_KEYS = [
  ...["io", "port", "address", "mac", "num_cores", "distribution", "queues", "rebalance", "hugepages", "pcap"],
];

const stack = z
  .strictObject({
    workers: z.int().min(1).max(64).describe("Threads of an application, each with a CPU of its own."),
    cores: z
      .int()
      .min(1)
      .max(64)
      .describe("In place of workers: the CPUs in all, with the one of 1kb or the two of 2kb that run no application."),
    distribution: z
      .enum(DISTRIBUTIONS)
      .describe(
        "How packets reach the workers. auto: the queues decide. direct: a queue for each worker. shared: whichever " +
          "worker finds a queue free empties it for all. 1kb: one CPU more receives and transmits for all. 2kb: one " +
          "CPU more receives, another one transmits.",
      ),
    rebalance: z.boolean().describe("Whether flows move from busy workers to idle ones while they run."),
    config: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]*$/, "a key of stack.conf is made of a-z, 0-9 and _"),
        z.union([z.string().regex(/^[^\n\r#]*$/, "a value of stack.conf is one line without #"), z.number()]),
      )
      .refine((keys) => !LAB_OWNED_KEYS.some((key) => key in keys), `the lab sets ${LAB_OWNED_KEYS.join(", ")} itself`)
      .describe("More lines for stack.conf, such as rcvbuf or log."),
  })
  .partial()
  .describe("How libmtcp runs in the machine.");

/** What a machine and `defaults` have in common. */
const machineShape = {
  kind: z.enum(["vm", "process"]).describe("vm: a libvirt domain. process: the applications on this host, no VM."),
  cpus: z.int().min(1).max(64).describe("Virtual CPUs."),
  queues: z
    .int()
    .min(1)
    .max(64)
    .describe("Queue pairs of the data interface. When absent: one, or with auto and direct one for each worker."),
  memory,
  hugepages: memory.describe("Memory that DPDK gets: hugepages inside a VM, plain memory of a process."),
  image: z.string().min(1).describe("Folder with the image's manifest.json, relative to the lab file."),
  template: z.string().min(1).describe("Domain template, relative to the lab file."),
  accelerator: z.enum(ACCELERATORS).describe("auto: KVM if it passes a probe, else TCG."),
  stack,
};

export const MACHINE_DEFAULTS = {
  kind: "vm",
  cpus: 1,
  memory: "768M",
  hugepages: "256M",
  accelerator: "auto",
} as const;

const machine = z.strictObject({
  ...z.object(machineShape).partial().shape,
  address: address.optional(),
  mac: mac.optional(),
});

const seconds = z.number().positive().max(3600);

export const DEADLINE_DEFAULTS_S = {
  switch: 20,
  ports: 10,
  running: 20,
  console: 60,
  agent: 120,
  init: 120,
  nic: 60,
  link: 90,
} as const;

const deadlines = z
  .strictObject({
    switch: seconds.describe("The switch answers."),
    ports: seconds.describe("Each port's socket accepts connections."),
    running: seconds.describe("The machine exists."),
    console: seconds.describe("The console has printed something."),
    agent: seconds.describe("The guest agent answers."),
    init: seconds.describe("The guest has finished its set-up."),
    nic: seconds.describe("The data interface is bound for DPDK."),
    link: seconds.describe("The stack has started in every machine and the switch sees its link."),
  })
  .partial();

const switchSchema = z.strictObject({
  kind: z.enum(["vportd"]).default("vportd").describe("The switch program."),
  core: core.optional().describe("CPU that the switch's worker runs on; the plan chooses when absent."),
  memory: memory.default("256M").describe("Memory for packet buffers."),
  hugepages: z.enum(["auto", "on", "off"]).default("off").describe("Whether the switch uses the host's hugepages."),
});

export const labSchema = z
  .strictObject({
    name: name.describe("Name of the lab; names its folders, sockets and domains."),
    subnet: address.default("169.254.9.0/24").describe("Where machines without an address get theirs from."),
    switch: switchSchema.prefault({}).describe("The switch that joins all machines."),
    deadlines: deadlines.default({}).describe("Seconds to wait for each rung of the readiness ladder."),
    defaults: z.strictObject(machineShape).partial().default({}).describe("What machines have unless they say else."),
    machines: z
      .record(name, machine)
      .refine((machines) => Object.keys(machines).length > 0, "a lab has at least one machine")
      .describe("The machines by name, in the order in which they are numbered."),
  })
  .meta({ title: "vnflab lab file" });

export type LabFile = z.output<typeof labSchema>;

/** The JSON Schema of what a person may write. */
export function labJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(labSchema, { io: "input", target: "draft-2020-12" });
}
