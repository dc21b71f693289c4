import { describe, expect, it } from "vitest";
import { compileFilter } from "./packet-filter.js";

/** An Ethernet frame with IPv4 and the beginning of TCP or UDP. */
function frame(protocol: "tcp" | "udp", from: number, to: number): Uint8Array {
  const bytes = Buffer.alloc(60);
  bytes.writeUInt16BE(0x0800, 12);
  bytes[14] = 0x45;
  bytes[23] = protocol === "tcp" ? 6 : 17;
  Buffer.from([10, 0, 0, 1, 10, 0, 0, 2]).copy(bytes, 26);
  bytes.writeUInt16BE(from, 34);
  bytes.writeUInt16BE(to, 36);
  return bytes;
}

describe("packet filter", () => {
  it.each([
    ["tcp port 9999", true, false],
    ["udp", false, true],
    ["host 10.0.0.2 and not tcp", false, true],
    ["greater 100", false, true],
    ["arp", false, false],
    ["", true, true],
  ])("%s", (expression, ofTcp, ofUdp) => {
    using filter = compileFilter(expression);
    expect(filter.accepts(frame("tcp", 40_000, 9999), 60)).toBe(ofTcp);
    expect(filter.accepts(frame("udp", 53, 53), 1000)).toBe(ofUdp);
  });

  it("says what is no filter in libpcap's words, and where libpcap is to be had", () => {
    expect(() => compileFilter("tcp porte 9999")).toThrow(/^"tcp porte 9999" is no packet filter: .*syntax error/);
    expect(() => compileFilter("tcp", ["libno-such.so.1"])).toThrow("libpcap cannot be loaded");
  });
});
