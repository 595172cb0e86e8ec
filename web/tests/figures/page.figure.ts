import { test } from "vitest";
import { useHouse } from "../flows/house.ts";
import { measure } from "./measure.ts";
import { linesOf, reportOf, writeReport } from "./report.ts";

const house = useHouse();

const { QUERYBOX_FIGURES_TO: FOLDER, QUERYBOX_FIGURES_QUICK: QUICK, QUERYBOX_FIGURES_ROWS: ROWS } = process.env;

/** Figures for people: nothing is asserted, for they are of the machine too. */
test("the page in figures", async () => {
  const quick = QUICK !== undefined;
  const most = Number(ROWS ?? (quick ? 100_000 : 10_000_000));
  const rows = [...new Set([1_000, 100_000, 1_000_000, most].filter((count) => count <= most))];
  const wish = quick ? { loads: 2, rows, runs: 1, scrollMs: 2_000 } : { loads: 9, rows, runs: 3, scrollMs: 10_000 };
  const report = reportOf(await measure(house(), wish), quick);
  process.stdout.write(`${linesOf(report)}\n`);
  if (FOLDER !== undefined) process.stdout.write(`\nevery sample: ${writeReport(report, FOLDER)}\n`);
});
