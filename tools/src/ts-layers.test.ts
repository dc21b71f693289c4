import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

interface Report {
  summary: { violations: { from: string; rule: { name: string } }[] };
}

describe("directions of the TypeScript folders", () => {
  let tree = "";

  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), "vnflab-layers-"));
    for (const name of ["tsconfig.base.json", "tools/dependency-cruiser.cjs"])
      cpSync(join(root, name), join(tree, name), { recursive: true });
    put("package.json", '{"type":"module"}');
    put("lab/src/drivers/driver.ts", "export const driver = 1;\n");
    put("lab/src/host/exec.ts", "export const exec = 1;\n");
    put("lab/src/engine/engine.ts", 'import { driver } from "../drivers/driver.js";\nexport const engine = driver;\n');
    put("bess/client/src/index.ts", "export const client = 1;\n");
  });

  afterEach(() => rmSync(tree, { recursive: true }));

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }

  function violations(): string[] {
    const program = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
    const args = [program, "--config", "tools/dependency-cruiser.cjs", "--output-type", "json", "lab", "bess"];
    const report = JSON.parse(execFileSync(process.execPath, args, { cwd: tree, encoding: "utf8" })) as Report;
    return report.summary.violations.map((v) => `${v.from}: ${v.rule.name}`);
  }

  it("accepts a command that uses the engine", () => {
    put("lab/src/cli/up.ts", 'import { engine } from "../engine/engine.js";\nexport const up = engine;\n');
    expect(violations()).toEqual([]);
  });

  it("refuses a command that imports a driver or the host", () => {
    put("lab/src/cli/up.ts", 'import { driver } from "../drivers/driver.js";\nexport const up = driver;\n');
    put("lab/src/cli/down.ts", 'import { exec } from "../host/exec.js";\nexport const down = exec;\n');
    expect(violations().sort()).toEqual([
      "lab/src/cli/down.ts: cli-never-drivers",
      "lab/src/cli/up.ts: cli-never-drivers",
    ]);
  });

  it("refuses a model that knows the engine, and bess that knows the lab", () => {
    put("lab/src/model/lab.ts", 'import { engine } from "../engine/engine.js";\nexport const lab = engine;\n');
    put("bess/client/src/index.ts", 'import { exec } from "../../../lab/src/host/exec.js";\nexport const c = exec;\n');
    expect(violations().sort()).toEqual([
      "bess/client/src/index.ts: client-uses-proto",
      "lab/src/model/lab.ts: model-knows-nobody",
    ]);
  });

  it("refuses the switch's client outside the drivers", () => {
    put(
      "lab/src/engine/up.ts",
      'import { client } from "../../../bess/client/src/index.js";\nexport const up = client;\n',
    );
    expect(violations()).toEqual(["lab/src/engine/up.ts: bess-only-in-drivers"]);
  });
});
