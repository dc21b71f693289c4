import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{bess,lab,tools}/**/src/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
  },
});
