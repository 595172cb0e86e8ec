import { expect, test } from "vitest";
import { openSample, PATIENCE_MS, typeQuery, useHouse } from "./house.ts";
import { violations } from "./accessible.ts";

const house = useHouse();

test("a link lets a page in once, and the page stays in over a reload", async () => {
  const page = await house().open();
  expect(page.url()).not.toContain("code=");
  await page.reload();
  await page.getByRole("tree").waitFor();
  const stranger = await page.context().browser()?.newContext();
  const outside = await stranger?.newPage();
  await outside?.goto(house().url);
  await outside?.getByRole("heading", { name: "A new link is needed" }).waitFor();
  await stranger?.close();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("the tree opens level by level, and finds tables", async () => {
  const page = await house().open();
  await openSample(page);
  await page.keyboard.press("Control+p");
  await page.keyboard.insertText("order_it");
  await page.getByRole("treeitem", { name: /^order_items/ }).waitFor();
  await page.getByRole("treeitem", { name: /^customers/ }).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await page.getByRole("treeitem", { name: /^customers/ }).waitFor();
  await page.getByRole("tree").focus();
  // By keys alone: to the table, open it, and see a column with its type.
  const orders = page.getByRole("treeitem", { name: /^orders\b/ });
  await orders.click();
  await page.keyboard.press("ArrowRight");
  await page.getByRole("treeitem", { name: /customer_id/ }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a table's menu writes SQL into a new tab", async () => {
  const page = await house().open();
  await openSample(page);
  await page.getByRole("treeitem", { name: /^categories/ }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Generate SELECT" }).click();
  await page.getByRole("tab", { name: "categories" }).waitFor();
  await expect.poll(() => page.getByRole("textbox", { name: "SQL of categories" }).innerText(), { timeout: 60_000 }).toContain("parent_id");
  await page.context().close();
});

test("a table is opened with its rows", async () => {
  const page = await house().open();
  await openSample(page);
  await page.getByRole("treeitem", { name: /^categories/ }).dblclick();
  await page.getByRole("tab", { name: "categories" }).waitFor();
  await page.getByText("38 rows", { exact: true }).waitFor();
  await page.getByRole("columnheader", { name: "parent_id" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("the tree opens to a table that the palette opened, and leaves the focus alone", async () => {
  const page = await house().open();
  await openSample(page);
  await page.getByRole("treeitem", { name: "main" }).click();
  await page.getByRole("treeitem", { name: /^orders\b/ }).waitFor({ state: "detached" });
  const openByPalette = async (name: string) => {
    await page.keyboard.press("Control+k");
    await page.keyboard.insertText(name);
    await page.getByRole("option", { name: new RegExp(`^${name}`) }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name, exact: true, selected: true }).waitFor();
  };
  await openByPalette("payments");
  await page.getByRole("treeitem", { name: /^payments\b/, selected: true }).waitFor();
  expect(await page.evaluate(() => document.activeElement?.closest(".side"))).toBeNull();
  // While something else is looked for it waits.
  const search = page.getByRole("searchbox", { name: "Find connection or table" });
  await search.fill("categories");
  await page.getByRole("treeitem", { name: /^payments\b/ }).waitFor({ state: "detached" });
  await openByPalette("customers");
  await search.press("Escape");
  await page.getByRole("treeitem", { name: /^customers\b/, selected: true }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("the palette runs a command, and dark is remembered", async () => {
  const page = await house().open({ colorScheme: "light" });
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("switch between");
  await page.keyboard.press("Enter");
  await page.locator('html[data-theme="dark"]').waitFor();
  await page.reload();
  await page.locator('html[data-theme="dark"]').waitFor();
  await page.context().close();
});

test("tabs are closed, opened again, and keep what is typed over a reload", async () => {
  const page = await house().open();
  await page.keyboard.press("Alt+t");
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.insertText("select 'ä€😀'");
  await page.keyboard.press("Alt+w");
  await page.getByText("Start a query").waitFor();
  await page.keyboard.press("Alt+Shift+t");
  await page.reload();
  await expect.poll(() => page.getByRole("textbox", { name: /^SQL of / }).innerText(), { timeout: 60_000 }).toContain("select 'ä€😀'");
  await page.context().close();
});

test("a Core that is away is looked for, and found again without a reload", async () => {
  const page = await house().open();
  await page.context().setOffline(true);
  await page.getByRole("treeitem", { name: "sample" }).click();
  await page.getByText("Core does not answer").first().waitFor();
  await page.getByText("Nothing you typed is lost").waitFor();
  await page.context().setOffline(false);
  await page.getByText("Nothing you typed is lost").waitFor({ state: "detached" });
  await page.context().close();
});

test("each page is accessible, in both themes and on a phone", async () => {
  for (const options of [
    { colorScheme: "light" as const },
    { colorScheme: "dark" as const },
    { viewport: { width: 400, height: 800 } },
  ]) {
    const page = await house().open(options);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Alt+t");
    await page.getByRole("textbox", { name: /^SQL of / }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Alt+n");
    await page.getByRole("radio", { name: "SQLite" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.context().close();
  }
});

test("many tabs keep their names, and those out of sight are in a list", async () => {
  const page = await house().open({ viewport: { width: 900, height: 700 } });
  await typeQuery(page, "select 1");
  for (let more = 2; more <= 12; more++) await page.keyboard.press("Alt+t");
  const [first, last] = [page.getByRole("tab", { name: "Query 1", exact: true }), page.getByRole("tab", { name: "Query 12", exact: true })];
  await last.waitFor();
  const width = await last.evaluate((tab) => tab.querySelector(".n")?.getBoundingClientRect().width ?? 0);
  expect(width).toBeGreaterThan(30);
  await page.getByRole("button", { name: "12 tabs" }).click();
  await page.getByRole("menuitemradio", { name: "Query 1", exact: true }).click();
  await page.getByRole("tabpanel", { name: "Query 1", exact: true }).waitFor();
  // It is led into sight.
  await expect.poll(async () => ((await first.boundingBox())?.x ?? -1) >= 0, { timeout: PATIENCE_MS }).toBe(true);
  expect(await violations(page)).toEqual([]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("Enter in the search of the tree opens what fits best", async () => {
  const page = await house().open();
  await openSample(page);
  await page.keyboard.press("Control+p");
  await page.keyboard.type("main.orders");
  await page.getByRole("treeitem", { name: /^orders\b/ }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("tabpanel", { name: "orders", exact: true }).waitFor();
  await page.getByRole("gridcell").first().waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
