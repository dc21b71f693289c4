import { describe, expect, it } from "vitest";
import { tscHz } from "./host.js";

describe("tscHz", () => {
  it("is half of BogoMIPS where the counter is constant", () => {
    expect(tscHz("flags\t\t: fpu constant_tsc sse\nbogomips\t: 5192.28\n")).toBe(2596140000);
    expect(tscHz("flags\t\t: fpu sse\nbogomips\t: 5192.28\n")).toBeNull();
    expect(tscHz("")).toBeNull();
  });
});
