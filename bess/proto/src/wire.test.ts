// SPDX-License-Identifier: BSD-3-Clause
// Byte encodings worked out by hand from the field numbers: they hold whatever library encodes them.
import { describe, expect, it } from "vitest";
import { bessControl, decode, encode, methodNames, pack, unpack } from "./index.js";

const hex = (s: string) => Buffer.from(s.replaceAll(" ", ""), "hex");

describe("service", () => {
  it("has the 48 methods of bessd under its path, all unary", () => {
    expect(methodNames).toHaveLength(48);
    for (const name of methodNames) {
      expect(bessControl[name].path).toBe(`/bess.pb.BESSControl/${name}`);
      expect([bessControl[name].requestStream, bessControl[name].responseStream]).toEqual([false, false]);
    }
  });
});

describe("golden bytes", () => {
  it("Error: code is field 1 varint, errmsg field 2", () => {
    expect(encode("Error", { code: 2, errmsg: "No" })).toEqual(hex("08 02 12 02 4e 6f"));
  });

  it("AddWorkerRequest: negative int64 takes ten bytes", () => {
    expect(encode("AddWorkerRequest", { wid: -1, core: 3 })).toEqual(hex("08 ff ff ff ff ff ff ff ff ff 01 10 03"));
  });

  it("PMDPortArg: vdev is field 4 of the oneof", () => {
    expect(encode("PMDPortArg", { vdev: "net_null0" })).toEqual(hex("22 09 6e 65 74 5f 6e 75 6c 6c 30"));
    expect(decode("PMDPortArg", hex("22 01 61"))).toMatchObject({ port: "vdev", vdev: "a" });
  });

  it("CreatePortRequest: arg is an Any in field 7", () => {
    const arg = pack("PortIncArg", { port: "v" });
    const url = Buffer.from("type.googleapis.com/bess.pb.PortIncArg");
    expect(encode("CreatePortRequest", { name: "p", arg })).toEqual(
      Buffer.concat([hex("0a 01 70 3a"), Buffer.from([url.length + 7, 0x0a, url.length]), url, hex("12 03 0a 01 76")]),
    );
  });

  it("L2ForwardCommandAddArg: entries nest addr 1 and gate 2", () => {
    expect(encode("L2ForwardCommandAddArg", { entries: [{ addr: "a", gate: 5 }] })).toEqual(
      hex("0a 05 0a 01 61 10 05"),
    );
  });

  it("ReplicateArg: gates are packed", () => {
    expect(encode("ReplicateArg", { gates: [0, 1, 300] })).toEqual(hex("0a 04 00 01 ac 02"));
  });

  it("TrafficClass: the map entries and the fields after the oneof", () => {
    const bytes = encode("TrafficClass", { share: 7, wid: 1, limit: { a: 2 }, leaf_module_name: "m" });
    expect(bytes).toEqual(hex("38 07 40 01 4a 05 0a 01 61 10 02 5a 01 6d"));
  });

  it("replies read their fields by number: GetModuleInfoResponse skips 5, OGate skips 8", () => {
    const reply = decode("GetModuleInfoResponse", hex("12 01 6d 3a 06 08 01 32 02 6d 32 48 09"));
    expect(reply).toMatchObject({ name: "m", ogates: [{ ogate: 1, name: "m2" }], deadends: 9 });
  });

  it("GetPortStatsResponse: timestamp is a double in field 4", () => {
    expect(decode("GetPortStatsResponse", hex("12 02 08 05 21 00 00 00 00 00 00 f8 3f"))).toMatchObject({
      inc: { packets: 5, dropped: 0 },
      out: null,
      timestamp: 1.5,
    });
  });
});

describe("Any", () => {
  it("names the type as bessd expects it", () => {
    expect(pack("EmptyArg", {})).toEqual({ type_url: "type.googleapis.com/bess.pb.EmptyArg", value: hex("") });
  });

  it("reads an absent, wrongly typed or broken Any as defaults", () => {
    const good = pack("QueueIncArg", { port: "v0", qid: 3 });
    expect(unpack("QueueIncArg", good)).toMatchObject({ port: "v0", qid: 3 });
    for (const any of [null, undefined, pack("SinkArg", {}), { ...good, value: hex("0a ff") }]) {
      expect(unpack("QueueIncArg", any)).toMatchObject({ port: "", qid: 0, prefetch: false });
    }
  });
});
