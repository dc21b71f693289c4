/** Virtual machines of the fake engine: an image, a template, an emulator. */
import type { FakeEngine } from "../../engine/fake-engine.js";

/** What rendering a virtual machine looks for. */
export async function makeVmsPossible({ host }: FakeEngine): Promise<void> {
  const { files, exec } = host;
  const image = "/repo/build/images/guest";
  const manifest = { schemaVersion: 1, kernel: "k", initrd: null, rootfs: "r" };
  await files.write(`${image}/current/manifest.json`, JSON.stringify(manifest));
  for (const file of ["current/k", "current/r", "payload.img"]) await files.write(`${image}/${file}`, "");
  const nic = '<mac address="{{item.mac}}"/><driver queues="{{item.queues}}"/>';
  const inside = [
    '<a x="{{name}}" y="{{consoleLog}}" z="{{agentSocket}}"/><memory unit="MiB">{{memoryMib}}</memory>',
    '<memoryBacking><access mode="shared"/></memoryBacking>',
    `<devices><disk type="file"><source file="${image}/payload.img"/><readonly/></disk>`,
    `<interface vnflab:each="interfaces" type="vhostuser">${nic}</interface></devices>`,
  ].join("");
  await files.write("/repo/vm-templates/guest.xml", `<d xmlns:vnflab="urn:vnflab:template">${inside}</d>`);
  exec.install("qemu-system-x86_64", () => 0);
}
