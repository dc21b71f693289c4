/** Labs of more than two machines: eight processes on one switch, and a chain whose middlebox forwards. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eachTestLeavesNothing, FOR_PROCESSES, FOR_VMS } from "../../support/lab-hooks.js";
import { failures, parseReport } from "../../support/report.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const EXAMPLES = join(REPOSITORY, "lab/examples");
/** What is promised for eight processes. */
const UP_S = 10;
const noSwitch = missing(FOR_PROCESSES);
const noImage = noSwitch ?? missing(FOR_VMS);

describe("topologies", () => {
  const vnflab = new Vnflab();
  eachTestLeavesNothing(vnflab);

  it.skipIf(noSwitch)(
    `eight processes are up in ${UP_S} s, and every neighbour hears the next${noSwitch ? ` (${noSwitch})` : ""}`,
    async () => {
      const started = performance.now();
      await vnflab.must("up", join(EXAMPLES, "eight-processes/lab.yaml"));
      const seconds = (performance.now() - started) / 1000;
      const run = await vnflab.command("test", "eight-processes", "--quick", "--json", "--only", "tcp.connections");
      expect(run.stdout, run.stderr).not.toBe("");
      const report = parseReport(run.stdout);
      expect(failures(report), run.stderr).toEqual([]);
      expect(report.cases).toHaveLength(14);
      await vnflab.must("down", "eight-processes");
      expect(seconds).toBeLessThan(UP_S);
    },
  );

  it.skipIf(noImage)(
    `a transfer passes through a middlebox that forwards${noImage ? ` (${noImage})` : ""}`,
    async () => {
      const lab = join(EXAMPLES, "middlebox/lab.yaml");
      const run = await vnflab.command("demo", lab, "--quick", "--json", "--only", "tcp.bulk");
      expect(run.stdout, run.stderr).not.toBe("");
      const report = parseReport(run.stdout);
      expect(failures(report), run.stderr).toEqual([]);
      expect(report.cases.map(({ from, to, status }) => [from, to, status])).toEqual([
        ["client", "server", "passed"],
        ["server", "client", "passed"],
      ]);
    },
  );
});
