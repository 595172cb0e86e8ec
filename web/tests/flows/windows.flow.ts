import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { liftDeadline, PATIENCE_MS, STOPPED, typeQuery, useHouse, whenComplete } from "./house.ts";

const house = useHouse();

/** Runs until it is stopped. */
const ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as never from n";

/** A second window with all that the browser tab of the first has stored, as a browser duplicates it. */
async function duplicate(page: Page): Promise<Page> {
  const [copy] = await Promise.all([page.context().waitForEvent("page"), page.evaluate(() => void window.open(location.href))]);
  await whenComplete(copy);
  return copy;
}

const stored = (page: Page, key: string) => page.evaluate((name) => sessionStorage.getItem(name), key);
const editorOf = (page: Page) => page.getByRole("textbox", { name: /^SQL of / });

async function retype(page: Page, sql: string): Promise<void> {
  await editorOf(page).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(sql);
}

test("a duplicated window ends nothing of the first one: no query, no transaction, no result", async () => {
  const first = await house().open();
  await typeQuery(first, "select 0 as nothing");
  await first.getByRole("button", { name: /^Session: / }).click();
  await first.getByRole("menuitemradio", { name: /^Leased/ }).click();
  await first.getByRole("button", { name: "Session: Leased" }).waitFor();
  await retype(first, "begin; create temp table mine as select 42 as answer; select * from mine");
  await first.keyboard.press("Control+Shift+Enter");
  await first.getByRole("button", { name: "Session: In transaction" }).waitFor();
  await typeQuery(first, ENDLESS);
  await liftDeadline(first);
  await first.keyboard.press("Control+Enter");
  await first.getByRole("status", { name: "What runs" }).getByText("no limit").waitFor();

  const copy = await duplicate(first);
  expect(await stored(copy, "querybox.window")).not.toBe(await stored(first, "querybox.window"));
  expect(await stored(copy, "querybox.front-end")).not.toBe(await stored(first, "querybox.front-end"));
  expect(await stored(copy, "querybox.tabs")).not.toContain("sessionId");
  // It shows what the first one runs, and has its texts.
  await copy.getByRole("button", { name: "Cancel", exact: true }).waitFor();
  await editorOf(copy).getByText("union all").waitFor();
  await copy.getByRole("tab", { name: "Query 1" }).click();
  await copy.getByRole("button", { name: "Session: One-shot" }).waitFor();
  // Loaded again it is still the same window, and its own.
  const name = await stored(copy, "querybox.window");
  await copy.reload();
  await copy.getByRole("tab", { name: "Query 1" }).waitFor();
  expect(await stored(copy, "querybox.window")).toBe(name);
  for (const title of ["Query 1", "Query 2"]) {
    await copy.getByRole("tab", { name: title }).click();
    await copy.keyboard.press("Alt+w");
    await copy.getByRole("tab", { name: title }).waitFor({ state: "detached" });
  }
  await copy.close();

  // The query of the first one still runs, its transaction is open, and its rows are there.
  await first.bringToFront();
  await first.getByRole("button", { name: "Cancel", exact: true }).click();
  await first.getByText(STOPPED).waitFor();
  await first.getByRole("tab", { name: "Query 1" }).click();
  await first.getByRole("gridcell", { name: "42", exact: true }).waitFor();
  await retype(first, "select answer + 1 from mine");
  await first.keyboard.press("Control+Enter");
  await first.getByRole("gridcell", { name: "43", exact: true }).waitFor();
  await first.getByRole("button", { name: "Session: In transaction" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await first.context().close();
});

test("settings that are chosen in one window show in the others at once, and none writes over another's", async () => {
  const first = await house().open({ colorScheme: "light" });
  const second = await duplicate(first);
  const themeOf = (page: Page) => page.evaluate(() => document.documentElement.dataset.theme);
  await first.keyboard.press("Control+Comma");
  await first.getByRole("radio", { name: "Dark" }).click();
  await expect.poll(() => themeOf(second), { timeout: PATIENCE_MS }).toBe("dark");
  // Another browser, which has heard of nothing since, changes something else.
  const third = await house().open({ isNew: true });
  await second.keyboard.press("Control+Comma");
  await second.getByRole("radio", { name: "14" }).first().click();
  await third.keyboard.press("Control+Comma");
  await third.getByRole("radio", { name: "Compact" }).click();
  // All of it holds, in each of them and in a new one.
  const layoutOf = async (page: Page) => JSON.parse((await page.evaluate(() => localStorage.getItem("querybox.layout"))) ?? "{}") as object;
  const all = { theme: "dark", textSize: 14, density: "compact" };
  for (const page of [first, third]) await expect.poll(() => layoutOf(page), { timeout: PATIENCE_MS }).toMatchObject(all);
  const next = await house().open({ isNew: true });
  await expect.poll(() => layoutOf(next), { timeout: PATIENCE_MS }).toMatchObject(all);
  await next.context().close();
  expect(house().complaints()).toEqual([]);
  await first.context().close();
  await third.context().close();
});

test("a text that one window closes lives on in Core as long as another one shows it", async () => {
  const first = await house().open({ isNew: true });
  await typeQuery(first, "select 'shown by two' as word");
  const drafts = async () => {
    const next = await house().open({ isNew: true });
    const found = await stored(next, "querybox.tabs");
    await next.context().close();
    return found ?? "";
  };
  await expect.poll(drafts, { timeout: 120_000 }).toContain("shown by two");
  const second = await first.context().newPage();
  await second.goto(house().link());
  await editorOf(second).getByText("shown by two").waitFor();
  const told = second.waitForResponse((answer) => answer.url().endsWith("/DeleteDraft"));
  // It is saved anew then: it is not that Core has not forgotten it yet.
  const saved = first.waitForResponse((answer) => answer.url().endsWith("/SaveDraft") && answer.ok());
  await second.keyboard.press("Alt+w");
  await told;
  await saved;
  await expect.poll(drafts, { timeout: 120_000 }).toContain("shown by two");
  // Nobody shows it any more.
  const forgotten = first.waitForResponse((answer) => answer.url().endsWith("/DeleteDraft"));
  await first.bringToFront();
  await editorOf(first).click();
  await first.keyboard.press("Alt+w");
  await forgotten;
  await expect.poll(drafts, { timeout: 120_000 }).not.toContain("shown by two");
  expect(house().complaints()).toEqual([]);
  await first.context().close();
});

test("connections that are made, changed and removed in one window are so in the others, whose tabs keep their texts", async () => {
  const first = await house().open();
  // In another browser, which hears of it from Core alone.
  const second = await house().open();
  const menu = async (page: Page, name: string, item: string) => {
    await page.getByRole("treeitem", { name, exact: true }).click({ button: "right" });
    await page.getByRole("menuitem", { name: item }).click();
  };
  await menu(first, "sample", "Duplicate");
  await second.getByRole("treeitem", { name: "sample copy", exact: true }).waitFor();
  await first.getByRole("dialog", { name: "Edit connection" }).getByLabel("Name", { exact: true }).fill("another sample");
  await first.getByRole("button", { name: "Save", exact: true }).click();
  await second.getByRole("treeitem", { name: "another sample", exact: true }).waitFor();
  await typeQuery(second, ENDLESS);
  await second.getByRole("button", { name: /^Connection: / }).click();
  await second.getByRole("menuitemradio", { name: "another sample", exact: true }).click();
  await second.getByRole("button", { name: "Connection: another sample" }).waitFor();
  await liftDeadline(second);
  await second.keyboard.press("Control+Enter");
  await second.getByRole("status", { name: "What runs" }).getByText("no limit").waitFor();
  // It is removed while something runs on it.
  await menu(first, "another sample", "Remove…");
  await first.getByRole("button", { name: "Remove" }).click();
  await second.getByRole("button", { name: "Connection: No connection" }).waitFor();
  await editorOf(second).getByText("union all").waitFor();
  await second.getByRole("button", { name: "Cancel", exact: true }).click();
  await second.getByText(STOPPED).waitFor();
  await editorOf(second).click();
  await second.keyboard.press("Control+Enter");
  await second.getByText("The connection of this tab is not there").waitFor();
  await second.getByRole("button", { name: "Connection: No connection" }).click();
  await second.getByRole("menuitemradio", { name: "sample", exact: true }).click();
  await retype(second, "select 5 as five");
  await second.keyboard.press("Control+Enter");
  await second.getByRole("gridcell", { name: "5", exact: true }).waitFor();
  expect(house().complaints()).toEqual([]);
  await first.context().close();
  await second.context().close();
});
