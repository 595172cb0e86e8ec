import { describe, expect, test, vi } from "vitest";
import { MemorySource } from "./memory_source.ts";
import { PAGE_ROWS, Pages, readAll } from "./pages.ts";
import type { ResultColumn } from "./source.ts";

const column: ResultColumn = { name: "a", type: "text", family: "text", isNumber: false, isKey: false };

function pages(rows: number, isHeld = false) {
  const source = new MemorySource([column], rows, undefined, isHeld);
  const onRows = vi.fn();
  const onFailure = vi.fn();
  return { source, onRows, onFailure, pages: new Pages(source, rows, { onRows, onFailure }) };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

describe("pages", () => {
  test("are read where somebody looks, and then ahead in the way of the move", async () => {
    const { source, pages: kept, onRows } = pages(100_000);
    kept.want(10_000, 10_040, 1);
    await settle();
    expect(kept.cell(10_007, 0)?.text).toBe("10007/0");
    expect(source.reads.map(({ first }) => first)).toEqual([10_000, 10_200, 9_800]);
    expect(onRows).toHaveBeenCalledTimes(3);
  });
  test("are bounded, whatever is passed by", async () => {
    const { pages: kept } = pages(1_000_000);
    for (let row = 0; row < 100 * PAGE_ROWS; row += PAGE_ROWS) {
      kept.want(row, row + 40, 1);
      await settle();
    }
    const held = Array.from({ length: 102 }, (_, page) => page).filter((page) => kept.has(page * PAGE_ROWS));
    expect(held.length).toBeLessThanOrEqual(24);
    expect(held).toContain(99);
  });
  test("that were passed by are not waited for", async () => {
    const { source, pages: kept, onRows } = pages(1_000_000, true);
    kept.want(0, 40, 1);
    kept.want(500_000, 500_040, 1);
    expect(source.reads.map(({ first }) => first)).toContain(500_000);
    source.release();
    await settle();
    expect(kept.has(0)).toBe(false);
    expect(kept.has(500_000)).toBe(true);
    expect(onRows).toHaveBeenCalled();
  });
  test("are read again when the last one had more rows to come", async () => {
    const source = new MemorySource([column], 1_000);
    const kept = new Pages(source, 50, { onRows: () => {}, onFailure: () => {} });
    kept.put(await source.read(0, 50, new AbortController().signal));
    expect(kept.has(49)).toBe(true);
    expect(kept.has(50)).toBe(false);
    kept.want(0, 100, 0);
    kept.setRowCount(1_000);
    await settle();
    expect(kept.has(120)).toBe(true);
  });
  test("that have nothing new are not asked for again and again", async () => {
    const source = new MemorySource([column], 10);
    const kept = new Pages(source, 100, { onRows: () => {}, onFailure: () => {} });
    kept.want(0, 40, 0);
    await settle();
    await settle();
    expect(source.reads.length).toBeLessThan(4);
  });
  test("of rows so long that an answer has few of them are put together", async () => {
    const source = new MemorySource([column], 1_000, undefined, false, 7);
    const kept = new Pages(source, 1_000, { onRows: () => {}, onFailure: () => {} });
    kept.want(0, 40, 0);
    for (let turn = 0; turn < 100; turn++) await settle();
    for (const row of [0, 6, 7, 40, 199]) expect(kept.cell(row, 0)?.text).toBe(`${row}/0`);
    expect(kept.has(199)).toBe(true);
  });
  test("are read in order for a copy", async () => {
    const source = new MemorySource([column], 25_000);
    const seen: number[] = [];
    for await (const window of readAll(source, 5, 20_010, new AbortController().signal)) seen.push(window.count);
    expect(seen).toEqual([10_000, 10_000, 6]);
  });
});
