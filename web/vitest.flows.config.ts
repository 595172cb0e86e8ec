import { defineConfig } from "vitest/config";

/** Flows: the page in a real browser, on a real Core. They take their time on a busy machine. */
const { QUERYBOX_FIGURES: FIGURES, QUERYBOX_PICTURES: PICTURES } = process.env;

export default defineConfig({
  test: {
    include: FIGURES !== undefined ? ["tests/figures/**/*.figure.ts"] : PICTURES !== undefined ? ["tests/pictures/**/*.picture.ts"] : ["tests/flows/**/*.flow.ts"],
    testTimeout: FIGURES === undefined && PICTURES === undefined ? 180_000 : 3_600_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    // One server and one browser a file; files one after the other.
    fileParallelism: false,
  },
});
