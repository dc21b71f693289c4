import { describe, expect, it } from "vitest";
import { leftovers, offloadSettings } from "./kernel-side.js";
import { stackConf } from "./our-side.js";

describe("stackConf", () => {
  const options = { dir: "/tmp/x", build: "/b", hugepages: true, cpus: 2 };
  it("gives each end its device, address and core", () => {
    expect(stackConf("server", options, true)).toContain("port = vdev:net_vhost0,iface=/tmp/x/vhost.sock,queues=1\n");
    expect(stackConf("client", options, true)).toContain("net_virtio_user0,path=/tmp/x/vhost.sock,queue_size=1024\n");
    expect(stackConf("server", options, true)).toMatch(/core_mask = 0x1\nidle = poll\nhugepages = on\n/);
    expect(stackConf("client", options, true)).toMatch(/core_mask = 0x2\n/);
  });
  it("shares one core politely", () => {
    expect(stackConf("client", { ...options, cpus: 1, hugepages: false }, true)).toMatch(
      /core_mask = 0x1\nidle = yield\nhugepages = off\n/,
    );
  });
  it("turns offloads off only where the row says so", () => {
    expect(stackConf("client", options, true)).not.toContain("offload");
    expect(stackConf("client", options, false)).toContain("offload = off\n");
  });
  it("puts the keys of a design last", () => {
    expect(stackConf("server", { ...options, keys: ["distribution = 1kb"] }, true)).toMatch(/distribution = 1kb\n$/);
  });
});

describe("the kernel's side", () => {
  it("takes only namespaces of processes that are gone for leftovers", () => {
    const names = ["vnbench-1-server", "vnbench-22-client", "other", "vnbench-x"];
    expect(leftovers(names, (pid) => pid === 1)).toEqual(["vnbench-22-client"]);
  });
  it("turns all offloads the same way", () => {
    expect(offloadSettings(false).filter((word) => word === "off")).toHaveLength(5);
    expect(offloadSettings(true)).toContain("tso");
  });
});
