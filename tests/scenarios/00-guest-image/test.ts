/** The guest image alone, under plain QEMU: readiness, agent, NICs, a DPDK program, every way to stop and to fail. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const script = resolve(import.meta.dirname, "../../../images/guest/smoke-test.sh");

describe("the guest image", () => {
  it.each(["template", "normal", "own", "stop", "error"])("passes its smoke test: %s", (part) => {
    const { status, stdout, stderr } = spawnSync(script, ["--only", part], { encoding: "utf8" });
    expect(stdout).toMatch(/^[1-9]\d* passed, 0 failed/m);
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  });
});
