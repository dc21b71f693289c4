import { expect, it } from "vitest";
import type { VmSpec } from "../drivers/machine-driver.js";
import { checkEffective } from "./check-effective.js";
import { fakeEngine, LAB_FILE } from "./fake-engine.js";
import { Lab } from "./lab.js";
import { up } from "./up.js";

const xml = (mac: string) => `<domain><memory unit="MiB">768</memory><vcpu>1</vcpu>
  <memoryBacking><access mode="shared"/></memoryBacking>
  <devices><interface type="vhostuser"><mac address="${mac}"/><driver queues="1"/></interface></devices></domain>`;

it("refuses a lab that runs otherwise than asked, naming all that differs", async () => {
  const { context, machines, sw } = await fakeEngine();
  const { record } = await up(context, LAB_FILE, { signal: new AbortController().signal });
  const [left, right] = record.machines;
  if (!left || !right) throw new Error("the lab has two machines");
  const mac = record.deployment.machines[0]?.nics[0]?.mac ?? "";
  const vm = { ...left, kind: "vm", domainXml: xml(mac) } as unknown as VmSpec;
  const lab = new Lab(context, { ...record, machines: [vm, right] });
  await checkEffective(lab);
  machines.liveXmls.set("left", xml(mac).replace("shared", "private").replace('queues="1"', 'queues="4"'));
  const { ports } = await sw.observe(record.switch);
  sw.observe = async () => ({ status: "running", detail: "one port was removed", ports: ports.slice(0, 1) });
  await expect(checkEffective(lab)).rejects.toMatchObject({
    code: "VNF_NOT_AS_ASKED",
    message: expect.stringMatching(
      /no port right: .*left: shared memory: false, asked for true; left: NIC .* queues: 4/,
    ),
  });
});
