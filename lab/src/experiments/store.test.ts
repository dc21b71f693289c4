import { beforeEach, describe, expect, it } from "vitest";
import { FakeFiles } from "../host/fake-host.js";
import { makeManifest, makeResult, makeTrial } from "./fake-run.js";
import { createStore, openStore, readRun, type Store } from "./store.js";

const FOLDER = "/run";
const RESULTS = `${FOLDER}/results.jsonl`;
const [FIRST, SECOND] = [makeTrial(1), makeTrial(2, { repetition: 2 })];
const MANIFEST = makeManifest([FIRST, SECOND]);

let files: FakeFiles;
let store: Store;

beforeEach(async () => {
  files = new FakeFiles();
  store = await createStore(files, FOLDER, MANIFEST);
});

const damaged = (message: string) => expect.objectContaining({ code: "VNF_RESULTS_INVALID", message });

describe("a run's folder", () => {
  it("gives back what was written", async () => {
    await store.append(makeResult(FIRST));
    await store.append(makeResult(SECOND, { status: "failed", values: {}, problems: ["no answer"] }));
    const run = await readRun(files, FOLDER);
    expect(run).toEqual({ folder: FOLDER, manifest: MANIFEST, results: store.results() });
    expect(run.results.map(({ trial, status }) => [trial, status])).toEqual([
      [FIRST.id, "measured"],
      [SECOND.id, "failed"],
    ]);
  });

  it("is made once", async () => {
    await expect(createStore(files, FOLDER, MANIFEST)).rejects.toMatchObject({ code: "VNF_FILE_EXISTS" });
  });

  it("loses only the line that a kill cut short, and goes on behind it", async () => {
    await store.append(makeResult(FIRST));
    await files.append(RESULTS, JSON.stringify(makeResult(SECOND)).slice(0, 40));
    expect((await readRun(files, FOLDER)).results).toEqual([makeResult(FIRST)]);
    const again = await openStore(files, FOLDER);
    await again.append(makeResult(SECOND));
    expect((await readRun(files, FOLDER)).results).toEqual([makeResult(FIRST), makeResult(SECOND)]);
    expect((await files.readText(RESULTS))?.split("\n")).toHaveLength(3);
  });

  it("lets the last line of a trial count", async () => {
    await store.append(makeResult(FIRST, { status: "failed", values: {} }));
    await store.append(makeResult(FIRST, { values: { requests_per_second: 7 } }));
    const expected = [makeResult(FIRST, { values: { requests_per_second: 7 } })];
    expect(store.results()).toEqual(expected);
    expect((await readRun(files, FOLDER)).results).toEqual(expected);
  });

  it("keeps what each setup was, once", async () => {
    const { setup } = FIRST;
    await store.addSetup({ setup, machines: [{ name: "left", stackConf: "num_cores = 1" }] });
    await store.addSetup({ setup, machines: [] });
    const { manifest } = await readRun(files, FOLDER);
    expect(manifest.setups).toEqual([{ setup, machines: [{ name: "left", stackConf: "num_cores = 1" }] }]);
    expect(store.manifest).toEqual(manifest);
  });

  it("takes no result that nobody could read again", async () => {
    const result = makeResult(FIRST, { values: { requests_per_second: Number.NaN } });
    await expect(store.append(result)).rejects.toMatchObject({ code: "VNF_INTERNAL" });
    expect((await readRun(files, FOLDER)).results).toEqual([]);
  });
});

describe("a damaged folder is refused with the place of the damage", () => {
  it.each([
    ["no run: there is no manifest.json", undefined],
    ["not JSON", "{"],
    ["is of another version of vnflab", { ...MANIFEST, schemaVersion: 2 }],
    ["trials.0.id: must be 16 hex digits", { ...MANIFEST, trials: [{ ...FIRST, id: "../../etc" }] }],
    [
      "experiment.factors.0.name",
      { ...MANIFEST, experiment: { ...MANIFEST.experiment, factors: [{ name: "colour" }] } },
    ],
  ])("manifest: %s", async (message, content) => {
    await files.remove(`${FOLDER}/manifest.json`);
    if (content)
      await files.write(`${FOLDER}/manifest.json`, typeof content === "string" ? content : JSON.stringify(content));
    await expect(readRun(files, FOLDER)).rejects.toEqual(damaged(expect.stringContaining(message)));
  });

  it.each([
    ["not JSON", "{]"],
    ["values", JSON.stringify(makeResult(FIRST, { values: { speed: 1 } as never }))],
    ["the run has no trial 0000000000000009", JSON.stringify(makeResult(makeTrial(9)))],
    ["not JSON", ""],
  ])("results: %s", async (message, line) => {
    await store.append(makeResult(FIRST));
    await files.append(RESULTS, `${line}\n`);
    const thrown = expect(readRun(files, FOLDER)).rejects;
    await thrown.toEqual(damaged(expect.stringMatching(new RegExp(`^${RESULTS}, line 2: .*${message}`))));
  });

  it("a file too large to be one is not read", async () => {
    files.info = async () => ({ kind: "file", sizeBytes: 1e12, mode: 0o644 });
    await expect(readRun(files, FOLDER)).rejects.toEqual(damaged(expect.stringContaining("larger than")));
  });
});
