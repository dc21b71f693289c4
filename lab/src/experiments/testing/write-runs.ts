/**
 * `node write-runs.js [--quick] FOLDER [NAME...]`: a made run of each experiment that comes with vnflab (or of those named), each
 * in a folder of its name, for the tests of reports. Some trials failed; processes have no kernel.
 */
import { join, resolve } from "node:path";
import { openEngine } from "../../engine/compose.js";
import type { Fitness } from "../../model/experiment/run-folder.js";
import { RESULTS } from "../../model/experiment/run-folder.js";
import type { Trial } from "../../model/experiment/trial.js";
import { listExperiments, loadExperiment } from "../load-experiment.js";
import { planTrials } from "../plan/plan-trials.js";
import { createStore } from "../store.js";
import { makeRun } from "./make-run.js";

const SHARED_HOST: Fitness = {
  checks: [
    {
      name: "steal",
      ok: false,
      detail: "12 % of the time was taken by other guests",
      forbids: ["absolute", "latency"],
    },
    { name: "cores", ok: true, detail: "8 cores", forbids: [] },
  ],
  stamp: ["steal: absolute figures and latencies are not comparable"],
  forbids: ["absolute", "latency"],
};

/** Which trials fail comes from their ids, so it is the same every time. */
function endOf({ id, conditions, setup }: Trial) {
  if (setup.machines === "process" && conditions.stack === "kernel") {
    return { status: "unavailable", values: {}, problems: ["a process has no kernel of its own"] } as const;
  }
  if (!id.startsWith("00") && !id.startsWith("7")) return undefined;
  // What a program said is in it, whatever that is.
  return {
    status: "failed",
    values: {},
    problems: ['rpc_client said: <b onclick="x()">no answer</b> & ended'],
  } as const;
}

const quick = process.argv.includes("--quick");
const [folder = ".", ...wanted] = process.argv.slice(2).filter((word) => word !== "--quick");
await using engine = await openEngine(() => {});
const names = wanted.length > 0 ? wanted : await listExperiments(engine);
for (const name of names) {
  const { experiment, trials } = planTrials(await loadExperiment(engine, name), { quick, only: [] });
  const { manifest, results } = makeRun({ experiment, trials, seed: 1, name, ends: endOf, fitness: SHARED_HOST });
  const place = resolve(folder, name);
  await createStore(engine.host.files, place, manifest);
  const lines = results.map((result) => `${JSON.stringify(result)}\n`);
  await engine.host.files.write(join(place, RESULTS), lines.join(""));
  process.stdout.write(`${place}\n`);
}
