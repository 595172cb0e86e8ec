import { readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { test } from "vitest";
import { typeQuery, useHouse } from "../flows/house.ts";

const house = useHouse();

const LOADS = 5;
const ROWS = [1_000, 100_000, 1_000_000, 5_000_000] as const;
const SCROLL_MS = 8_000;

/** What a first visit takes: the smaller copies of what has one, the fonts of plain Latin text as they are. */
function firstBytes(): number {
  const folder = resolve(import.meta.dirname, "../../dist/ui/assets");
  const names = readdirSync(folder).filter((name) => name.endsWith(".br") || /-latin-wght-normal-.*\.woff2$/.test(name));
  return names.reduce((sum, name) => sum + statSync(resolve(folder, name)).size, 0);
}

/** Memory of the page's script, after all that can go has gone, in MB. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  await session.detach();
  return (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / 1e6;
}

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(44)} ${value}\n`);
}

/** Figures for people: nothing is asserted, for they are of the machine too. */
test("the page in figures", async () => {
  say("first load, scripts, styles and fonts", `${(firstBytes() / 1e6).toFixed(2)} MB compressed`);
  const page = await house().open();
  const loads: number[] = [];
  for (let turn = 0; turn < LOADS; turn++) {
    const begun = performance.now();
    await page.reload({ waitUntil: "commit" });
    await page.locator("#sheet h1").waitFor({ state: "attached" });
    loads.push(performance.now() - begun);
  }
  say("load to interactive, median", `${Math.round(loads.toSorted((a, b) => a - b)[LOADS >> 1] ?? 0)} ms`);
  say("script memory of the page alone", `${(await heapOf(page)).toFixed(1)} MB`);
  for (const rows of ROWS) {
    await typeQuery(page, `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows}) select i as id, i * 7919 % 100003 as part, 'word ' || i as word, i / 7.0 as num from n`);
    const run = page.getByRole("button", { name: "Run", exact: true });
    await run.and(page.locator(":enabled")).waitFor();
    const ms = await run.evaluate(async (button) => {
      const begun = performance.now();
      (button as HTMLElement).click();
      while (document.querySelector("[role=gridcell]") === null) await new Promise((resolve) => requestAnimationFrame(resolve));
      return performance.now() - begun;
    });
    await page.getByText(`${rows.toLocaleString("en-US")} rows`, { exact: true }).waitFor();
    say(`Run to first rows of ${rows.toLocaleString("en-US")}`, `${Math.round(ms)} ms`);
  }
  const frames = await page.getByRole("grid").evaluate(async (grid, lasts) => {
    const times: number[] = [];
    let [last, waiting, drawn] = [performance.now(), 0, 0];
    for (const end = last + lasts; last < end; ) {
      grid.dispatchEvent(new WheelEvent("wheel", { deltaY: 400, bubbles: true, cancelable: true }));
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const now = performance.now();
      times.push(now - last);
      last = now;
      waiting += grid.querySelectorAll(".waits:not([hidden])").length;
      drawn += grid.querySelectorAll(".r:not([hidden])").length;
    }
    times.sort((a, b) => a - b);
    return { p95: times[Math.floor(times.length * 0.95)] ?? 0, median: times[times.length >> 1] ?? 0, waiting: waiting / drawn };
  }, SCROLL_MS);
  say("a frame while scrolling, median and p95", `${frames.median.toFixed(1)} ms, ${frames.p95.toFixed(1)} ms`);
  say("rows in sight that were not there yet", `${(frames.waiting * 100).toFixed(1)} %`);
  say("script memory after all that", `${(await heapOf(page)).toFixed(1)} MB`);
  await page.context().close();
});
