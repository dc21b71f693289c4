/** The report of each experiment, opened in a browser: what is drawn, what answers, and that nothing is asked for. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { $ } from "zx";
import { noBrowser, openBrowser, openFile, type WatchedPage } from "../support/browser.js";
import { REPOSITORY } from "../support/vnflab.js";

const WRITE_RUNS = join(REPOSITORY, "lab/dist/experiments/testing/write-runs.js");
const COMMAND = join(REPOSITORY, "lab/bin/vnflab.js");
const PICTURES = join(REPOSITORY, "build/test/report");
const NAMES = readdirSync(join(REPOSITORY, "lab/experiments"))
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.slice(0, -".yaml".length));

const point = z.object({ values: z.array(z.object({ trial: z.string() })) });
const reportFile = z.object({
  figures: z.array(z.object({ mark: z.enum(["line", "bar"]), points: z.array(point) })),
  cells: z.array(z.object({ figures: z.array(z.unknown()) })),
  problems: z.array(z.unknown()),
});

const reason = noBrowser();
let browser: Browser;
let folder: string;

beforeAll(async () => {
  if (reason) return;
  folder = mkdtempSync(join(tmpdir(), "vnflab-report-"));
  mkdirSync(PICTURES, { recursive: true });
  await node(WRITE_RUNS, folder);
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function node(program: string, ...args: string[]): Promise<void> {
  const options = { quiet: true, cwd: REPOSITORY, env: { ...process.env, VNFLAB_STATE: folder } };
  await $(options)`exec ${process.execPath} ${program} ${args}`;
}

const fileOf = (name: string) => join(folder, name, "report.html");
const read = (name: string) => reportFile.parse(JSON.parse(readFileSync(join(folder, name, "report.json"), "utf8")));
const toNumber = (text: string) => Number(text.replaceAll(",", ""));
const WIDE = { width: 1600, height: 1000 };
const NARROW = { width: 400, height: 900 };

/** Each figure is drawn by the page's own script, which alone gives a drawing this role. */
async function drawn(page: Page, figures: number): Promise<void> {
  for (let i = 1; i <= figures; i += 1) {
    const marks = page.locator(`#plot-${i}[role=graphics-document] [class*=trials_marks]`).first();
    await marks.waitFor({ state: "attached", timeout: 60_000 });
  }
  expect(await page.locator(".plot[role=graphics-document] svg").count()).toBe(figures);
}

const skipped = reason === undefined ? "" : `, skipped: ${reason}`;

