/** The path of somebody new: a Debian with nothing on it, and the commands of README.md, word for word. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { $ } from "zx";
import { REPOSITORY } from "../../support/vnflab.js";

const FRESH = join(REPOSITORY, "tests/support/fresh-debian.sh");
/** Downloads of packages, a full build, an image, two labs. */
const LIMIT_MS = 1_500_000;
const reason = process.getuid?.() === 0 ? undefined : "needs root for a root file system of its own";

/** The commands of the README's section, line by line, without the comments behind them. */
function readmeCommands(section: string): string[] {
  const readme = readFileSync(join(REPOSITORY, "README.md"), "utf8");
  const text = readme.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? "";
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
    block
      .split("\n")
      .map((line) => line.replace(/\s+#.*$/, "").trim())
      .filter((line) => line !== ""),
  );
}

describe.skipIf(reason)(`a newcomer${reason ? ` (${reason})` : ""}`, () => {
  let folder = "";
  beforeAll(() => {
    mkdirSync(join(REPOSITORY, "build/test"), { recursive: true });
    // On the disk: a root file system with a build in it is too much for a /tmp in memory.
    folder = mkdtempSync(join(REPOSITORY, "build/test/newcomer-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(
    "gets from an empty Debian to a passed suite by README's commands alone",
    async () => {
      const root = join(folder, "root");
      const commands = readmeCommands("Two commands");
      expect(commands).toContain("make demo");
      expect(commands).toContain("npx vnflab test two-vms");
      // `make test` is what runs this test.
      const mine = commands.filter((command) => command !== "make test");
      await $({ quiet: true })`${FRESH} make ${root}`;
      const script = ["set -e", "git clone -q /origin vnflab", "cd vnflab", ...mine.map((line) => `set -x; ${line}`)];
      const run = $({ quiet: true, nothrow: true })`${FRESH} run ${root} ${REPOSITORY} ${script.join("\n")}`;
      const { exitCode, stdout, stderr } = await run;
      expect(exitCode, `${stdout.slice(-3000)}\n${stderr.slice(-6000)}`).toBe(0);
      const sums = [...stdout.matchAll(/^(\d+) passed, (\d+) failed, \d+ skipped, 0 blocked; seed \d+$/gm)];
      expect(sums.length, "the demo's suite and that of the lab").toBe(2);
      for (const [line, passed, failed] of sums) {
        expect(Number(passed), line).toBeGreaterThan(0);
        expect(Number(failed), line).toBe(0);
      }
    },
    LIMIT_MS,
  );
});
