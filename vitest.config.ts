import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{bess,lab,stack,tools}/**/src/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
  },
});
