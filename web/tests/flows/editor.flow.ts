import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { typeQuery, useHouse } from "./house.ts";

const house = useHouse();

test("the statement at the cursor is run, and all of them when that is asked for", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1 as first;\n\nselect 'a;b' as second");
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("columnheader", { name: "first" }).waitFor();
  await page.getByText("1 row", { exact: true }).waitFor();
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("columnheader", { name: "second" }).waitFor();
  await page.getByText("1 row", { exact: true }).waitFor();
  expect(await page.getByRole("tab", { name: "Result 2" }).count()).toBe(0);
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("tab", { name: "Result 2" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("the parts of the page are reached by one key, there and back", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1 as a");
  await page.keyboard.press("Control+Enter");
  await page.getByText("1 row", { exact: true }).waitFor();
  await page.getByRole("textbox", { name: /^SQL of / }).focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("role") ?? document.activeElement?.className ?? "");
  for (const [key, part] of [
    ["F6", "tab"],
    ["F6", "btn icon hide-phone"],
    ["F6", "grid"],
    ["Shift+F6", "btn icon hide-phone"],
    ["Shift+F6", "tab"],
    ["Shift+F6", "sql-editor"],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(focused).toBe(part);
  }
  await page.context().close();
});

test("values of parameters are asked for and remembered", async () => {
  const page = await house().open();
  await typeQuery(page, "select :word as word, :number + 1 as number");
  const word = page.getByLabel("Value of :word");
  await word.waitFor();
  await page.keyboard.press("Control+Enter");
  await expect.poll(() => word.evaluate((field) => field === document.activeElement), { timeout: 60_000 }).toBe(true);
  await word.fill("it's");
  await page.getByLabel("Value of :number").fill("41");
  await page.keyboard.press("Enter");
  await page.getByRole("gridcell", { name: "it's", exact: true }).waitFor();
  await page.getByRole("gridcell", { name: "42", exact: true }).waitFor();
  await page.getByText("1 row", { exact: true }).waitFor();
  await page.getByRole("button", { name: ":word is NULL" }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.locator("[role=gridcell] .null").waitFor();
  await page.getByText("1 row", { exact: true }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.reload();
  await expect.poll(() => page.getByLabel("Value of :number").inputValue(), { timeout: 60_000 }).toBe("41");
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a leased session keeps its transaction over runs, until it is rolled back", async () => {
  const page = await house().open();
  await typeQuery(page, "begin");
  await page.getByRole("button", { name: /^Session: / }).click();
  await page.getByRole("menuitemradio", { name: /^Leased/ }).click();
  await page.getByRole("button", { name: "Session: Leased" }).waitFor();
  await page.keyboard.press("Escape");
  const run = async (sql: string) => {
    const editor = page.getByRole("textbox", { name: /^SQL of / });
    await editor.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(sql);
    await page.keyboard.press("Control+Shift+Enter");
  };
  await run("begin; create temp table t (a); insert into t values (7)");
  await page.getByRole("button", { name: "Commit" }).waitFor();
  await page.getByRole("button", { name: "Session: In transaction" }).waitFor();
  await run("select a + 1 as next from t");
  await page.getByRole("gridcell", { name: "8", exact: true }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Roll back" }).click();
  await page.getByText("The transaction is rolled back").waitFor();
  await page.getByRole("button", { name: "Session: Leased" }).waitFor();
  await run("select a from t");
  await page.getByRole("alert").getByText("no such table: t").waitFor();
  await page.getByRole("button", { name: /^Session: / }).click();
  await page.getByRole("menuitemradio", { name: /^One-shot/ }).click();
  await page.getByRole("button", { name: "Session: One-shot" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a script stops at an error or goes on, as it was chosen, and each error is marked", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1 as before;\nselect nothing_one from nowhere_one;\nselect 2 as between;\nselect * from nowhere_two;\nselect 3 as behind");
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("alert").getByText("no such table: nowhere_one").waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).waitFor({ state: "detached" });
  expect((await page.getByRole("tab", { name: /^Result \d|^Rejected/ }).allInnerTexts()).map((text) => text.split("\n")[0])).toEqual(["Result 1", "Rejected"]);
  await page.getByRole("alert").getByText("3 statements did not run").waitFor();
  await page.getByRole("button", { name: /^After an error/ }).click();
  await page.getByRole("menuitemradio", { name: /^Go on/ }).click();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("tab", { name: "Rejected 4" }).click();
  await page.getByRole("alert").getByText("no such table: nowhere_two").waitFor();
  await page.getByRole("tab", { name: "Rejected 2" }).click();
  await page.getByRole("alert").getByText("no such table: nowhere_one").waitFor();
  await page.getByRole("tab", { name: "Result 5" }).click();
  await page.getByRole("columnheader", { name: "behind" }).waitFor();
  expect(await violations(page)).toEqual([]);
  // The choice stays with its tab.
  await page.reload();
  await page.getByRole("button", { name: "After an error: Go on at errors" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a script is laid out, and one undo takes that back", async () => {
  const page = await house().open();
  const typed = "select   id, status from orders where total > 10 order by id;select 'a   b'";
  await typeQuery(page, typed);
  await page.getByRole("button", { name: "Format", exact: true }).click();
  const editor = page.getByRole("textbox", { name: /^SQL of / });
  const lines = () => editor.locator(".cm-line").allInnerTexts();
  await expect.poll(async () => (await lines()).map((line) => line.trim()).join("|"), { timeout: 60_000 }).toContain("|from orders|where total > 10|order by id;||select 'a   b'");
  expect(await violations(page)).toEqual([]);
  await editor.click();
  await page.keyboard.press("Control+z");
  await expect.poll(async () => (await lines()).join("|"), { timeout: 60_000 }).toContain("select   id, status from orders where");
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what takes much away asks first on a production database", async () => {
  const page = await house().open();
  await page.getByRole("treeitem", { name: "sample" }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  const edit = page.getByRole("dialog", { name: "Edit connection" });
  await edit.getByLabel("Name", { exact: true }).fill("production");
  await edit.getByRole("radio", { name: "Red" }).click();
  await edit.getByRole("button", { name: "Save", exact: true }).click();
  await edit.waitFor({ state: "detached" });
  await page.getByRole("treeitem", { name: "production" }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "New query" }).click();
  const editor = page.getByRole("textbox", { name: /^SQL of / });
  const run = async (sql: string) => {
    await editor.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(sql);
    await page.keyboard.press("Control+Shift+Enter");
  };
  const question = page.getByRole("dialog", { name: "Run on production?" });
  for (const [sql, what] of [
    ["delete from no_such_table", "DELETE without WHERE: every row"],
    ["drop table no_such_table", "DROP TABLE"],
    ["truncate no_such_table", "TRUNCATE NO_SUCH_TABLE"],
    ["update no_such_table set a = 1 -- where", "UPDATE without WHERE: every row"],
  ] as const) {
    await run(sql);
    await question.getByText(what, { exact: true }).waitFor();
    expect(await violations(page)).toEqual([]);
    await question.getByRole("button", { name: "Do not run" }).click();
    await question.waitFor({ state: "detached" });
    await page.getByText("Nothing is sent before you run it").waitFor();
  }
  await run("delete from no_such_table");
  await question.getByRole("button", { name: "Run it" }).click();
  await page.getByRole("alert").getByText("no such table: no_such_table").waitFor();
  // With a condition nothing is asked.
  await run("delete from no_such_table_2 where 1 = 0");
  await page.getByRole("alert").getByText("no such table: no_such_table_2").waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what is typed is found again in another browser", async () => {
  const first = await house().open();
  await typeQuery(first, "select 'typed in one browser'");
  const tab = first.getByRole("textbox", { name: /^SQL of / });
  await tab.getByText("typed in one browser").waitFor();
  // It is kept soon after the last key: a browser that comes later than that finds it.
  await expect
    .poll(
      async () => {
        const second = await house().open({ isNew: true });
        const found = await second.evaluate(() => sessionStorage.getItem("querybox.tabs") ?? "");
        await second.context().close();
        return found;
      },
      { timeout: 120_000 },
    )
    .toContain("typed in one browser");
  await first.context().close();
});
