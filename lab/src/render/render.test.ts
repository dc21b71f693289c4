import { readFileSync } from "node:fs";
import { DOMParser } from "@xmldom/xmldom";
import { describe, expect, it } from "vitest";
import type { AllocatedMachine } from "../model/deployment.js";
import { LOCAL } from "../model/place.js";
import { firstNic } from "../model/topology.js";
import { type DomainContext, renderDomain } from "./domain-xml.js";
import { fillTemplate } from "./fill-template.js";
import { renderKernelCmdline } from "./kernel-cmdline.js";
import { renderStackConf } from "./stack-conf.js";

const vm: AllocatedMachine = {
  name: "vm1",
  kind: "vm",
  cpus: 2,
  place: LOCAL,
  nics: [
    {
      link: "lan",
      queues: 2,
      address: "169.254.9.8/24",
      mac: "02:00:00:00:00:01",
      port: "vm1",
      socket: "/run/lab/vm1.sock",
    },
  ],
  forwarding: false,
  routes: [],
  aliases: [],
  memoryMib: 768,
  hugepagesMib: 256,
  accelerator: "auto",
  stack: { kind: "libmtcp", cores: 2, workers: 2, distribution: "direct", config: { log: "debug" } },
  cores: [],
  vcpuPins: [],
  emulatorCpus: [],
  hostHugepages: false,
  filePrefix: "vm1-abc",
};
const disk = (name: string, target: string) => ({
  file: `/img/${name}.img`,
  ...{ target, format: "raw" as const, readonly: true },
});
const context: DomainContext = {
  lab: "two-vms",
  domainName: "vnflab-two-vms-vm1",
  accelerator: "tcg",
  emulator: "/usr/bin/qemu-system-x86_64",
  consoleLog: "/state/vm1/console.log",
  consoleSocket: "/run/lab/vm1.con",
  agentSocket: "/run/lab/vm1.qga",
  image: { kernel: "/img/vmlinuz", initrd: "/img/initrd", disks: [disk("root", "vda"), disk("payload", "vdb")] },
  kernelArgs: renderKernelCmdline("console=ttyS0", vm),
  overlay: (target) => `/state/vm1/${target}.qcow2`,
};
const guestXml = {
  file: "vm-templates/guest.xml",
  text: readFileSync(new URL("../../../vm-templates/guest.xml", import.meta.url), "utf8"),
};

describe("domain XML", () => {
  it("of the project's template matches the golden file", async () => {
    await expect(renderDomain(guestXml, vm, context).xml).toMatchFileSnapshot("golden/guest.xml");
  });

  it("is pinned and on hugepages when the plan says so", () => {
    const { xml: pinned } = renderDomain(
      guestXml,
      { ...vm, vcpuPins: [4, 6], emulatorCpus: [0], hostHugepages: true },
      context,
    );
    expect(pinned.replaceAll(/\n\s*/g, "")).toContain(
      '<cputune><vcpupin vcpu="0" cpuset="4"/><vcpupin vcpu="1" cpuset="6"/><emulatorpin cpuset="0"/></cputune>',
    );
    expect(pinned).toContain("<hugepages/>");
  });

  it("carries hostile values without a change of structure", () => {
    const hostile = `</name><x y="1">&amp;'"]]>{{name}}\t\n<!--`;
    const { xml } = renderDomain(guestXml, vm, { ...context, domainName: hostile, consoleLog: hostile });
    const parsed = new DOMParser().parseFromString(xml, "text/xml");
    expect(parsed.getElementsByTagName("name")[0]?.textContent).toBe(hostile);
    expect(parsed.getElementsByTagName("log")[0]?.getAttribute("file")).toBe(hostile);
    expect(parsed.getElementsByTagName("x")).toHaveLength(0);
  });
});

describe("a template", () => {
  const fill = (text: string, required?: string[]) =>
    fillTemplate(
      { file: "t.xml", text, ...(required ? { required } : {}) },
      { name: "n", none: undefined, off: false, list: [{ a: 1 }, { a: 2 }], empty: [] },
    );
  const wrap = (inner: string) => `<d xmlns:vnflab="urn:vnflab:template">${inner}</d>`;

  it.each([
    ['<a vnflab:if="name" x="{{name}}"/><b vnflab:if="none">{{none}}</b><c vnflab:if="off"/>', '<a x="n"/>'],
    ['<a vnflab:each="list" x="{{item.a}}"><b>{{name}}</b></a>', '<a x="1"><b>n</b></a><a x="2"><b>n</b></a>'],
    ['<a vnflab:if="empty"><b vnflab:each="empty"/></a><c vnflab:each="empty"/>', ""],
  ])("%s", (template, filled) => {
    expect(fill(wrap(template))).toBe(filled === "" ? "<d/>\n" : `<d>${filled}</d>\n`);
  });

  it.each([
    ["<d><a></d>", "t.xml: not well-formed XML"],
    ["", "t.xml: not well-formed XML"],
    [wrap("\n<a>{{nam}}</a>"), 't.xml:2: <a>: unknown placeholder {{nam}} (did you mean "name"?); known: name,'],
    [wrap("<a>{{none}}</a>"), "t.xml:1: <a>: {{none}} has no value"],
    [wrap('<a x="1{{name}}"/>'), 't.xml:1: <a>: "1{{name}}": a placeholder stands alone'],
    [wrap('<a vnflab:each="name"/>'), "t.xml:1: <a>: name is not a list"],
    [wrap("<a/>"), "t.xml: the placeholder {{name}} is missing"],
  ])("is refused: %j", (template, message) => {
    expect(() => fill(template, ["name"])).toThrowError(
      expect.objectContaining({ code: "VNF_TEMPLATE_INVALID", message: expect.stringContaining(message) }),
    );
  });

  it("refuses a value that XML cannot carry", () => {
    expect(() => fillTemplate({ file: "t.xml", text: "<a>{{v}}</a>" }, { v: "\u0000" })).toThrow("control character");
  });
});

