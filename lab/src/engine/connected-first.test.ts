import { expect, it } from "vitest";
import { connectedFirst } from "./connected-first.js";

it("lets every kind of call wait for the host, and leaves its kind as it is", async () => {
  const order: string[] = [];
  const driver = {
    terminal: () => "console",
    async observe() {
      order.push("observe");
    },
    async *readFile(path: string) {
      order.push("read");
      yield path;
    },
    control: {
      async pause() {
        order.push("pause");
      },
    },
  };
  const host = {
    connected: async () => {
      order.push("connected");
    },
  };
  const waiting = connectedFirst(driver, host as never);
  expect(waiting.terminal()).toBe("console");
  expect(order).toEqual([]);
  await waiting.observe();
  for await (const chunk of waiting.readFile("/x")) expect(chunk).toBe("/x");
  await waiting.control.pause();
  expect(order).toEqual(["connected", "observe", "connected", "read", "connected", "pause"]);
});
