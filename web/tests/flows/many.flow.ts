import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { runInstead, typeQuery, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();

test("sixty results are gone through by keys, and each says its statement", async () => {
  const page = await house().open();
  await typeQuery(page, "");
  await runInstead(page, Array.from({ length: 60 }, (_, at) => `select ${at} as n${at};`).join(" "));
  const last = page.getByRole("tab", { name: "Result 60" });
  await last.waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Run", exact: true }).waitFor();
  await page.getByRole("tab", { name: "Result 1", exact: true }).focus();
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("log", { name: "Messages" }).waitFor();
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("columnheader", { name: "n59" }).waitFor();
  await expect.poll(() => last.getAttribute("title")).toBe("select 59 as n59");
  await expect.poll(() => last.evaluate((tab) => tab.getBoundingClientRect().right <= innerWidth)).toBe(true);
  // The messages stay in sight beside them.
  await page.getByRole("tab", { name: /^Messages/ }).click();
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1440);
  expect(await violations(page)).toEqual([]);
  await page.context().close();
});

test("of 1,600 columns and of rows longer than an answer, the last is shown", async () => {
  const page = await house().open();
  await typeQuery(page, "");
  const columns = Array.from({ length: 1_600 }, (_, at) => `'value of row ' || i || ' in ' || ${at} as c${at}`).join(", ");
  await runInstead(page, `with recursive n(i) as (select 1 union all select i + 1 from n where i < 400) select ${columns} from n`);
  await page.getByText("400 rows", { exact: true }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+End");
  await page.getByRole("gridcell", { name: "value of row 400 in 1599", exact: true }).waitFor();
  // It draws what is in sight, and no more.
  await expect.poll(() => page.getByRole("gridcell").count()).toBeLessThan(800);
  await page.keyboard.press("PageUp");
  await page.keyboard.press("Control+Home");
  await page.getByRole("gridcell", { name: "value of row 1 in 0", exact: true }).waitFor();
  for (const row of [60, 130, 199]) {
    await page.keyboard.press("Control+g");
    await page.getByRole("textbox", { name: /^Row, / }).fill(String(row));
    await page.keyboard.press("Enter");
    await page.getByRole("gridcell", { name: `value of row ${row} in 0`, exact: true }).waitFor();
  }
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what returns nothing says so, and nothing runs of a text without a statement", async () => {
  const page = await house().open();
  await typeQuery(page, "-- a word\n/* another */");
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByText(/^There was no statement to run/).waitFor();
  await runInstead(page, "create temp table t (a int); insert into t values (1), (2); delete from t where a = 1");
  const log = page.getByRole("log", { name: "Messages" });
  await log.getByText(/^2 rows changed in /).waitFor();
  await log.getByText(/^1 row changed in /).waitFor();
  await runInstead(page, "select 1 as a where false");
  await page.getByRole("columnheader", { name: "a" }).waitFor();
  await page.getByText("0 rows", { exact: true }).waitFor();
  await page.context().close();
});

test("on a phone what has no room is behind one button", async () => {
  const page = await house().open({ viewport: { width: 400, height: 800 } });
  await typeQuery(page, "select 1 as a, 2 as b");
  await page.keyboard.press("Control+Enter");
  await page.getByText("1 row", { exact: true }).waitFor();
  await page.getByRole("button", { name: "More for these rows" }).click();
  await page.getByRole("menuitem", { name: "Copy as CSV" }).click();
  await page.getByText("The cell is copied").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("a\n1\n");
  await page.getByRole("button", { name: "More for these rows" }).click();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("menuitem", { name: /^Search rows/ }).click();
  await page.getByRole("searchbox", { name: "Search in all columns" }).and(page.locator(":focus")).waitFor();
  await page.context().close();
});

test("thousands of notices ask Core a few times, and the page goes on", async () => {
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByRole("textbox", { name: /URL/ }).fill(postgres().url.replace("@", `:${encodeURIComponent(postgres().password)}@`));
  await page.getByText(/^Filled \d+ fields and the password$/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("own");
  await page.getByRole("radio", { name: "Ask each time" }).click();
  await page.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: "public" }).waitFor();
  await typeQuery(page, "");
  let looks = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/AttachResult")) looks++;
  });
  await runInstead(page, "do $$ begin for i in 1..5000 loop raise notice 'notice %', i; end loop; end $$");
  const log = page.getByRole("log", { name: "Messages" });
  await log.getByText("NOTICE: notice 5000").waitFor();
  await log.getByText("4,800 earlier messages are not kept").waitFor();
  expect(looks).toBeLessThan(1_000);
  await page.context().close();
});