it("the kernel is told the rate of its clock only when it is known", () => {
  const told = "vnflab.hostname=vm1 vnflab.hugepages=128 vnflab.uio=auto";
  expect(renderKernelCmdline("quiet", vm)).toBe(`quiet ${told}`);
  expect(renderKernelCmdline("quiet", vm, 2_596_142)).toBe(`quiet tsc_early_khz=2596142 ${told}`);
});

it("the kernel gets the cards that are not the stack's, their addresses, routes and whether it forwards", () => {
  const second = { ...firstNic(vm), link: "wan", mac: "02:00:00:00:00:02", address: "10.9.1.1/24" };
  const routes = [
    { to: "0.0.0.0/0", via: ["169.254.9.1"], nic: 0 },
    { to: "10.8.0.0/16", via: ["10.9.1.2", "10.9.1.3"], nic: 1 },
  ];
  const mixed: AllocatedMachine = { ...vm, nics: [...vm.nics, second], routes };
  expect(renderKernelCmdline("quiet", mixed)).toBe(
    "quiet vnflab.hostname=vm1 vnflab.hugepages=128 vnflab.uio=auto vnflab.kernel=02:00:00:00:00:02,10.9.1.1/24 " +
      "vnflab.route=10.8.0.0/16,10.9.1.2,10.9.1.3",
  );
  expect(renderStackConf(mixed)).toContain("address = 169.254.9.8/24\ngateway = 169.254.9.1\nnum_cores");
  const router = {
    ...mixed,
    stack: { ...vm.stack, kind: "kernel" as const },
    forwarding: true,
    aliases: ["10.1.1.1/32"],
  };
  expect(renderKernelCmdline("", router)).toBe(
    "vnflab.hostname=vm1 vnflab.hugepages=0 vnflab.uio=auto vnflab.kernel=02:00:00:00:00:01,169.254.9.8/24 " +
      "vnflab.kernel=02:00:00:00:00:02,10.9.1.1/24 vnflab.alias=10.1.1.1/32 vnflab.route=0.0.0.0/0,169.254.9.1 " +
      "vnflab.route=10.8.0.0/16,10.9.1.2,10.9.1.3 vnflab.forward=on",
  );
  expect(renderStackConf(router)).not.toContain("gateway");
  expect(renderDomain(guestXml, mixed, context).xml.match(/<mac address=".*?"/g)).toEqual([
    '<mac address="02:00:00:00:00:01"',
    '<mac address="02:00:00:00:00:02"',
  ]);
});

describe("stack.conf", () => {
  it("of a VM", () => {
    expect(renderStackConf(vm, { pcap: "/run/vnflab/vm1.pcap" })).toMatchInlineSnapshot(`
      "io = dpdk
      port = 02:00:00:00:00:01
      hugepages = on
      address = 169.254.9.8/24
      num_cores = 2
      distribution = direct
      queues = 2
      log = debug
      pcap = /run/vnflab/vm1.pcap
      "
    `);
  });

  it("of a process", () => {
    const machine = {
      ...vm,
      kind: "process" as const,
      cores: [1, 65],
      stack: { ...vm.stack, config: { eal: "-d x" } },
    };
    expect(renderStackConf(machine)).toMatchInlineSnapshot(`
      "io = dpdk
      port = vdev:net_virtio_user0,path=/run/lab/vm1.sock,queues=2,queue_size=1024,mac=02:00:00:00:00:01
      core_mask = 0x20000000000000002
      hugepages = off
      eal = --file-prefix vm1-abc -m 256 -d x
      address = 169.254.9.8/24
      num_cores = 2
      distribution = direct
      queues = 2
      "
    `);
  });

  it("of a guest with one queue and four cores, one of which distributes", () => {
    const stack = {
      kind: "libmtcp" as const,
      cores: 4,
      workers: 3,
      distribution: "1kb" as const,
      rebalance: true,
      config: {},
    };
    const machine = { ...vm, cpus: 4, nics: vm.nics.map((nic) => ({ ...nic, queues: 1 })), stack };
    expect(renderStackConf(machine)).toContain("num_cores = 4\ndistribution = 1kb\nqueues = 1\nrebalance = on\n");
    expect(renderDomain(guestXml, machine, context).xml).toContain('<driver queues="1" ');
    expect(renderStackConf({ ...machine, kind: "process", cores: [1, 2, 3, 4] })).toMatch(
      /queues=1,.*\ncore_mask = 0x1e\n/,
    );
  });

  it("of a process whose workers share a core leaves the cores to the stack", () => {
    const machine = { ...vm, kind: "process" as const, cores: [1, 1] };
    expect(renderStackConf(machine)).not.toContain("core_mask");
  });
});
