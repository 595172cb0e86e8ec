import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { measure } from "../figures/measure.ts";
import { linesOf, reportOf, writeReport } from "../figures/report.ts";
import { useHouse } from "./house.ts";

const house = useHouse();

/** What it took says nothing here: only that all of it can be measured, and is told. */
test("the page is measured, and the figures are told", async () => {
  const figures = await measure(house(), { loads: 1, rows: [1_000, 20_000], runs: 1, scrollMs: 500 });
  const report = reportOf(figures, true);
  expect(figures.map(({ name }) => name)).toEqual([
    "first load",
    "load to interactive",
    ...["1,000", "20,000"].flatMap((rows) => [`Run to first rows of ${rows}`, `Run to all ${rows} rows`, `server memory at ${rows} rows`, `page memory at ${rows} rows`]),
    "frame while scrolling 20,000 rows",
    "rows in sight that were not there yet",
    "page memory after scrolling",
  ]);
  for (const { name, samples } of figures) expect(samples.length, name).toBeGreaterThan(0);
  expect(report.goals.map(({ goal }) => goal)).toContain("load to interactive ≤ 500 ms");
  expect(linesOf(report)).toContain("only tried");
  const folder = mkdtempSync(join(tmpdir(), "querybox-figures-"));
  expect(JSON.parse(readFileSync(writeReport(report, folder), "utf8"))).toEqual(JSON.parse(JSON.stringify(report)));
  expect(readFileSync(join(folder, "ui.md"), "utf8")).toContain("| Goal | measured | |");
  rmSync(folder, { recursive: true });
});
