import { expect, it } from "vitest";
import { differences, documentedCodes } from "./error-codes-compare.js";

const PAGE = "# Errors\n\nSee `VNF_DEBUG`.\n\n| code | exit code |\n|---|---|\n| `VNF_A` | 2 |\n| `VNF_B2` | 3 |\n";

it("reads the codes of the table and of nothing else", () => {
  expect(documentedCodes(PAGE)).toEqual(["VNF_A", "VNF_B2"]);
});

it("tells what is on one side only", () => {
  expect(differences(["VNF_A", "VNF_B"], ["VNF_B", "VNF_C", "VNF_C"])).toEqual([
    "VNF_A is documented, and no unit test produces it",
    "VNF_C is produced by a test, and not documented",
  ]);
  expect(differences(["VNF_A"], ["VNF_A", "VNF_A"])).toEqual([]);
});
