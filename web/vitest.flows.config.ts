import { defineConfig } from "vitest/config";

/** Flows: the page in a real browser, on a real Core. They take their time on a busy machine. */
export default defineConfig({
  test: {
    include: process.env.QUERYBOX_FIGURES === undefined ? ["tests/flows/**/*.flow.ts"] : ["tests/figures/**/*.figure.ts"],
    testTimeout: process.env.QUERYBOX_FIGURES === undefined ? 180_000 : 600_000,
    hookTimeout: 180_000,
    // One server and one browser a file; files one after the other.
    fileParallelism: false,
  },
});
