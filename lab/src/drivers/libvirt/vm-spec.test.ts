import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeHost, fakeHost } from "../../host/fake-host.js";
import type { AllocatedMachine } from "../../model/deployment.js";
import { parseLab } from "../../model/parse-lab.js";
import { allocate } from "../../plan/allocate.js";
import type { VmSpec } from "../machine-driver.js";
import { makeDisks } from "./vm-disks.js";
import { vmSpec } from "./vm-spec.js";

const REPOSITORY = new URL("../../../../", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, REPOSITORY), "utf8");
const paths = { stateDir: "/state/pair", runDir: "/run/pair" };
let host: FakeHost;

beforeEach(async () => {
  host = fakeHost();
  const image = `${host.root}/build/images/guest`;
  const manifest = { schemaVersion: 1, kernel: "vmlinuz", initrd: null, rootfs: "root.img", kernelArgs: "quiet" };
  await host.files.write(`${image}/current/manifest.json`, JSON.stringify(manifest));
  for (const file of ["current/vmlinuz", "current/root.img", "payload.img"])
    await host.files.write(`${image}/${file}`, "");
  await host.files.write(`${host.root}/vm-templates/guest.xml`, read("vm-templates/guest.xml"));
  await host.files.write("/labs/t.xml", read("lab/src/render/template/fixtures/ours.xml"));
  host.exec.install("qemu-system-x86_64", ({ print }) => {
    print("stdout", "Supported machines are:\nq35    Standard PC\n");
    return 0;
  });
});

async function spec(machine: string): Promise<VmSpec> {
  const topology = parseLab(`name: pair\nmachines: {a: ${machine}}`, "/labs/lab.yaml");
  const facts = { cores: [0, 1, 2, 3], availableMemoryMib: 8000 };
  const { machines, deadlinesMs } = allocate(topology, facts, paths);
  const [only] = machines as [AllocatedMachine];
  const common = { lab: "pair", machine: "a", place: only.place, stateDir: "/state/pair/a", runDir: paths.runDir };
  return vmSpec(host, { ...common, consoleLog: "/state/pair/a/console.log", deadlinesMs }, only, "tcg");
}

