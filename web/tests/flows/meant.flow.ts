import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { liftDeadline, openTab, PATIENCE_MS, runInstead, typeQuery, useHouse } from "./house.ts";

const house = useHouse();

/** How often a page has sent something to run. */
function countRuns(page: Page): () => number {
  let count = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("ResultService/Run")) count += 1;
  });
  return () => count;
}

/** Makes a second connection, to the sample as well, with a color that asks before much is taken away. */
async function makeProduction(page: Page, name: string): Promise<void> {
  await page.getByRole("treeitem", { name: "sample" }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  const edit = page.getByRole("dialog", { name: "Edit connection" });
  await edit.getByLabel("Name", { exact: true }).fill(name);
  await edit.getByRole("radio", { name: "Red" }).click();
  await edit.getByRole("button", { name: "Save", exact: true }).click();
  await edit.waitFor({ state: "detached" });
}

async function choose(page: Page, what: RegExp, item: string | RegExp): Promise<void> {
  await page.getByRole("button", { name: what }).click();
  await page.getByRole("menuitemradio", { name: item }).click();
}

test("no shortcut acts behind a window, and the one that chooses in the palette is not heard twice", async () => {
  const page = await house().open();
  await makeProduction(page, "production");
  const runs = countRuns(page);
  await typeQuery(page, "select 1 as n union all select 2");
  await page.keyboard.press("Control+Enter");
  await page.getByText("2 rows", { exact: true }).waitFor();
  const tabs = page.locator(".tab-head");
  const count = await tabs.count();
  for (const [keys, name] of [["Control+Shift+e", "Export rows"], ["Control+g", "Go to row"]] as const) {
    await page.keyboard.press(keys);
    const window = page.getByRole("dialog", { name });
    await window.waitFor();
    await window.getByRole("textbox").first().focus();
    for (const key of ["Control+Shift+Enter", "Alt+t", "Alt+w"]) await page.keyboard.press(key);
    await window.getByRole("button", { name: "Cancel", exact: true }).press("Control+Enter");
    if (await window.isVisible()) await page.keyboard.press("Escape");
    await window.waitFor({ state: "detached" });
  }
  expect([runs(), await tabs.count()]).toEqual([1, count]);
  await choose(page, /^Connection/, "production");
  await runInstead(page, "drop table no_such_table");
  const question = page.getByRole("dialog", { name: "Run on production?" });
  await question.getByRole("button", { name: "Do not run" }).focus();
  for (const key of ["Control+Shift+Enter", "Alt+w"]) await page.keyboard.press(key);
  if (await question.isVisible()) await page.keyboard.press("Escape");
  await question.waitFor({ state: "detached" });
  expect([runs(), await tabs.count()]).toEqual([1, count]);
  await runInstead(page, "select 3 as n");
  await page.getByRole("gridcell", { name: "3", exact: true }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("Run all");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("dialog", { name: "Command palette" }).waitFor({ state: "detached" });
  await page.getByRole("grid").waitFor();
  await runInstead(page, "select 4 as n");
  await page.getByRole("gridcell", { name: "4", exact: true }).waitFor();
  expect(runs()).toBe(4);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what ran on one connection is not run again on another, and leaves nothing behind", async () => {
  const page = await house().open();
  await makeProduction(page, "other place");
  const runs = countRuns(page);
  await typeQuery(page, "select id from orders");
  await choose(page, /^Row limit/, "1,000 rows");
  await choose(page, /^Connection/, "sample");
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByText("first 1,000 of more: limit").waitFor();
  await choose(page, /^Connection/, "other place");
  const words = page.getByText("This ran on sample; the tab is on other place now. Put the tab back on sample, or run the statement at the cursor.");
  for (const name of ["Run again, all rows", "Export every row…"]) {
    await page.getByRole("button", { name }).click();
    await words.first().waitFor();
    expect(await violations(page)).toEqual([]);
  }
  // Neither the limit nor the export was taken for later.
  await page.getByRole("button", { name: /^Row limit: 1,000 rows/ }).waitFor();
  await runInstead(page, "select 5 as n");
  await page.getByRole("gridcell", { name: "5", exact: true }).waitFor();
  expect(await page.getByRole("dialog", { name: "Export rows" }).count()).toBe(0);
  expect(runs()).toBe(2);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("keys in the field of a value do what they say", async () => {
  const page = await house().open();
  const runs = countRuns(page);
  await typeQuery(page, "select 7 as n;\nselect :a as a");
  const field = page.getByLabel("Value of :a");
  await field.fill("first");
  await page.getByRole("button", { name: ":a is NULL" }).press("Enter");
  await expect.poll(() => field.getAttribute("placeholder"), { timeout: PATIENCE_MS }).toBe("NULL");
  expect(runs()).toBe(0);
  // All of it, and not the statement at the cursor: Core takes values for one statement alone.
  await field.press("Control+Shift+Enter");
  await page.getByText("2 statements did not run", { exact: true }).first().waitFor();
  await field.fill("second");
  await field.press("Enter");
  await page.getByRole("gridcell", { name: "second", exact: true }).waitFor();
  expect(runs()).toBe(2);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("of several selected parts none is run in the name of all", async () => {
  const page = await house().open();
  const runs = countRuns(page);
  await typeQuery(page, "select 1 as n\nselect 2 as n");
  const editor = page.getByRole("textbox", { name: /^SQL of / });
  await editor.locator(".cm-line").first().getByText("select").dblclick();
  await editor.locator(".cm-line").nth(1).getByText("select").dblclick({ modifiers: ["ControlOrMeta"] });
  await page.keyboard.press("Control+Enter");
  await page.getByText("Several parts are selected. Select one of them, or run all.").first().waitFor();
  expect(runs()).toBe(0);
  // One part, beside a cursor that has none.
  await editor.locator(".cm-line").first().click();
  await page.keyboard.press("Home");
  await page.keyboard.press("Shift+End");
  await editor.locator(".cm-line").nth(1).click({ modifiers: ["ControlOrMeta"] });
  await page.getByRole("button", { name: "Run selection" }).click();
  await page.getByRole("gridcell", { name: "1", exact: true }).waitFor();
  expect(runs()).toBe(1);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("the inspector shows no row of before under the number of another", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1 as id, 'first word' as w union all select 2, 'second word'");
  await page.keyboard.press("Control+Enter");
  const inspector = page.getByRole("complementary", { name: "Inspector" });
  await inspector.getByText("first word").waitFor();
  await page.route(/ResultService\/ReadCell$/, (route) => route.abort());
  const id = page.getByRole("columnheader", { name: /^id/ });
  for (const order of ["ascending", "descending"]) {
    await id.hover();
    await id.locator(".sort").click();
    await expect.poll(() => id.getAttribute("aria-sort"), { timeout: PATIENCE_MS }).toBe(order);
  }
  await page.getByRole("row", { name: /second word/ }).and(page.locator('[aria-rowindex="2"]')).waitFor();
  await inspector.getByText("first word").waitFor({ state: "detached" });
  await inspector.getByText("It could not be read: Core does not answer").waitFor();
  await page.unroute(/ResultService\/ReadCell$/);
  await inspector.getByRole("button", { name: "Try again" }).click();
  await inspector.getByText("second word").waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a run that gets no answer is cancelled, and nothing is sent again", async () => {
  const page = await house().open();
  const runs = countRuns(page);
  await page.route(/ResultService\/Run$/, () => undefined);
  await typeQuery(page, "select 1 as n");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("button", { name: /^Cancel/ }).and(page.locator(":enabled")).waitFor();
  await expect.poll(runs, { timeout: PATIENCE_MS }).toBe(1);
  await page.getByRole("button", { name: /^Cancel/ }).click();
  await page.getByRole("alert").getByText("Cancelled before it began").waitFor();
  expect(await violations(page)).toEqual([]);
  await page.unroute(/ResultService\/Run$/);
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("gridcell", { name: "1", exact: true }).waitFor();
  expect(runs()).toBe(2);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what runs in a tab that is not shown is stopped with it, also after a reload", async () => {
  const page = await house().open();
  await typeQuery(page, "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n");
  await liftDeadline(page);
  // What a test that failed has left running is no matter of this one.
  const sessions = () => JSON.parse(house().command(["sessions", "list", "--json"])) as readonly { readonly session_id: string; readonly state: string }[];
  const others = new Set(sessions().map(({ session_id: id }) => id));
  const running = () => sessions().some(({ session_id: id, state }) => state === "running" && !others.has(id));
  await page.keyboard.press("Control+Enter");
  await expect.poll(running, { timeout: PATIENCE_MS }).toBe(true);
  const title = (await page.locator(".tab-head").first().getAttribute("title")) ?? "";
  await openTab(page);
  await page.reload();
  await page.getByRole("button", { name: `Close ${title}` }).click();
  await expect.poll(running, { timeout: PATIENCE_MS }).toBe(false);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a run is seen to wait while it is not known yet what ran in its tab before a reload", async () => {
  const page = await house().open();
  const runs = countRuns(page);
  await typeQuery(page, "select 1 as n");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("gridcell", { name: "1", exact: true }).waitFor();
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  await page.route(/ResultService\/AttachResult$/, async (route) => {
    await answered;
    await route.continue();
  });
  await page.reload();
  await page.getByText("select 1 as n").first().click();
  await page.getByRole("button", { name: /^Run(?! all)/ }).click();
  await page.getByRole("status", { name: "What runs" }).waitFor();
  expect(runs()).toBe(1);
  answer();
  await page.getByRole("gridcell", { name: "1", exact: true }).waitFor();
  await expect.poll(runs, { timeout: PATIENCE_MS }).toBe(2);
  await page.getByRole("status", { name: "What runs" }).waitFor({ state: "detached" });
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what ran is not run again where its connection was changed to lead elsewhere", async () => {
  const page = await house().open();
  await makeProduction(page, "moving place");
  const runs = countRuns(page);
  await typeQuery(page, "select id from orders");
  await choose(page, /^Row limit/, "1,000 rows");
  await choose(page, /^Connection/, "moving place");
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByText("first 1,000 of more: limit").waitFor();
  await page.getByRole("treeitem", { name: "moving place" }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Edit" }).click();
  const edit = page.getByRole("dialog", { name: "Edit connection" });
  await edit.getByText("Start-up SQL").first().click();
  await edit.getByRole("textbox", { name: /^Start-up SQL/ }).fill("pragma cache_size = 100");
  await edit.getByRole("button", { name: "Save", exact: true }).click();
  await edit.waitFor({ state: "detached" });
  for (const name of ["Run again, all rows", "Export every row…"]) {
    await page.getByRole("button", { name }).click();
    await page.getByText("The connection was changed since this ran. Run the statement at the cursor.").first().waitFor();
  }
  await runInstead(page, "select 5 as n");
  await page.getByRole("gridcell", { name: "5", exact: true }).waitFor();
  expect(runs()).toBe(2);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
