import { defineConfig } from "vitest/config";

/** End to end: real machines, one scenario at a time, in the order of their numbers. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    // Also the drivers against what they drive, as that needs the guest image.
    include: ["scenarios/**/test.ts", "../lab/src/**/*.contract.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    bail: 0,
    retry: 0,
  },
});
