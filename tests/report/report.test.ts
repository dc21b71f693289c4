/** The report of each experiment, opened in a browser: what is drawn, what answers, and that nothing is asked for. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
  const quiet = $({ quiet: true, cwd: REPOSITORY, env: { ...process.env, VNFLAB_STATE: folder } });
  await quiet`exec ${process.execPath} ${WRITE_RUNS} ${folder}`;
  for (const name of NAMES) await quiet`exec ${process.execPath} ${COMMAND} results report ${join(folder, name)} -q`;
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const open = (name: string, options: BrowserContextOptions = {}): Promise<WatchedPage> =>
  openFile(browser, join(folder, name, "report.html"), { viewport: { width: 1600, height: 1000 }, ...options });
const read = (name: string) => reportFile.parse(JSON.parse(readFileSync(join(folder, name, "report.json"), "utf8")));

/** Each figure is drawn by the page's own script, which alone gives a drawing this role. */
async function drawn(page: Page, figures: number): Promise<void> {
  await expect.poll(() => page.locator(".plot[role=graphics-document] svg").count(), { timeout: 60_000 }).toBe(figures);
}

const skipped = reason === undefined ? "" : `, skipped: ${reason}`;

describe.skipIf(reason !== undefined).each(NAMES)(`report of %s${skipped}`, (name) => {
  it("draws a mark for each cell and each trial, and asks for nothing", async () => {
    await using opened = await open(name);
    const { page, complaints } = opened;
    const { figures } = read(name);
    await drawn(page, figures.length);
    for (const [i, { points }] of figures.entries()) {
      const plot = page.locator(`#plot-${i + 1}`);
      expect(await plot.locator("[class*=medians_marks] path").count()).toBe(points.length);
      const trials = points.reduce((sum, { values }) => sum + values.length, 0);
      expect(await plot.locator("[class*=trials_marks] path").count()).toBe(trials);
    }
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
    expect(complaints).toEqual([]);
  });

  it("tells the trial of the point under the mouse", async () => {
    await using opened = await open(name);
    const { figures } = read(name);
    await drawn(opened.page, figures.length);
    for (const [i, { points }] of figures.entries()) {
      const ids = points.flatMap(({ values }) => values.map(({ trial }) => trial));
      const mark = opened.page.locator(`#plot-${i + 1} [class*=trials_marks] path`).last();
      if (ids.length === 0) continue;
      await mark.hover({ force: true });
      const told = await opened.page.locator("#vg-tooltip-element.visible").innerText();
      expect(ids.filter((id) => told.includes(id))).toHaveLength(1);
    }
    expect(opened.complaints).toEqual([]);
  });

  it("sorts and filters its table of cells", async () => {
    await using opened = await open(name);
    const rows = opened.page.locator("#cells tbody tr:not([hidden])");
    const column = async (at: number) => (await rows.locator(`td:nth-child(${at})`).allInnerTexts()).map(toNumber);
    const all = read(name).cells.reduce((sum, { figures }) => sum + figures.length, 0);
    expect(await rows.count()).toBe(all);
    const head = opened.page.locator("#cells thead").getByRole("button", { name: "median", exact: true });
    await head.click();
    await expect.poll(() => column(3)).toEqual((await column(3)).toSorted((a, b) => b - a));
    await head.press("Enter");
    await expect.poll(() => column(3)).toEqual((await column(3)).toSorted((a, b) => a - b));
    const [first = ""] = await rows.locator("td:first-child").allInnerTexts();
    await opened.page.locator("#cells-filter").fill(first);
    await expect.poll(() => rows.count()).toBeLessThan(all);
    expect(await rows.count()).toBeGreaterThan(0);
    expect(await opened.page.locator("#cells-count").innerText()).toBe(`${await rows.count()} of ${all} rows`);
    await opened.page.locator("#cells-filter").fill("no cell has this");
    await expect.poll(() => rows.count()).toBe(0);
  });

  it.each([400, 1600])("fits into a window of %d pixels", async (width) => {
    await using opened = await open(name, { viewport: { width, height: 900 } });
    await drawn(opened.page, read(name).figures.length);
    const wide = () => opened.page.evaluate("document.documentElement.scrollWidth");
    await expect.poll(wide).toBeLessThanOrEqual(width);
    if (width === 400) await opened.page.screenshot({ path: join(PICTURES, `${name}-narrow.png`), fullPage: true });
  });

  it.each(["light", "dark"] as const)("has nothing that axe finds, %s", async (colorScheme) => {
    await using opened = await open(name, { colorScheme });
    await drawn(opened.page, read(name).figures.length);
    const { violations } = await new AxeBuilder({ page: opened.page }).analyze();
    const found = violations.map(({ id, help, nodes }) => ({
      id,
      help,
      where: nodes.slice(0, 3).map(({ html }) => html),
    }));
    expect(found).toEqual([]);
    if (colorScheme === "dark") await opened.page.screenshot({ path: join(PICTURES, `${name}-dark.png`) });
  });

  it("changes between dark and light, and prints light with its figures", async () => {
    await using opened = await open(name, { colorScheme: "dark" });
    const { page } = opened;
    const { figures } = read(name);
    await drawn(page, figures.length);
    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const dark = await background();
    await page.locator("#theme").click();
    await expect.poll(background).toBe("rgb(255, 255, 255)");
    await page.locator("#theme").click();
    await expect.poll(background).toBe(dark);
    await page.emulateMedia({ media: "print" });
    await expect.poll(background).toBe("rgb(255, 255, 255)");
    for (const [i] of figures.entries()) expect(await page.locator(`#plot-${i + 1} svg`).isVisible()).toBe(true);
    expect(await page.locator("#theme").isVisible()).toBe(false);
  });

  it("is whole without any script", async () => {
    await using opened = await open(name, { javaScriptEnabled: false });
    const { figures } = read(name);
    expect(await opened.page.locator(".plot[role=img] svg").count()).toBe(figures.length);
    expect(await opened.page.locator("#cells tbody tr").count()).toBeGreaterThan(0);
    expect(opened.complaints).toEqual([]);
  });

  it("shows what a program said as text", async () => {
    await using opened = await open(name);
    const said = opened.page.locator("#problems tbody td", { hasText: '<b onclick="x()">no answer</b>' });
    const { problems } = read(name);
    expect(problems.length).toBeGreaterThan(0);
    expect(await said.count()).toBeGreaterThan(0);
    expect(await opened.page.locator("#problems b").count()).toBe(0);
  });
});

const toNumber = (text: string) => Number(text.replaceAll(",", ""));
