/** The example of docs/guides/from-typescript.md, run by `node --test`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab } from "vnflab";

test("a megabyte arrives whole", async () => {
  await using lab = await Lab.up("lab/examples/two-processes/lab.yaml");
  const [left, right] = [lab.machine("left"), lab.machine("right")];
  await using sink = await right.start("tcp_sink", ["-l", "9000", "-n", "1"]);
  const wait = { deadlineMs: 60_000, signal: new AbortController().signal };
  await sink.listening(wait);
  await using source = await left.start("tcp_source", ["-a", right.address, "-p", "9000", "-b", "1m"]);
  assert.equal((await source.result(wait)).exitCode, 0);
  assert.equal((await sink.result(wait)).figures?.verified, true);
});
