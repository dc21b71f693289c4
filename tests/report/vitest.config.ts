import { defineConfig } from "vitest/config";

/** Reports of made runs, opened in a browser. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    retry: 0,
  },
});
