/** The real libvirt with its own test driver: no daemon, no guest. Runs the compiled code, as a thread has to. */
import { expect, it } from "vitest";
import type { ThreadLibvirt } from "./thread-libvirt.js";

const compiled = new URL("../../../dist/drivers/libvirt/thread-libvirt.js", import.meta.url).href;
const { ThreadLibvirt: Thread } = (await import(compiled)) as { ThreadLibvirt: typeof ThreadLibvirt };
const URI = "test:///default";

it("errors on one thread while others come and go do not bring the process down", async () => {
  const fail = (libvirt: ThreadLibvirt) =>
    expect(libvirt.call("state", { name: "nobody" })).rejects.toThrow("Domain not found");
  await using lasting = await Thread.connect(URI);
  let failing = true;
  const failures = (async () => {
    while (failing) await fail(lasting);
  })();
  for (let round = 0; round < 10; round++) {
    await using passing = await Thread.connect(URI);
    await fail(passing);
  }
  failing = false;
  await failures;
});
