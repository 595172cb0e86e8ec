import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { STOPPED, typeQuery, useHouse } from "./house.ts";

const house = useHouse();

test("a statement is run, and its rows are walked through by keys and copied", async () => {
  const page = await house().open();
  await typeQuery(page, "select id, status, total from orders order by id limit 5000");
  await page.keyboard.press("Control+Enter");
  await page.getByText("5,000 rows", { exact: true }).waitFor();
  await page.getByRole("columnheader", { name: /status/ }).waitFor();
  await page.keyboard.press("Control+ArrowDown");
  await page.keyboard.press("Control+End");
  await page.locator('[role=row][aria-rowindex="5001"] [role=gridcell]').first().waitFor();
  await page.keyboard.press("Home");
  await page.keyboard.press("Control+c");
  await page.getByText("The cell is copied").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("5000");
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Control+Shift+c");
  await page.getByText("2 cells are copied").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("id\n1\n2");
  expect(await violations(page)).toEqual([]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what is no ordinary value looks like none, and markup in a cell is text", async () => {
  const page = await house().open();
  await typeQuery(page, "select null as n, '' as e, '<img src=x onerror=alert(1)>' as h, 'NULL' as w");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("gridcell", { name: "<img src=x onerror=alert(1)>" }).waitFor();
  await expect.poll(() => page.locator("[role=gridcell] .null").count()).toBe(1);
  await expect.poll(() => page.locator("[role=gridcell] .empty").count()).toBe(1);
  expect(await page.locator("[role=grid] img").count()).toBe(0);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what the database refuses is said, and leads to its place", async () => {
  const page = await house().open();
  await typeQuery(page, "select id,\n  totl from orders");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("alert").getByText("no such column: totl").waitFor();
  await page.getByText("line 2, column 3").waitFor();
  await page.getByRole("button", { name: "Go to line 2" }).click();
  await page.locator(".cm-fault", { hasText: "totl" }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.context().close();
});

test("what runs is cancelled, and the database says so", async () => {
  const page = await house().open();
  await typeQuery(page, "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n");
  await page.getByRole("button", { name: /^Deadline/ }).click();
  await page.getByRole("menuitemradio", { name: "5 min", exact: true }).click();
  await page.keyboard.press("Control+Enter");
  await page.getByText(/left of 300 s/).waitFor();
  await page.getByRole("button", { name: "No limit" }).click();
  await page.getByRole("status", { name: "What runs" }).getByText("no limit").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText(STOPPED).waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).waitFor();
  await page.context().close();
});

test("rows are found again after a reload, and any of many is reached at once", async () => {
  const page = await house().open();
  await typeQuery(page, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 400000) select i from n");
  await page.keyboard.press("Control+Enter");
  await page.getByText("400,000 rows", { exact: true }).waitFor();
  await page.reload();
  await page.getByText("400,000 rows", { exact: true }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+End");
  await page.getByRole("gridcell", { name: "400000", exact: true }).waitFor();
  await page.getByRole("grid").evaluate((scroller) => {
    scroller.scrollTop = scroller.scrollHeight / 2;
  });
  await expect.poll(() => page.locator("[role=gridcell]").first().innerText(), { timeout: 60_000 }).toMatch(/^(19|20)\d{4}$/);
  await page.context().close();
});
