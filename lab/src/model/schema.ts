/**
 * The lab file. This schema is the one truth: types, defaults, checks, lab/schema/lab.schema.json and the suggestions
 * for misspelt keys all come from it.
 */
import { z } from "zod";
import { ACCELERATORS } from "./accelerator.js";
import { hostRange, parseIpv4, parseMac, parsePrefix } from "./address.js";
import { DISTRIBUTIONS } from "./distribution.js";
import { PLACE_FORMS, parsePlace } from "./place.js";
import { SPREADS } from "./topology.js";
import { parsePercent, parseRateBps, parseTimeUs } from "./units.js";

/** A text of a form; anything else, a number above all, is told the form as well. */
const text = (form: string) => z.string({ error: orRequired(form) });

function orRequired(form: string) {
  return ({ input }: { readonly input?: unknown }) => (input === undefined ? "is required" : form);
}

/** Names become parts of file names, host names and domain names. */
const NAME = /^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/;

const name = z.string().regex(NAME, "a name has 1 to 20 of a-z, 0-9 and -, and begins with a letter");

const SIZE = "a size is a whole number with M or G, such as 512M";

const memory = text(SIZE)
  .regex(/^[1-9]\d{0,6}[MG]$/, SIZE)
  .describe("Size with unit M (MiB) or G (GiB), such as 512M.");

const ADDRESS = "an address is written 169.254.9.8/24";

const address = text(ADDRESS)
  .refine((value) => parsePrefix(value) !== undefined, ADDRESS)
  .describe("IPv4 address with prefix length.");

const subnet = z
  .string()
  .refine((text) => parsePrefix(text) !== undefined, "a subnet is written 169.254.9.0/24")
  .refine((text) => {
    const { first, last } = hostRange(parsePrefix(text) ?? { address: 0, length: 0 });
    return last > first;
  }, "a subnet has room for two machines: /30 or shorter")
  .describe("IPv4 prefix that NICs without an address get theirs from.");

const NEXT_HOP = "a next hop is an IPv4 address, or the name of a machine on one of the links";

const nextHop = text(NEXT_HOP).refine((value) => parseIpv4(value) !== undefined || NAME.test(value), NEXT_HOP);

const host = z
  .union([z.string(), z.strictObject({ docker: z.string() }), z.strictObject({ libvirt: z.string() })], {
    error: PLACE_FORMS,
  })
  .refine((text) => parsePlace(text) !== undefined, PLACE_FORMS)
  .describe("Where it runs: local, docker, ssh://USER@HOST:PORT, {docker: ENGINE} or {libvirt: URI}.");

const MAC = "a MAC address is six bytes, unicast: 02:00:00:00:00:01";

const mac = text(MAC)
  .refine((value) => parseMac(value) !== undefined, MAC)
  .describe("MAC address of the data interface.");

const core = z.int().min(0).max(1023);

/** Keys of stack.conf that the lab itself writes. */
const LAB_OWNED_KEYS = [
  ...["io", "port", "address", "mac", "num_cores", "distribution", "queues", "rebalance", "hugepages", "pcap"],
  ...["gateway", "route"],
];

