import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DomainEditor, type TemplateFacts } from "./editor.js";
import { migrateTemplate } from "./migrate-template.js";
import { type DomainValues, hasOwnDisk, patchDomain } from "./patch-domain.js";

const FOLDER = new URL("fixtures/", import.meta.url);
const fixtures = readdirSync(FOLDER).filter((name) => name.endsWith(".xml"));
const read = (name: string) => readFileSync(new URL(name, FOLDER), "utf8");
const facts: TemplateFacts = {
  emulator: "/usr/bin/qemu-system-x86_64",
  machineTypes: ["pc", "q35", "pc-q35-6.2"],
  presentFiles: new Set(),
};

describe("migrate", () => {
  it.each(fixtures)("%s", async (name) => {
    const { xml, changes } = migrateTemplate(name, read(name), facts);
    const list = changes.map(
      ({ line, what, why, decide }) => `${line ?? "-"}: ${what}\n    ${why}${decide ? `\n    ${decide}` : ""}\n`,
    );
    await expect(xml).toMatchFileSnapshot(`golden/${name}`);
    await expect(list.join("")).toMatchFileSnapshot(`golden/${name.replace(".xml", ".txt")}`);
  });

  it.each(fixtures)("%s: a second time changes nothing", (name) => {
    const { xml } = migrateTemplate(name, read(name), facts);
    expect(migrateTemplate(name, xml, facts)).toEqual({ xml, changes: [] });
  });
});

const values: DomainValues = {
  name: "vnflab-pair-a",
  title: "vnflab pair: a",
  lab: "pair",
  machine: "a",
  accelerator: "tcg",
  memoryMib: 768,
  vcpus: 3,
  vcpuPins: [],
  emulatorCpus: "",
  hostHugepages: false,
  emulator: facts.emulator,
  machineTypes: facts.machineTypes,
  boot: { kernel: "/img/vmlinuz", initrd: "/img/initrd", kernelArgs: "console=ttyS0" },
  disks: [{ file: "/img/root.img", format: "raw", readonly: true, target: "vda" }],
  nics: [
    { mac: "02:00:00:00:00:01", socket: "/run/a.sock", queues: 2 },
    { mac: "02:00:00:00:00:02", socket: "/run/a.1.sock", queues: 1 },
  ],
  consoleLog: "/state/a/console.log",
  consoleSocket: "/run/a.con",
  agentSocket: "/run/a.qga",
  overlay: (target) => `/state/a/${target}.qcow2`,
};

function patch(text: string, more: Partial<DomainValues> = {}) {
  const patched = patchDomain("/labs/t.xml", text, "/labs", { ...values, ...more });
  return { ...patched, xml: patched.editor.toString(), whats: patched.changes.map(({ what }) => what) };
}
const domain = (inner: string, devices = "") =>
  `<domain type="kvm"><name>x</name><memory>1</memory><vcpu>1</vcpu><os><type machine="q35">hvm</type></os>` +
  `<!-- mine -->${inner}<devices><emulator>${facts.emulator}</emulator>${devices}</devices></domain>`;

