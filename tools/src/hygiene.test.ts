import { expect, it } from "vitest";
import { hygieneFaults, maxBytes } from "./hygiene.js";

function faults(path: string, text: string | Buffer, executable = false): string[] {
  return hygieneFaults({ path, bytes: Buffer.from(text), executable });
}

it("accepts plain text", () => {
  expect(faults("a.ts", "export {};\n")).toEqual([]);
  expect(faults("empty.txt", "")).toEqual([]);
  expect(faults("a.c", "/* SPDX-License-Identifier: BSD-3-Clause */\n")).toEqual([]);
});

it.each([
  ["a.ts", "a\r\n", "carriage return"],
  ["a.ts", "a", "no newline at the end"],
  ["a.ts", "a \n", "blanks at the end of a line"],
  ["a.c", "int a;\n", "does not open with its SPDX licence line"],
])("finds in %s %j: %s", (path, text, fault) => {
  expect(faults(path, text)).toContain(fault);
});

it("finds binaries, big files and executables without an interpreter", () => {
  expect(faults("a.bin", Buffer.from([1, 0, 2]))).toEqual(["binary file"]);
  expect(faults("a.txt", "x".repeat(maxBytes + 1))).toHaveLength(1);
  expect(faults("a.sh", "echo\n", true)).toEqual(["executable without #!"]);
});