const stack = z
  .strictObject({
    kind: z
      .enum(["libmtcp", "kernel"])
      .describe("Whose TCP/IP the applications use: libmtcp on DPDK, or the kernel of a virtual machine."),
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
  .describe("How the machine speaks TCP/IP.");

const NO_PATH = "a path is not empty";

const queues = z.int().min(1).max(64);

/** What a machine, `kinds` and `defaults` have in common. */
const kindShape = {
  host,
  cpus: z.int().min(1).max(64).describe("Virtual CPUs."),
  queues: queues.describe("Queue pairs of a NIC. When absent: one, or with auto and direct one for each worker."),
  memory,
  hugepages: memory.describe("Memory that DPDK gets: hugepages inside a VM, plain memory of a process."),
  image: z
    .union([z.string().min(1), z.strictObject({ qcow2: z.string().min(1) })], {
      error: ({ input }) => (input === "" ? NO_PATH : "an image is a folder, or {qcow2: FILE}"),
    })
    .describe(
      "Folder with the image's manifest.json, relative to the lab file; or {qcow2: FILE}, the disk of a distribution's " +
        "cloud image or another one with cloud-init, which is never written to.",
    ),
  template: z.string().min(1, NO_PATH).describe("Domain template, relative to the lab file."),
  accelerator: z.enum(ACCELERATORS).describe("auto: KVM if it passes a probe, else TCG."),
  forwarding: z.boolean().describe("Its kernel forwards between its NICs; its stack is the kernel's then."),
  gateway: nextHop.describe("Next hop for all that is on none of its links: an address, or a machine's name."),
  routes: z
    .array(
      z.strictObject({
        to: z
          .string()
          .refine((text) => parsePrefix(text) !== undefined || NAME.test(text), "a destination is a prefix or a link")
          .describe("Destination: a prefix such as 10.1.0.0/16, or the name of a link."),
        via: z
          .union([nextHop, z.array(nextHop).min(1, "a route has a next hop")], { error: orRequired(NEXT_HOP) })
          .describe(
            "Next hop: an address, or the name of a machine on one of its links; several share the connections.",
          ),
      }),
    )
    .describe("What is reached through which machine."),
  aliases: z
    .array(address)
    .describe("More addresses of the machine's kernel, such as that of a service that others share."),
  stack,
};

const machineShape = {
  kind: z.enum(["vm", "process"]).describe("vm: a libvirt domain. process: the applications on this host, no VM."),
  ...kindShape,
};

export const MACHINE_DEFAULTS = {
  kind: "vm",
  cpus: 1,
  memory: "768M",
  hugepages: "256M",
  accelerator: "auto",
  host: "local",
  routes: [],
  aliases: [],
} as const;

const machine = z.strictObject({
  ...z.object(machineShape).partial().shape,
  address: address.describe("Of the only NIC: IPv4 address with prefix length.").optional(),
  mac: mac.optional(),
  nics: z
    .array(
      z.strictObject({
        link: name.describe("Name of a link in `links`."),
        address: address.optional(),
        mac: mac.optional(),
        queues: queues.describe("Queue pairs of this NIC.").optional(),
      }),
    )
    .min(1, "a machine has at least one NIC")
    .max(8, "a machine has at most 8 NICs")
    .optional()
    .describe("Its NICs, the stack's first; without it there is one, on the only link."),
});

const unit = (parse: (text: string) => number | undefined, form: string) =>
  text(form).refine((value) => parse(value) !== undefined, form);
const time = unit(parseTimeUs, "a time is a number with us, ms or s, such as 10ms");
const percent = unit(parsePercent, "a share is a percentage from 0% to 100%, such as 1%");
const seed = z.int().min(0).max(0xffffffff);

const spread = z
  .enum(SPREADS)
  .describe(
    "How frames reach the queues of a NIC that has several: from queue q of the sender's NIC by queue q (lanes, when " +
      "absent), or by a hash of their flow, as a card's receive-side scaling does (hash).",
  );

const link = z.strictObject({
  subnet: subnet.optional(),
  spread: spread.optional(),
  impair: z
    .strictObject({
      delay: time.describe("Added to every frame."),
      jitter: time.describe("The delay varies by as much, up and down."),
      loss: percent.describe("Of all frames."),
      duplicate: percent.describe("Of all frames."),
      reorder: percent.describe("Of all frames: they overtake those before them."),
      rate: unit(parseRateBps, "a rate is bits a second with k, M or G, such as 100M"),
      seed: seed.describe("In place of the lab's."),
    })
    .partial()
    .optional()
    .describe("What the link does to frames, in both directions."),
});

const seconds = z.number().positive().max(3600);

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
  kind: z
    .enum(["vportd", "bessd"])
    .default("vportd")
    .describe("vportd: the lab starts its own. bessd: one that runs already, at `address`."),
  address: z
    .string()
    .regex(/^(unix:\/\S+|[\w.-]+:\d{1,5})$/, "an address of a switch is unix:/PATH or HOST:PORT")
    .optional()
    .describe("Where a bessd serves its control protocol: unix:/PATH or HOST:PORT."),
  host: host.optional(),
  core: core.optional().describe("CPU that the switch's worker runs on; the plan chooses when absent."),
  memory: memory.default("256M").describe("Memory for packet buffers."),
  hugepages: z.enum(["auto", "on", "off"]).default("off").describe("Whether the switch uses the host's hugepages."),
});

export const labSchema = z
  .strictObject({
    name: name.describe("Name of the lab; names its folders, sockets and domains."),
    include: z
      .array(z.string().min(1, NO_PATH))
      .optional()
      .describe("Lab files that this one builds on, relative to it; what a later one and this one say wins."),
    seed: seed.default(1).describe("What is left to chance comes from this number."),
    exclusive: z
      .boolean()
      .default(false)
      .describe("Whether it shares its CPUs with nothing: `up` is refused when there are not enough for it alone."),
    host: host.optional(),
    subnet: subnet.optional().describe("Of the one link that there is without `links`; 169.254.9.0/24 when absent."),
    spread: spread.optional().describe("Of the one link that there is without `links`; lanes when absent."),
    links: z
      .record(name, link)
      .refine((links) => Object.keys(links).length > 0, "a lab has at least one link")
      .optional()
      .describe("The Ethernet segments by name; without it there is one, `lan`, with all machines."),
    switch: switchSchema.prefault({}).describe("The switch that joins all machines."),
    deadlines: deadlines.default({}).describe("Seconds to wait for each rung of the readiness ladder."),
    defaults: z.strictObject(machineShape).partial().default({}).describe("What machines have unless they say else."),
    kinds: z
      .strictObject({ vm: z.strictObject(kindShape).partial(), process: z.strictObject(kindShape).partial() })
      .partial()
      .default({})
      .describe("What machines of a kind have unless they say else; wins over `defaults`."),
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
