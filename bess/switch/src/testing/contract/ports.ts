// SPDX-License-Identifier: BSD-3-Clause
// Ports and their drivers.
import { pack, unpack } from "@vnflab/bess-proto";
import { describe, expect, it } from "vitest";
import { NULL, pmd, type Row, refuses, type Stage } from "./stage.js";

const REFUSED: readonly Row[] = [
  ["driver", "CreatePort", { name: "p", driver: "FooPort" }, 2, "No port driver 'FooPort' found"],
  ["driver to tell about", "GetDriverInfo", { driver_name: "FooPort" }, 2, "No port driver 'FooPort' found"],
  ["port", "GetPortStats", { name: "zz" }, 2, "No port 'zz' found"],
  ["port to destroy", "DestroyPort", { name: "zz" }, 2, "No port 'zz' found"],
  ["port conf", "GetPortConf", { name: "zz" }, 2, "No port 'zz' found"],
  ["port without name", "GetLinkStatus", {}, 22, "Port name is not given"],
  ["port twice", "CreatePort", pmd("v0", "net_null1"), 17, "Port 'v0' already exists"],
  ["a port in use", "DestroyPort", { name: "v0" }, 16, "Device or resource busy"],
  ["PMDPort without device", "CreatePort", { name: "p", driver: "PMDPort" }, 22, "No port specified"],
  ["an unknown device", "CreatePort", pmd("p", "net_foo0,x=1"), 19, "Cannot attach vdev net_foo0,x=1"],
  [
    "a device that writes files",
    "CreatePort",
    pmd("p", "net_pcap0,tx_pcap=/x"),
    19,
    "Cannot attach vdev net_pcap0,tx_pcap=/x",
  ],
  ["a device twice", "CreatePort", pmd("p", NULL), 16, "rte_eth_dev_configure() failed"],
  [
    "a large MTU",
    "SetPortConf",
    { name: "v0", conf: { mtu: 9000, admin_up: true } },
    22,
    "mtu should be >= 68 and <= 2048",
  ],
  ["129 queues", "CreatePort", { ...pmd("p", "net_null1"), num_inc_q: 129 }, 22, expect.stringContaining("129 queues")],
  [
    "a queue of 4097",
    "CreatePort",
    { ...pmd("p", "net_null1"), size_inc_q: 4097 },
    22,
    expect.stringContaining("4097"),
  ],
  [
    "a socket path of 108 bytes",
    "CreatePort",
    pmd("p", `net_vhost9,iface=/${"x".repeat(107)}`),
    22,
    "Invalid vdev: the socket path exceeds 107 bytes",
  ],
  ["a device with a line break", "CreatePort", pmd("p", "net_null1\n"), 22, expect.stringContaining("Invalid vdev")],
];

export function ports(stage: Stage): void {
  const { rpc } = stage;

  refuses(stage, "ports", REFUSED);

  describe("ports", () => {
    it("gives a port a name by its driver's template", async () => {
      expect((await rpc.ok("CreatePort", pmd("", NULL))).name).toBe("pmd_port0");
    });

    it("lists ports with their queues and their argument", async () => {
      const arg = pack("PMDPortArg", { vdev: NULL });
      await rpc.ok("CreatePort", { name: "v0", driver: "PMDPort", num_inc_q: 2, size_out_q: 512, arg });
      const { ports } = await rpc.ok("ListPorts");
      expect(ports).toMatchObject([
        { name: "v0", driver: "PMDPort", num_inc_q: 2, num_out_q: 1, size_inc_q: 1024, size_out_q: 512 },
      ]);
      expect(ports[0]?.mac_addr).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
      expect(unpack("PMDPortArg", ports[0]?.driver_arg).vdev).toBe(NULL);
      expect((await rpc.ok("GetPortConf", { name: "v0" })).conf).toMatchObject({ mtu: 1500, admin_up: true });
      expect(await rpc.ok("GetPortStats", { name: "v0" })).toMatchObject({ inc: { packets: 0 }, out: { dropped: 0 } });
      await rpc.ok("DestroyPort", { name: "v0" });
      expect((await rpc.ok("ListPorts")).ports).toEqual([]);
    });
  });
}
