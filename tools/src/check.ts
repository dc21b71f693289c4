/** `make check`: everything about the sources that can be told without running them. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { checkIncludes } from "./c-layers.js";
import { brokenLinks } from "./doc-links.js";
import { hygieneFaults } from "./hygiene.js";

interface Outcome {
  ok: boolean;
  detail: string;
}

interface Check {
  name: string;
  run: () => Outcome;
}

function run(command: string, args: readonly string[]): Outcome {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  return { ok: status === 0, detail: error ? error.message : `${stdout}${stderr}`.trim() };
}

function list(faults: readonly string[]): Outcome {
  return { ok: faults.length === 0, detail: faults.join("\n") };
}

const tracked = run("git", ["ls-files"])
  .detail.split("\n")
  .filter((path) => path !== "" && existsSync(path) && statSync(path).isFile());
const matching = (pattern: RegExp): string[] => tracked.filter((path) => pattern.test(path));
const text = (path: string): string => readFileSync(path, "utf8");
const shellScripts = (): string[] =>
  tracked.filter((path) => /^#!.*\b(sh|bash)\b/.test(text(path).split("\n", 1)[0] ?? ""));

function hygiene(): Outcome {
  return list(
    tracked.flatMap((path) => {
      const executable = (statSync(path).mode & 0o111) !== 0;
      return hygieneFaults({ path, bytes: readFileSync(path), executable }).map((fault) => `${path}: ${fault}`);
    }),
  );
}

function cLayers(): Outcome {
  const files = matching(/^(stack|bess)\/.*\.[ch]$/).map((path) => ({ path, text: text(path) }));
  return list(checkIncludes(files).map(({ path, line, message }) => `${path}:${line}: ${message}`));
}

function docLinks(): Outcome {
  const docs = new Map(matching(/\.md$/).map((path) => [path, text(path)]));
  return list(brokenLinks(docs, existsSync));
}

function compileWithClang(): Outcome {
  if (!existsSync("build/clang/build.ninja")) {
    const setup = run("env", ["CC=clang", "meson", "setup", "build/clang", "-Dbuildtype=debug"]);
    if (!setup.ok) return setup;
  }
  return run("ninja", ["-C", "build/clang", "--quiet"]);
}

const checks: readonly Check[] = [
  { name: "format of C", run: () => run("clang-format", ["--dry-run", "-Werror", ...matching(/\.[ch]$/)]) },
  { name: "format and lint of TypeScript", run: () => run("npx", ["biome", "check", "--error-on-warnings", "."]) },
  { name: "lint of shell", run: () => run("shellcheck", ["-x", "-P", "SCRIPTDIR", "-e", "SC2187", ...shellScripts()]) },
  { name: "C without warnings under clang", run: compileWithClang },
  { name: "layers of C", run: cLayers },
  {
    name: "layers of TypeScript",
    run: () =>
      run("npx", ["depcruise", "--config", "tools/dependency-cruiser.cjs", "lab", "bess", "stack", "tests", "tools"]),
  },
  { name: "tree hygiene", run: hygiene },
  { name: "links of the docs", run: docLinks },
];

let failed = 0;
for (const check of checks) {
  const { ok, detail } = check.run();
  if (!ok) failed += 1;
  process.stdout.write(`${ok ? "ok    " : "FAILED"} ${check.name}\n`);
  if (!ok) process.stdout.write(`${detail}\n\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
