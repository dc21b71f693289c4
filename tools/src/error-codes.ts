/**
 * `node error-codes.js`: after a run of the unit tests, compares the codes of docs/reference/errors.md with those that
 * the tests have made the product produce. Exit code 1 when one is in one place only.
 */
import { readdirSync, readFileSync } from "node:fs";
import { differences, documentedCodes } from "./error-codes-compare.js";

const FOLDER = "build/test/error-codes";
const produced = readdirSync(FOLDER).flatMap((file) => readFileSync(`${FOLDER}/${file}`, "utf8").trim().split("\n"));
const documented = documentedCodes(readFileSync("docs/reference/errors.md", "utf8"));
const faults = differences(documented, produced);
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(`error codes: ${documented.length} documented, ${new Set(produced).size} produced by tests\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
