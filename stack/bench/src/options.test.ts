import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.js";
import { chooseRows, openLoop, rows } from "./rows.js";

describe("parseOptions", () => {
  it("takes rows as one text, as make hands them over, or apart", () => {
    expect(parseOptions(["udp64 short-conn", "", "--runs", "7"])).toMatchObject({
      rowsChosen: [{ name: "short-conn" }, { name: "udp64" }],
      distribution: false,
      runs: 7,
      sides: ["ours", "kernel"],
    });
    expect(parseOptions(["--ours-only"])).toMatchObject({ rowsChosen: rows, distribution: true, sides: ["ours"] });
    expect(parseOptions(["distribution"])).toMatchObject({ rowsChosen: [], distribution: true });
    expect(parseOptions(["distribution", "udp64"])).toMatchObject({
      rowsChosen: [{ name: "udp64" }],
      distribution: true,
    });
    expect(parseOptions(["--help"])).toBeUndefined();
  });
  it("refuses nonsense", () => {
    expect(() => parseOptions(["--runs", "0"])).toThrow("--runs 0");
    expect(() => parseOptions(["--ours-only", "--kernel-only"])).toThrow("exclude");
    expect(() => parseOptions(["--nonsense"])).toThrow("nonsense");
  });
});

describe("rows", () => {
  const at = { server: "10.0.0.1", www: "/www" };
  const timing = { warmupS: 1, durationS: 2 };
  it("have the names of the published table", () => {
    expect(rows.map(({ name }) => name).join(" ")).toBe(
      "rpc64-1conn rpc64-100conn rpc64-10000conn http-keepalive short-conn bulk-1flow-offload bulk-1flow-mtu1500 bulk-100flow udp64 udp1400 pingpong-idle",
    );
  });
  it("are chosen by name in the order of the table", () => {
    expect(chooseRows(["udp64", "rpc64-1conn"]).map(({ name }) => name)).toEqual(["rpc64-1conn", "udp64"]);
    expect(chooseRows([])).toHaveLength(rows.length);
    expect(() => chooseRows(["rpc"])).toThrow("there is no row rpc; rows: rpc64-1conn");
  });
  it("read their figure from the program that knows it", () => {
    const value = (name: string, client: object, server: object) =>
      chooseRows([name])[0]?.value({ app: "c", ...client }, { app: "s", ...server });
    expect(value("rpc64-100conn", { rps: 5 }, {})).toBe(5);
    expect(value("bulk-100flow", { gbps: 9 }, { gbps: 8 })).toBe(8);
    expect(value("udp64", { pps: 9 }, { pps: 7 })).toBe(7);
    expect(value("pingpong-idle", { latency_ns: { p50: 5000, p99: 1, p999: 1 } }, {})).toBe(200000);
  });
  it("become an open loop with a rate", () => {
    const row = chooseRows(["rpc64-100conn"])[0];
    expect(row && openLoop(row, timing, at, 1000.4).client.slice(-2)).toEqual(["-r", "1000"]);
  });
});
