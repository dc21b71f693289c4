/** What a report says, and that nothing in a results file becomes more than text in any of its forms. */
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmTable } from "micromark-extension-gfm-table";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeFiles } from "../../host/fake-host.js";
import type { Experiment, Figure } from "../../model/experiment/experiment.js";
import type { Run } from "../../model/experiment/run-folder.js";
import type { Trial } from "../../model/experiment/trial.js";
import { cellsOf } from "../statistics/cells.js";
import { type MakeRun, makeExperiment, makeRun, makeTrials } from "../testing/make-run.js";
import { buildReport } from "./build-report.js";
import type { Report } from "./report.js";
import { writeReport } from "./write-report.js";

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror="alert('2')"> [a](javascript:b) \`c\` | d`;
const WORKERS: Figure = {
  ...{ title: "Requests", quantity: "requests_per_second", x: "workers", series: ["distribution"], where: {} },
  mark: "line",
};
const ASSETS = "/repo/lab/dist/report-page";

let files: FakeFiles;

beforeEach(async () => {
  files = new FakeFiles();
  await files.write(`${ASSETS}/page.js`, `const ends = "</script>";`);
  await files.write(`${ASSETS}/page.css`, "body { margin: 0 }");
});

function runOf(experiment: Experiment, more: Partial<MakeRun> = {}): Run {
  return makeRun({ experiment, trials: makeTrials(experiment), seed: 1, ...more });
}

function reportOf(run: Run): Report {
  return buildReport(run, cellsOf(run), { expectations: [], published: [] });
}

async function written(run: Run): Promise<(name: string) => Promise<string>> {
  await writeReport({ files, root: "/repo" }, run);
  return async (name) => (await files.readText(`${run.folder}/${name}`)) ?? "";
}

describe("a report", () => {
  it("names cells in the experiment's order, whatever the order of the trials", () => {
    const { cells } = reportOf(runOf(makeExperiment({ figures: [WORKERS] })));
    expect(cells.map(({ label }) => label)).toEqual([
      ...["direct, workers 1", "direct, workers 2", "direct, workers 4"],
      ...["shared, workers 1", "shared, workers 2", "shared, workers 4"],
    ]);
  });

  it("has a point for each cell, with its trials", () => {
    const run = runOf(makeExperiment({ figures: [WORKERS] }));
    const [figure] = reportOf(run).figures;
    expect(figure?.points.map(({ series, x }) => [series, x])).toEqual([
      ...[1, 2, 4].map((x) => ["direct", x]),
      ...[1, 2, 4].map((x) => ["shared", x]),
    ]);
    const trials = figure?.points.flatMap(({ values }) => values.map(({ trial }) => trial)) ?? [];
    expect(trials.toSorted()).toEqual(run.results.map(({ trial }) => trial).toSorted());
  });

  it("tells a figure's cells apart by every factor in which they differ", () => {
    const [figure] = reportOf(runOf(makeExperiment({ figures: [{ ...WORKERS, series: [] }] }))).figures;
    expect(figure?.series).toEqual({ title: "distribution", names: ["direct", "shared"] });
  });

  it("leaves out a figure that its run measures nothing of", () => {
    const figures = [WORKERS, { ...WORKERS, where: { payload: 1400 } }];
    expect(reportOf(runOf(makeExperiment({ figures }))).figures.map(({ id }) => id)).toEqual(["1-requests"]);
  });

  it("says which cells a figure lacks, and why", () => {
    const ends = ({ conditions }: Trial) =>
      conditions.workers === 4
        ? ({ status: "unavailable", values: {}, problems: ["there are 2 cores"] } as const)
        : undefined;
    const report = reportOf(runOf(makeExperiment({ figures: [WORKERS] }), { ends }));
    expect(report.figures[0]?.absent).toEqual(
      ["direct", "shared"].map((name) => ({
        label: `${name}, workers 4`,
        reason: expect.stringContaining("there are 2 cores"),
      })),
    );
    expect(report.trials).toMatchObject({ planned: 30, measured: 20, unavailable: 10 });
    expect(report.problems).toHaveLength(10);
  });

  it("puts a cell beside the kernel's under the same conditions", () => {
    const factors: Experiment["factors"] = [
      { name: "stack", levels: ["libmtcp", "kernel"] },
      { name: "workers", levels: [1, 2] },
    ];
    const experiment = makeExperiment({ machines: "vm", factors, fixed: { workload: "rpc" } });
    const { cells } = reportOf(runOf(experiment, { speed: ({ stack }) => (stack === "kernel" ? 1 : 3) }));
    const kernels = new Map(cells.filter(({ levels }) => levels.stack === "kernel").map((one) => [one.cell, one]));
    expect(kernels.size).toBe(2);
    for (const { levels, figures } of cells.filter(({ levels }) => levels.stack === "libmtcp")) {
      const { toKernel } = figures[0] ?? {};
      expect(toKernel?.ratio).toBeCloseTo(3, 0);
      expect(toKernel?.low).toBeLessThanOrEqual(toKernel?.ratio ?? 0);
      expect(kernels.get(toKernel?.cell ?? "")?.levels.workers).toBe(levels.workers);
    }
    expect(cells.filter(({ levels }) => levels.stack === "kernel").every(({ figures }) => !figures[0]?.toKernel)).toBe(
      true,
    );
  });
});

