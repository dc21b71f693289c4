import { expect, it } from "vitest";
import { parse } from "yaml";
import { renderCloudSeed } from "./cloud-seed.js";

it("cloud-init is told the name, to leave the cards alone, and to hand over to the laboratory's set-up", () => {
  const words = ["vnflab.hostname=vm1", "vnflab.kernel=02:00:00:00:00:02,10.9.1.1/24"];
  const files = renderCloudSeed({ lab: "pair", machine: "vm1", arguments: words });
  expect(Object.keys(files)).toEqual(["meta-data", "network-config", "user-data"]);
  expect(parse(files["meta-data"] ?? "")).toEqual({
    "instance-id": "pair-vm1",
    "local-hostname": "vm1",
    dsmode: "local",
  });
  expect(parse(files["network-config"] ?? "")).toEqual({ config: "disabled" });
  expect(files["user-data"]).toMatch(/^#cloud-config\n/);
  const { bootcmd, hostname } = parse(files["user-data"] ?? "") as { bootcmd: string[][]; hostname: string };
  expect(hostname).toBe("vm1");
  const [[shell, flag, script, name, ...rest] = []] = bootcmd;
  expect([shell, flag, name, ...rest]).toEqual(["sh", "-c", "sh", ...words]);
  expect(script).toContain("/usr/lib/vnflab/cloud-setup\n");
});
