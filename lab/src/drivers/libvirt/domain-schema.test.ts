import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fakeHost } from "../../host/fake-host.js";
import type { Host } from "../../host/host.js";
import { realHost } from "../../host/real-host.js";
import { parseXml } from "../../render/template/dom.js";
import { checkSchema, findSchemaFaults } from "./domain-schema.js";

const GOLDEN = new URL("../../render/template/golden/", import.meta.url);
const patched = readdirSync(GOLDEN).filter((name) => name.startsWith("patched-"));
const absent = ["/usr/bin/xmllint", "/usr/share/libvirt/schemas/domain.rng"].find((file) => !existsSync(file));

describe.skipIf(absent)(`libvirt's schema${absent ? ` (no ${absent})` : ""}`, () => {
  let folder = "";
  let host: Host;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "vnflab-schema-"));
    host = { ...realHost(), env: { VNFLAB_STATE: folder } };
  });
  afterAll(() => rm(folder, { recursive: true }));
  const faults = (xml: string) => findSchemaFaults(host, parseXml("t.xml", xml).root);
  const golden = readFileSync(new URL("../../golden/guest.xml", GOLDEN), "utf8");

  it.each(patched)("has nothing against %s", async (name) => {
    expect(await faults(readFileSync(new URL(name, GOLDEN), "utf8"))).toEqual([]);
  });

  it.each([
    ["an attribute", 'queues="2"', 'queus="2"', 'queus="2" is not allowed in <driver>'],
    ["a value", '<panic model="isa"/>', '<panic model="ise"/>', 'model="ise" is not allowed in <panic>'],
    ["an element", "<acpi/>", "<acpy/>", "<acpy> is not allowed in <features>"],
    ["a device", '<memballoon model="none"/>', "<baloon/>", "<baloon> is not allowed here"],
    ["a part of the domain", '<clock offset="utc"/>', "<clok/>", "<clok> is not allowed here"],
    [
      "what is missing",
      '<target dev="vda" bus="virtio"/>',
      "",
      '<disk type="file" device="disk"> is not allowed here, or lacks',
      3,
    ],
  ])("finds %s with its line", async (_what, from, to, message, above = 0) => {
    const xml = golden.replace(from, to);
    const line = golden.slice(0, golden.indexOf(from)).split("\n").length;
    expect(await faults(xml)).toEqual([{ line: line - above, message: expect.stringContaining(message) }]);
  });

  it("tells all faults at once, in the error that ends the command", async () => {
    const xml = golden.replace("<acpi/>", "<acpy/>").replace('<panic model="isa"/>', '<panic model="ise"/>');
    const { root } = parseXml("t.xml", xml);
    await expect(checkSchema(host, "t.xml", root)).rejects.toMatchObject({
      code: "VNF_TEMPLATE_SCHEMA",
      message: expect.stringMatching(/^t\.xml:\d+: <acpy> .*\nt\.xml:\d+: model="ise"/),
    });
    expect(readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)))).toEqual([]);
  });
});

it("a host without the validator leaves the judgement to libvirt", async () => {
  expect(await findSchemaFaults(fakeHost(), parseXml("t.xml", "<domain/>").root)).toBeUndefined();
});