describe("what it writes", () => {
  it("is a page, Markdown, data and each figure twice", async () => {
    const run = runOf(makeExperiment({ figures: [WORKERS, { ...WORKERS, mark: "bar", facet: "distribution" }] }));
    const { files: names } = await writeReport({ files, root: "/repo" }, run);
    const forms = ["report.html", "report.md", "report.json", "data.csv"];
    const figures = ["1-requests.svg", "1-requests.png", "2-requests.svg", "2-requests.png"];
    expect(names).toEqual(
      [...forms, ...figures.map((name) => `figures/${name}`)].map((name) => `${run.folder}/${name}`),
    );
    expect(
      Buffer.from((await files.readBytes(`${run.folder}/figures/1-requests.png`)) ?? [])
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
  });

  it("needs the page's script", async () => {
    await files.remove(ASSETS);
    await expect(writeReport({ files, root: "/repo" }, runOf(makeExperiment()))).rejects.toMatchObject({
      code: "VNF_NOT_BUILT",
    });
  });

  it("carries the stamp of the host on every figure", async () => {
    const reason = "steal: absolute figures and latencies are not comparable";
    const fitness = { checks: [], stamp: [reason], forbids: ["absolute" as const] };
    const read = await written(runOf(makeExperiment({ figures: [WORKERS, WORKERS] }), { fitness }));
    const captions = (await read("report.html")).match(/<figcaption>[\s\S]*?<\/figcaption>/g) ?? [];
    expect(captions).toHaveLength(2);
    for (const caption of captions) expect(caption).toContain(reason);
    for (const name of ["1", "2"]) expect(await read(`figures/${name}-requests.svg`)).toContain(reason);
  });

  it("has a row for each trial and quantity", async () => {
    const ends = ({ repetition }: Trial) =>
      repetition === 5 ? ({ status: "failed", values: {}, problems: ['=1+1 "x", y'] } as const) : undefined;
    const read = await written(runOf(makeExperiment(), { ends }));
    const rows = (await read("data.csv")).split("\r\n");
    // A head, 24 trials with two quantities, 6 with none, and the end of the last line.
    expect(rows).toHaveLength(1 + 24 * 2 + 6 + 1);
    expect(rows.filter((row) => row.includes(`"'=1+1 ""x"", y"`))).toHaveLength(6);
  });
});

describe("hostile texts", () => {
  let read: (name: string) => Promise<string>;

  beforeEach(async () => {
    const made = runOf(
      makeExperiment({ title: HOSTILE, question: HOSTILE, figures: [{ ...WORKERS, title: HOSTILE }] }),
      {
        ends: ({ repetition }) =>
          repetition === 1 ? { status: "failed", values: {}, problems: [HOSTILE] } : undefined,
        fitness: {
          checks: [{ name: HOSTILE, ok: false, detail: HOSTILE, forbids: [] }],
          stamp: [HOSTILE],
          forbids: [],
        },
      },
    );
    const { manifest } = made;
    const host = { ...manifest.host, cpu: HOSTILE };
    read = await written({ ...made, manifest: { ...manifest, run: HOSTILE, host, versions: { [HOSTILE]: HOSTILE } } });
  });

  it("are text on the page, which allows no script but its own", async () => {
    const page = await read("report.html");
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(page).not.toMatch(/<img|onerror="/);
    expect(page).toMatch(/content="default-src &#39;none&#39;; script-src &#39;sha256-[\w+/=]{44}&#39;; style-src/);
    expect(page).not.toContain("unsafe");
  });

  it("are text in drawings", async () => {
    const svg = readName(await files.list("/results/made/figures"));
    expect(await read(`figures/${svg}`)).not.toMatch(/<script|<img/);
  });

  it("are text in Markdown", async () => {
    const tree = fromMarkdown(await read("report.md"), {
      extensions: [gfmTable()],
      mdastExtensions: [gfmTableFromMarkdown()],
    });
    const kinds = new Set<string>();
    const look = (node: { type: string; children?: readonly unknown[] }): void => {
      kinds.add(node.type);
      for (const child of node.children ?? []) look(child as { type: string });
    };
    look(tree);
    for (const kind of ["html", "link", "inlineCode"]) expect(kinds).not.toContain(kind);
    const columns = tree.children.flatMap((node) =>
      node.type === "table" ? node.children.map((row) => row.children.length) : [],
    );
    expect(columns.length).toBeGreaterThan(20);
    // A bar in a text would be another column.
    expect(Math.max(...columns)).toBe(10);
  });

  it("are one word of the commands", async () => {
    const { commands } = JSON.parse(await read("report.json")) as Report;
    for (const { command } of commands) expect(command).not.toContain("alert");
  });
});

function readName(names: readonly string[]): string {
  return names.find((name) => name.endsWith(".svg")) ?? "";
}
