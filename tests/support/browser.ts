/** Debian's Chromium, which reaches nothing outside, and pages that tell what went wrong in them. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";

/** A reason to skip; undefined where there is a browser. */
export function noBrowser(): string | undefined {
  return existsSync(CHROMIUM) ? undefined : `no ${CHROMIUM}: VNFLAB_BROWSER=1 make setup`;
}

/** In a profile of its own, removed when it is closed. */
export async function openBrowser(): Promise<Browser> {
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"];
  const args = ["--disable-gpu", "--no-first-run", ...quiet, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  return await chromium.launch({ executablePath: CHROMIUM, args });
}

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console and of scripts, and what the page asked for besides itself. */
  readonly complaints: readonly string[];
}

/** A file in a page of its own. */
export async function openFile(browser: Browser, file: string, options: BrowserContextOptions): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (request.url() !== url) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