describe("a virtual machine", () => {
  it("of the project's template boots the project's image, and needs no disk of its own", async () => {
    const { domainXml, disks } = await spec("{}");
    expect(domainXml).toContain(`<kernel>${host.root}/build/images/guest/current/vmlinuz</kernel>`);
    expect(domainXml).not.toContain("<initrd");
    expect(domainXml).toMatch(/<cmdline>quiet .*vnflab\.hostname=a /);
    expect(disks).toBeUndefined();
  });

  it("of a user's domain without a disk boots it as well", async () => {
    const { domainXml } = await spec("{template: t.xml}");
    expect(domainXml).toContain('<watchdog model="i6300esb" action="poweroff"/>');
    expect(domainXml).toContain(`<source file="${host.root}/build/images/guest/current/root.img"/>`);
  });

  describe("of a user's domain with a disk", () => {
    const disk = '<disk type="file" device="disk"><source file="own.qcow2"/><target dev="vda" bus="virtio"/></disk>';
    beforeEach(async () => {
      const text = (await host.files.readText("/labs/t.xml")) ?? "";
      await host.files.write("/labs/t.xml", text.replace("<watchdog", `${disk}<watchdog`));
    });

    it("that is not there is refused before anything starts", async () => {
      await expect(spec("{template: t.xml}")).rejects.toMatchObject({
        code: "VNF_IMAGE_INVALID",
        message: "/labs/t.xml names a disk that is not there: /labs/own.qcow2",
      });
    });

    it("boots that, from a layer of its own, made once", async () => {
      await host.files.write("/labs/own.qcow2", "");
      const made: string[] = [];
      host.exec.install("qemu-img", ({ argv }) => {
        made.push(argv.slice(1).join(" "));
        void host.files.write(argv.at(-1) ?? "", "");
        return 0;
      });
      host.exec.install("xorrisofs", () => 0);
      const machine = await spec("{template: t.xml}");
      expect(machine.domainXml).not.toContain("<kernel>");
      await makeDisks(host, machine);
      await makeDisks(host, machine);
      expect(made).toEqual(["create -q -f qcow2 -b /labs/own.qcow2 -F qcow2 /state/pair/a/vda.qcow2"]);
      expect(machine.disks?.seed?.file).toBe("/state/pair/a/seed.iso");
    });

    it("is refused with the tool's words when no layer can be made", async () => {
      await host.files.write("/labs/own.qcow2", "");
      host.exec.install("qemu-img", ({ print }) => {
        print("stderr", "qemu-img: Image is not in qcow2 format\n");
        return 1;
      });
      await expect(makeDisks(host, await spec("{template: t.xml}"))).rejects.toMatchObject({
        code: "VNF_IMAGE_INVALID",
        message: "a: no layer over /labs/own.qcow2: qemu-img: Image is not in qcow2 format",
      });
      expect(await host.files.kind("/state/pair/a/vda.qcow2")).toBeUndefined();
    });
  });

  describe("of a distribution's cloud image", () => {
    beforeEach(async () => {
      await host.files.write("/labs/debian.qcow2", "");
      host.exec.install("qemu-img", ({ argv, print }) => {
        if (argv[1] === "info") print("stdout", '{"format": "qcow2", "virtual-size": 1}');
        return 0;
      });
    });

    it("boots a layer over it, with payload, tool box and seed beside it", async () => {
      const { domainXml, disks } = await spec("{image: {qcow2: debian.qcow2}, aliases: []}");
      expect(domainXml).not.toContain("<kernel>");
      const files = [...domainXml.matchAll(/<driver name="qemu" type="(\w+)"\/>\s*<source file="([^"]+)"/g)];
      const images = `${host.root}/build/images/guest`;
      expect(files.map(([, type, file]) => `${type} ${file}`)).toEqual([
        "qcow2 /state/pair/a/root.qcow2",
        `raw ${images}/payload.img`,
        `raw ${images}/current/root.img`,
        "raw /state/pair/a/seed.iso",
      ]);
      expect(domainXml.match(/<readonly\/>/g)).toHaveLength(3);
      const layer = { file: "/state/pair/a/root.qcow2", backing: "/labs/debian.qcow2", backingFormat: "qcow2" };
      expect(disks).toMatchObject({ overlays: [layer], seed: { file: "/state/pair/a/seed.iso", label: "cidata" } });
      expect(disks?.seed?.content["user-data"]).toContain("vnflab.hostname=a");
    });

    it("by a manifest boots the kernel beside it", async () => {
      const manifest = {
        schemaVersion: 1,
        kind: "cloud",
        disk: "disk.raw",
        kernel: "vmlinuz",
        kernelArgs: "root=/dev/vda",
      };
      await host.files.write("/labs/img/manifest.json", JSON.stringify(manifest));
      for (const file of ["disk.raw", "vmlinuz"]) await host.files.write(`/labs/img/${file}`, "");
      const { domainXml } = await spec("{image: img}");
      expect(domainXml).toContain("<kernel>/labs/img/vmlinuz</kernel>");
      expect(domainXml).toContain("<cmdline>root=/dev/vda ");
    });

    it("makes the seed with the tool's words when that fails, and leaves nothing half", async () => {
      const machine = await spec("{image: {qcow2: debian.qcow2}}");
      let seen: string[] = [];
      host.exec.install("xorrisofs", async ({ argv }) => {
        seen = await host.files.list(argv.at(-1) ?? "");
        return 0;
      });
      await makeDisks(host, machine);
      expect(seen).toEqual(["meta-data", "network-config", "user-data"]);
      expect(await host.files.kind("/state/pair/a/seed.iso.d")).toBeUndefined();
      host.exec.install("xorrisofs", ({ print }) => {
        print("stderr", "xorriso : FAILURE : no room\n");
        return 5;
      });
      await expect(makeDisks(host, machine)).rejects.toMatchObject({
        code: "VNF_IMAGE_INVALID",
        message: "a: no disk for cloud-init: xorriso : FAILURE : no room",
      });
    });

    it.each([
      ["{image: {qcow2: absent.qcow2}}", "a: there is no disk image /labs/absent.qcow2"],
      [
        "{image: {qcow2: debian.qcow2}, template: disk.xml}",
        "a: /labs/disk.xml has a disk of its own, and the lab file",
      ],
    ])("%s is refused", async (machine, message) => {
      const text = (await host.files.readText("/labs/t.xml")) ?? "";
      const disk = '<disk type="file" device="disk"><source file="own.img"/><target dev="vda"/></disk>';
      await host.files.write("/labs/disk.xml", text.replace("<watchdog", `${disk}<watchdog`));
      await expect(spec(machine)).rejects.toMatchObject({
        code: "VNF_IMAGE_INVALID",
        message: expect.stringContaining(message),
      });
    });

    it("what is no disk image is told with the tool's words", async () => {
      host.exec.install("qemu-img", ({ print }) => {
        print("stderr", "qemu-img: Could not open: Is a directory\n");
        return 1;
      });
      await expect(spec("{image: {qcow2: debian.qcow2}}")).rejects.toMatchObject({ code: "VNF_IMAGE_INVALID" });
    });
  });
});
