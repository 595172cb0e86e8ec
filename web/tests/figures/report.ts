import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import type { Figure } from "./measure.ts";

/** What a figure should reach. */
interface Goal {
  readonly of: string;
  readonly by: "median" | "p95";
  readonly most: number;
}

/** What became of a goal. */
interface Verdict {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

const MB = 1_000_000;
const GOALS: readonly Goal[] = [
  { of: "first load", by: "median", most: 1.5 * MB },
  { of: "load to interactive", by: "median", most: 500 },
  { of: "Run to first rows of 1,000", by: "median", most: 100 },
  { of: "Run to first rows of 100,000", by: "median", most: 100 },
  { of: "Run to first rows of 1,000,000", by: "median", most: 100 },
  { of: "Run to first rows of 10,000,000", by: "median", most: 100 },
  { of: "server memory at 1,000,000 rows", by: "median", most: 100 * MB },
  { of: "page memory at 1,000,000 rows", by: "median", most: 120 * MB },
  { of: "page memory at 10,000,000 rows", by: "median", most: 300 * MB },
  { of: "frame while scrolling 10,000,000 rows", by: "p95", most: 20 },
];

export interface Report {
  readonly bench: "ui";
  /** Only tried: the figures are not to be trusted. */
  readonly quick: boolean;
  readonly commit: string;
  readonly machine: string;
  readonly figures: readonly Figure[];
  readonly goals: readonly Verdict[];
}

/** The part of samples that is at most the one at this place in their order. */
export function quantile(samples: readonly number[], part: number): number {
  const ordered = samples.toSorted((a, b) => a - b);
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * part))] ?? 0;
}

export function reportOf(figures: readonly Figure[], quick: boolean): Report {
  const goals = GOALS.flatMap(({ of, by, most }): readonly Verdict[] => {
    const figure = figures.find(({ name }) => name === of);
    if (figure === undefined) return [];
    const value = quantile(figure.samples, by === "p95" ? 0.95 : 0.5);
    const what = figure.samples.length > 1 ? `${of}, ${by}` : of;
    return [{ goal: `${what} ≤ ${textOf(most, figure.unit)}`, measured: textOf(value, figure.unit), met: value <= most }];
  });
  const processor = cpus()[0]?.model ?? "unknown";
  const machine = `${cpus().length} × ${processor}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()}`;
  return { bench: "ui", quick, commit: process.env.QUERYBOX_COMMIT ?? "", machine, figures, goals };
}

/** A table of figures, and one of goals. */
export function markdownOf({ figures, goals, machine, commit, quick }: Report): string {
  const rows = figures.map(({ name, unit, samples }) => `| ${name} | ${textOf(quantile(samples, 0.5), unit)} | ${samples.length > 1 ? textOf(quantile(samples, 0.95), unit) : ""} | ${samples.length} |`);
  const verdicts = goals.map(({ goal, measured, met }) => `| ${goal} | ${measured} | ${met ? "met" : "**missed**"} |`);
  return [
    `The page in headless Chromium, on loopback, with the sample's SQLite. ${machine}${commit === "" ? "" : `, commit ${commit}`}.${quick ? " **Only tried: the figures are not to be trusted.**" : ""}`,
    "",
    "| | median | p95 | samples |",
    "|---|---:|---:|---:|",
    ...rows,
    "",
    "| Goal | measured | |",
    "|---|---:|---|",
    ...verdicts,
    "",
    "Memory is what the processes hold beyond their idle state, for the page beyond a blank one. A frame is from one drawing to the next: the screen's own 16.7 ms are its floor.",
    "",
  ].join("\n");
}

/** The same for a terminal. */
export function linesOf({ figures, goals, quick }: Report): string {
  const lines = figures.map(({ name, unit, samples }) => {
    const p95 = samples.length > 1 ? `   p95 ${textOf(quantile(samples, 0.95), unit)}` : "";
    return `${name.padEnd(44)} ${textOf(quantile(samples, 0.5), unit).padStart(10)}${p95}`;
  });
  const verdicts = goals.map(({ goal, measured, met }) => `${met ? "met   " : "missed"}  ${goal}: ${measured}`);
  return [...lines, "", ...verdicts, ...(quick ? ["", "only tried: the figures are not to be trusted"] : [])].join("\n");
}

/** Keeps a report with every sample, and its tables. Answers where. */
export function writeReport(report: Report, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "ui.json");
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(join(folder, "ui.md"), markdownOf(report));
  return path;
}

function textOf(value: number, unit: Figure["unit"]): string {
  switch (unit) {
    case "ms":
      return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 100 ? 1 : 0)} ms`;
    case "bytes":
      return `${(value / MB).toFixed(value < 10 * MB ? 2 : 0)} MB`;
    case "percent":
      return `${value.toFixed(1)} %`;
  }
}