describe.skipIf(reason !== undefined).each(NAMES)(`report of %s${skipped}`, (name) => {
  let opened: WatchedPage;
  let page: Page;
  let report: z.output<typeof reportFile>;

  beforeAll(async () => {
    await node(COMMAND, "results", "report", join(folder, name), "-q");
    report = read(name);
    opened = await openFile(browser, fileOf(name), { viewport: WIDE });
    page = opened.page;
    await drawn(page, report.figures.length);
  });
  beforeEach(async () => {
    await page.setViewportSize(WIDE);
    await page.emulateMedia({ media: "screen", colorScheme: "light" });
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());

  it("draws a mark for each cell and each trial", async () => {
    for (const [i, { points }] of report.figures.entries()) {
      const plot = page.locator(`#plot-${i + 1}`);
      expect(await plot.locator("[class*=medians_marks] path").count()).toBe(points.length);
      const trials = points.reduce((sum, { values }) => sum + values.length, 0);
      expect(await plot.locator("[class*=trials_marks] path").count()).toBe(trials);
    }
    expect(report.figures.length).toBeGreaterThan(0);
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  });

  it("tells the trial of the point under the mouse", async () => {
    for (const [i, { points }] of report.figures.entries()) {
      const ids = points.flatMap(({ values }) => values.map(({ trial }) => trial));
      if (ids.length === 0) continue;
      await page
        .locator(`#plot-${i + 1} [class*=trials_marks] path`)
        .last()
        .hover({ force: true });
      const told = await page.locator("#vg-tooltip-element.visible").innerText();
      expect(ids.filter((id) => told.includes(id))).toHaveLength(1);
    }
  });

  it("sorts and filters its table of cells", async () => {
    const rows = page.locator("#cells tbody tr:not([hidden])");
    const column = async (at: number) => (await rows.locator(`td:nth-child(${at})`).allInnerTexts()).map(toNumber);
    const all = report.cells.reduce((sum, { figures }) => sum + figures.length, 0);
    expect(await rows.count()).toBe(all);
    const before = await column(3);
    const head = page.locator("#cells thead").getByRole("button", { name: "median", exact: true });
    await head.click();
    await expect.poll(() => column(3)).toEqual(before.toSorted((a, b) => b - a));
    await head.press("Enter");
    await expect.poll(() => column(3)).toEqual(before.toSorted((a, b) => a - b));
    const [first = ""] = await rows.locator("td:first-child").allInnerTexts();
    const filter = page.locator("#cells-filter");
    await filter.fill(first);
    await expect.poll(() => rows.count()).toBeLessThan(all);
    expect(await rows.count()).toBeGreaterThan(0);
    expect(await page.locator("#cells-count").innerText()).toBe(`${await rows.count()} of ${all} rows`);
    await filter.fill("no cell has this");
    await expect.poll(() => rows.count()).toBe(0);
    await filter.fill("");
    await expect.poll(() => rows.count()).toBe(all);
  });

  it("has nothing that axe finds, light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // The rows of a table are alike; some experiments have hundreds.
      const axe = new AxeBuilder({ page }).exclude("tbody tr:nth-child(n+15)");
      // The theme changes nothing but colours.
      if (colorScheme === "dark") axe.withRules("color-contrast");
      const { violations } = await axe.analyze();
      const where = (nodes: { html: string }[]) => nodes.slice(0, 3).map(({ html }) => html);
      expect(violations.map(({ id, help, nodes }) => ({ colorScheme, id, help, where: where(nodes) }))).toEqual([]);
    }
    await page.screenshot({ path: join(PICTURES, `${name}-dark.png`) });
  });

  it("fits into windows of 1600 and 400 pixels", async () => {
    for (const size of [WIDE, NARROW]) {
      await page.setViewportSize(size);
      await expect.poll(() => page.evaluate("document.documentElement.scrollWidth")).toBe(size.width);
      const plots = await page.locator(".plot svg").evaluateAll((all) => all.map((one) => one.clientWidth));
      for (const width of plots) expect(width).toBeGreaterThan(size.width / 4);
    }
    await page.screenshot({ path: join(PICTURES, `${name}-narrow.png`) });
  });

  it("changes between light and dark, and prints light with its figures", async () => {
    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = "rgb(255, 255, 255)";
    await page.locator("#theme").click();
    await expect.poll(background).not.toBe(light);
    await page.emulateMedia({ media: "print" });
    await expect.poll(background).toBe(light);
    for (const [i] of report.figures.entries()) expect(await page.locator(`#plot-${i + 1} svg`).isVisible()).toBe(true);
    expect(await page.locator("#theme").isVisible()).toBe(false);
    await page.emulateMedia({ media: "screen" });
    await page.locator("#theme").click();
    await expect.poll(background).toBe(light);
  });

  it("shows what a program said as text", async () => {
    const said = page.locator("#problems tbody td", { hasText: '<b onclick="x()">no answer</b>' });
    expect(report.problems.length).toBeGreaterThan(0);
    expect(await said.count()).toBeGreaterThan(0);
    expect(await page.locator("#problems b").count()).toBe(0);
  });

  it("has asked for nothing and complained of nothing", () => {
    expect(opened.complaints).toEqual([]);
  });

  it("is whole without any script", async () => {
    await using plain = await openFile(browser, fileOf(name), { javaScriptEnabled: false });
    expect(await plain.page.locator(".plot[role=img] svg").count()).toBe(report.figures.length);
    expect(await plain.page.locator("#cells tbody tr").count()).toBeGreaterThan(0);
    expect(plain.complaints).toEqual([]);
  });
});
