import { describe, expect, it } from "vitest";
import { field, findResult, latencyUs } from "./result.js";

const OUTPUT = `text that a program should not have written
{"event":"listening","app":"rpc_server","port":7}
{"event":"result","app":"rpc_client","rps":1000.5,"latency_ns":{"min":1,"p50":2000,"p99":30000,"p999":31000,"max":9}}
`;

describe("findResult", () => {
  it("finds the result among other lines", () => {
    expect(findResult(OUTPUT)).toMatchObject({ app: "rpc_client", rps: 1000.5 });
    expect(findResult("")).toBeUndefined();
    expect(findResult('{"event":"listening"}\n')).toBeUndefined();
  });
});

describe("fields", () => {
  it("are numbers or an error that names program and field", () => {
    const result = findResult(OUTPUT) ?? {};
    expect(field(result, "rps")).toBe(1000.5);
    expect(() => field(result, "gbps")).toThrow("rpc_client tells no gbps");
    expect(latencyUs(result, "latency_ns")).toEqual({ p50: 2, p99: 30, p999: 31 });
    expect(() => latencyUs(result, "latency_us")).toThrow("rpc_client tells no p50");
  });
});
