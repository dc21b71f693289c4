/**
 * Vitest loads this before each test file: every error of the lab that the product's own code makes is written down,
 * for error-codes.ts. An error that a test or a fake makes itself shows nothing and is left out.
 */

import { subscribe } from "node:diagnostics_channel";
import { appendFileSync, mkdirSync } from "node:fs";

const FOLDER = "build/test/error-codes";
const NOT_THE_PRODUCT = /\.test\.ts|\.contract\.ts|-contract\.ts|\/fake[-/]|\/testing\//;

mkdirSync(FOLDER, { recursive: true });
const seen = new Set<string>();

subscribe("vnflab:error", (message) => {
  const error = message as Error & { code: string };
  // Above the constructor's own line: who made it.
  const maker = error.stack?.split("\n").find((line) => /^\s+at /.test(line) && !line.includes("/model/error.ts"));
  if (maker === undefined || NOT_THE_PRODUCT.test(maker) || seen.has(error.code)) return;
  seen.add(error.code);
  appendFileSync(`${FOLDER}/${process.pid}.txt`, `${error.code}\n`);
});