describe("a domain without placeholders", () => {
  it.each(fixtures)("%s, migrated, becomes a machine's", async (name) => {
    const { xml } = migrateTemplate(name, read(name), facts);
    await expect(patch(xml).xml).toMatchFileSnapshot(`golden/patched-${name}`);
  });

  it("keeps what the lab has no opinion of, comments included", () => {
    const own = '<genid/><iothreads>2</iothreads><keywrap><cipher name="aes" state="on"/></keywrap>';
    const { xml } = patch(domain(own, '<watchdog model="itco"/><!-- dog -->'));
    for (const part of [
      ...(own.match(/<[a-z]+/g) as string[]),
      "<!-- mine -->",
      "<!-- dog -->",
      '<watchdog model="itco"/>',
    ]) {
      expect(xml).toContain(part);
    }
  });

  it("carries hostile values without a change of structure", () => {
    const hostile = `</name><x y="1">&amp;'"]]>{{name}}<!--`;
    const { editor, xml } = patch(domain(""), { name: hostile, consoleLog: hostile });
    expect(new DomainEditor("t", xml).root.getElementsByTagName("x")).toHaveLength(0);
    expect(editor.root.getElementsByTagName("name")[0]?.textContent).toBe(hostile);
  });

  it("has the processor that the accelerator allows, and a topology that fits", () => {
    const cpu = (topology: string) => domain(`<cpu mode="custom"><model>Nehalem</model>${topology}</cpu>`);
    expect(patch(cpu("")).xml).toContain('<cpu mode="maximum" check="none"/>');
    const fits = '<topology sockets="1" cores="3" threads="1"/>';
    expect(patch(cpu(fits), { accelerator: "kvm" }).xml).toContain(`<model>Nehalem</model>${fits}</cpu>`);
    expect(patch(cpu(fits), { accelerator: "kvm", vcpus: 2 }).xml).not.toContain("<topology");
    expect(patch(domain(""), { accelerator: "kvm" }).xml).toContain('<cpu mode="host-passthrough" check="none"/>');
  });

  it("with a disk of its own gets a layer over it, and the lab's disks beside it", () => {
    const disk = (target: string, more = "") =>
      `<disk type="file" device="disk"><driver name="qemu" type="raw"/><source file="own.img"/>` +
      `<target dev="${target}" bus="virtio"/>${more}</disk>`;
    const { boot: _, ...itself } = values;
    const text = domain("", disk("vda") + disk("vdb", "<readonly/>"));
    const { editor, overlays } = patchDomain("/labs/t.xml", text, "/labs", itself);
    expect(overlays).toEqual([{ file: "/state/a/vda.qcow2", backing: "/labs/own.img", backingFormat: "raw" }]);
    const seen = Array.from(editor.root.getElementsByTagName("disk")).map((each) =>
      ["driver:type", "source:file", "target:dev"].map((part) => {
        const [name = "", attribute = ""] = part.split(":");
        return each.getElementsByTagName(name)[0]?.getAttribute(attribute);
      }),
    );
    expect(seen).toEqual([
      ["qcow2", "/state/a/vda.qcow2", "vda"],
      ["raw", "/labs/own.img", "vdb"],
      ["raw", "/img/root.img", "vdc"],
    ]);
    expect(editor.toString()).not.toContain("<kernel>");
    expect([hasOwnDisk("t", text), hasOwnDisk("t", domain(""))]).toEqual([true, false]);
  });

  it("keeps a card of QEMU's own network, and what else it says of a vhost-user card", () => {
    const cards =
      '<interface type="user"/><interface type="bridge"><source bridge="br0"/></interface>' +
      '<interface type="vhostuser"><source type="unix" path="/old" mode="client"/><model type="virtio"/>' +
      '<driver name="vhost" rx_queue_size="256"><host csum="off"/></driver><boot order="1"/></interface>';
    const { xml, whats } = patch(domain("", cards));
    expect(xml).toContain('<interface type="user"/>');
    expect(xml).toContain('<driver rx_queue_size="256" queues="2" tx_queue_size="1024"><host csum="off"/></driver>');
    expect(xml.match(/<interface type="vhostuser">/g)).toHaveLength(2);
    expect(whats).toContain('<interface type="bridge"> removed');
  });

  it.each([
    ["<network/>", "t.xml:1: <network> is no <domain>"],
    ["<domain>", "not well-formed XML"],
    [domain("").replace("hvm", "xen"), '<type>: a lab\'s machine is <type arch="x86_64">hvm</type>'],
    [
      '<domain xmlns:q="http://libvirt.org/schemas/domain/qemu/1.0">\n<q:commandline><q:arg value="-mem-path"/>' +
        '<q:arg value="/mnt/huge"/></q:commandline></domain>',
      "t.xml:2: <q:arg>: QEMU's -mem-path stands where libvirt has elements now",
    ],
  ])("is refused: %j", (text, message) => {
    expect(() => patch(text)).toThrowError(
      expect.objectContaining({ code: "VNF_TEMPLATE_INVALID", message: expect.stringContaining(message) }),
    );
  });
});
