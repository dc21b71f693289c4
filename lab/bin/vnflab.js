#!/usr/bin/env node
import { existsSync } from "node:fs";

const built = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(built)) {
  const { main } = await import(built);
  await main(process.argv.slice(2));
} else {
  process.stderr.write("error VNF_NOT_BUILT: vnflab is not built\nhint: run `make build` in the repository\n");
  process.exitCode = 9;
}
