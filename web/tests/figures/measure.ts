import { readdirSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { type House, typeQuery } from "../flows/house.ts";

/** How much is measured. */
export interface Wish {
  readonly loads: number;
  /** Rows of the results that are run, the largest last: that one is scrolled through. */
  readonly rows: readonly number[];
  readonly runs: number;
  readonly scrollMs: number;
}

/** What was measured of one thing: milliseconds, bytes, or parts of a hundred. */
export interface Figure {
  readonly name: string;
  readonly unit: "ms" | "bytes" | "percent";
  readonly samples: readonly number[];
}

/** Measures the page in a browser that does nothing else. */
export async function measure(house: House, wish: Wish): Promise<readonly Figure[]> {
  const figures: Figure[] = [{ name: "first load", unit: "bytes", samples: [firstBytes()] }];
  const page = await house.open();
  const blank = await blankBytes(page);
  figures.push({ name: "load to interactive", unit: "ms", samples: await loads(page, wish.loads) });
  for (const rows of wish.rows) {
    const idle = memoryOf([house.serverPid]);
    const { first, whole, peak } = await runs(house, page, rows, wish.runs);
    const label = rows.toLocaleString("en-US");
    figures.push(
      { name: `Run to first rows of ${label}`, unit: "ms", samples: first },
      { name: `Run to all ${label} rows`, unit: "ms", samples: whole },
      { name: `server memory at ${label} rows`, unit: "bytes", samples: [Math.max(0, peak - idle)] },
      { name: `page memory at ${label} rows`, unit: "bytes", samples: [Math.max(0, (await pageBytes(page)) - blank)] },
    );
  }
  const { frames, waiting } = await scroll(page, wish.scrollMs);
  const most = (wish.rows.at(-1) ?? 0).toLocaleString("en-US");
  figures.push(
    { name: `frame while scrolling ${most} rows`, unit: "ms", samples: frames },
    { name: "rows in sight that were not there yet", unit: "percent", samples: [waiting] },
    { name: "page memory after scrolling", unit: "bytes", samples: [Math.max(0, (await pageBytes(page)) - blank)] },
  );
  await page.context().close();
  return figures;
}

/** What a first visit takes: the smaller copies of what has one, the fonts of plain Latin text as they are. */
function firstBytes(): number {
  const folder = resolve(import.meta.dirname, "../../dist/ui/assets");
  const names = readdirSync(folder).filter((name) => name.endsWith(".br") || /-latin-wght-normal-.*\.woff2$/.test(name));
  return names.reduce((sum, name) => sum + statSync(resolve(folder, name)).size, 0);
}

async function loads(page: Page, turns: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const begun = performance.now();
    await page.reload({ waitUntil: "commit" });
    await page.locator("#sheet h1").waitFor({ state: "attached" });
    times.push(performance.now() - begun);
  }
  return times;
}

async function runs(house: House, page: Page, rows: number, turns: number) {
  const sql = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows}) select i as id, i * 7919 % 100003 as part, 'word ' || i as word, i / 7.0 as num from n`;
  const count = rows === 1 ? "1 row" : `${rows.toLocaleString("en-US")} rows`;
  const [first, whole]: [number[], number[]] = [[], []];
  let peak = 0;
  for (let turn = 0; turn < turns; turn++) {
    // A tab of its own, so that nothing of the run before is there.
    if (turn > 0) await page.keyboard.press("Alt+w");
    await typeQuery(page, sql);
    const run = page.getByRole("button", { name: "Run", exact: true });
    await run.and(page.locator(":enabled")).waitFor();
    const watch = setInterval(() => (peak = Math.max(peak, memoryOf([house.serverPid]))), 100);
    const begun = performance.now();
    first.push(
      await run.evaluate(async (button) => {
        const clicked = performance.now();
        (button as HTMLElement).click();
        while (document.querySelector("[role=gridcell]") === null) await new Promise((resolve) => requestAnimationFrame(resolve));
        return performance.now() - clicked;
      }),
    );
    await page.getByText(count, { exact: true }).waitFor();
    whole.push(performance.now() - begun);
    clearInterval(watch);
  }
  return { first, whole, peak: Math.max(peak, memoryOf([house.serverPid])) };
}

/** Turns the wheel for a while, and looks at what each frame took and showed. */
async function scroll(page: Page, lasts: number): Promise<{ readonly frames: readonly number[]; readonly waiting: number }> {
  return page.getByRole("grid").evaluate(async (grid, time) => {
    const frames: number[] = [];
    let [last, waiting, drawn] = [performance.now(), 0, 0];
    for (const end = last + time; last < end; ) {
      grid.dispatchEvent(new WheelEvent("wheel", { deltaY: 400, bubbles: true, cancelable: true }));
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const now = performance.now();
      frames.push(now - last);
      last = now;
      waiting += grid.querySelectorAll(".waits:not([hidden])").length;
      drawn += grid.querySelectorAll(".r:not([hidden])").length;
    }
    return { frames, waiting: drawn === 0 ? 0 : (waiting / drawn) * 100 };
  }, lasts);
}

/** Memory of the process that draws the page, after what can go has gone. It is the largest of those that draw pages. */
async function pageBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.detach();
  return Math.max(0, ...renderers());
}

/** The same of a page with nothing on it: the smallest. */
async function blankBytes(page: Page): Promise<number> {
  const blank = await page.context().newPage();
  const bytes = Math.min(...renderers());
  await blank.close();
  return Number.isFinite(bytes) ? bytes : 0;
}

/** What each process that draws a page has for itself: the browser's own files, which all of them share, are not the page's. */
function renderers(): readonly number[] {
  const pids = descendants(process.pid).filter((pid) => read(`/proc/${pid}/cmdline`).includes("--type=renderer"));
  return pids.map((pid) => kilobytes(pid, "RssAnon") * 1024);
}

/** Memory that processes and their children hold. Where the system does not tell, nothing. */
function memoryOf(pids: readonly (number | undefined)[]): number {
  const all = new Set(pids.flatMap((pid) => (pid === undefined ? [] : [pid, ...descendants(pid)])));
  return [...all].reduce((sum, pid) => sum + kilobytes(pid, "VmRSS") * 1024, 0);
}

function kilobytes(pid: number, what: "VmRSS" | "RssAnon"): number {
  return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function descendants(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim();
  const direct = threadsOf(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).trim().split(" "));
  const own = [...new Set([...children.split(" "), ...direct])].filter((text) => text !== "").map(Number);
  return own.flatMap((child) => [child, ...descendants(child)]);
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process is gone, or the system has no such files.
    return "";
  }
}
