import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{bess,lab,stack,tools}/**/src/**/*.test.ts"],
    // A busy machine is slow, which is no fault: this only ends what hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ["tools/src/error-record.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
  },
});
