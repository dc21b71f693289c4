import { describe, expect, it } from "vitest";
import { differences, imagesOf, readDomain } from "./effective-domain.js";

const asked = `<domain type="qemu"><name>vm</name><memory unit="MiB">768</memory>
  <memoryBacking><source type="memfd"/><access mode="shared"/></memoryBacking><vcpu placement="static">2</vcpu>
  <cputune><vcpupin vcpu="0" cpuset="2"/><vcpupin vcpu="1" cpuset="3"/></cputune>
  <devices><interface type="vhostuser"><mac address="02:00:00:00:00:01"/>
    <driver queues="2" rx_queue_size="1024"><host csum="off" tso4="off"/></driver></interface></devices></domain>`;

/** As libvirt tells it of the running domain: other units, more attributes, another order. */
const running = asked
  .replace('<memory unit="MiB">768', '<memory unit="KiB">786432')
  .replace("<domain", '<domain id="3"')
  .replace('queues="2"', 'name="vhost" queues="2"')
  .replace('csum="off" tso4="off"', 'tso4="off" csum="off"');

const read = (xml: string) => readDomain("vm.xml", xml);
const without = (words: string | RegExp, other = "") => differences(read(asked), read(running.replace(words, other)));

describe("the effective configuration of a domain", () => {
  it("is as asked although libvirt words it otherwise", () => {
    expect(differences(read(asked), read(running))).toEqual([]);
  });

  it.each<[string, string | RegExp, string, string]>([
    ["queues", ' queues="2"', "", "NIC 02:00:00:00:00:01 queues: 1, asked for 2"],
    ["shared memory", "shared", "private", "shared memory: false, asked for true"],
    ["pinning", /<cputune>.*<\/cputune>/, "", "pinning: none, asked for vcpu 0 on 2, vcpu 1 on 3"],
    ["a MAC", "00:01", "00:09", "NIC 02:00:00:00:00:01 MAC: 02:00:00:00:00:09, asked for 02:00:00:00:00:01"],
    ["CPUs", '"static">2', '"static">1', "virtual CPUs: 1, asked for 2"],
    ["memory", "786432", "393216", "memory (MiB): 384, asked for 768"],
    ["offloads", 'tso4="off" ', "", "NIC 02:00:00:00:00:01 offloads: host csum=off, asked for host csum=off tso4=off"],
  ])("tells when it has lost %s", (_what, words, other, message) => {
    expect(without(words, other)).toContain(message);
  });

  it("knows memory that is shared by the cells of NUMA nodes", () => {
    const numa = asked.replace('mode="shared"', 'mode="private"');
    const cells = '<cpu><numa><cell id="0" memAccess="shared"/></numa></cpu><devices>';
    expect(read(numa.replace("<devices>", cells)).sharedMemory).toBe(true);
  });
});

it("boots from images that stay as they are", () => {
  const disk = (inner: string) => `<disk type="file" device="disk">${inner}</disk>`;
  const own = '<source file="/lab/layer.qcow2"/><backingStore type="file"><source file="/base.qcow2"/></backingStore>';
  const disks = [
    disk('<source file="/root.img" index="2"/><backingStore/><readonly/>'),
    disk(own),
    '<disk type="block"><source dev="/dev/sdb"/><readonly/></disk>',
  ].join("");
  const boot = "<os><kernel>/vmlinuz</kernel><initrd>/initrd.img</initrd></os>";
  expect(imagesOf("vm.xml", asked.replace("<devices>", `${boot}<devices>${disks}`))).toEqual([
    ...["/vmlinuz", "/initrd.img", "/root.img", "/base.qcow2"],
  ]);
  expect(imagesOf("vm.xml", asked)).toEqual([]);
});
