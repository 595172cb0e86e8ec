import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { PATIENCE_MS, typeQuery, useHouse } from "./house.ts";

const house = useHouse();

const NUMBERS =
  "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000) " +
  "select i as id, i * 7 % 101 as part, case when i % 3 = 0 then null else 'word ' || (i % 5) end as word from n";

/** The texts of the first cells of a row that are drawn. */
async function row(page: import("playwright-core").Page, index: number): Promise<readonly string[]> {
  return page.locator(`[role=row][aria-rowindex="${index + 2}"] [role=gridcell]`).allInnerTexts();
}

test("rows are sorted, filtered, searched and shown once, without asking the database again", async () => {
  const page = await house().open();
  await typeQuery(page, NUMBERS);
  await page.keyboard.press("Control+Enter");
  await page.getByText("3,000 rows", { exact: true }).waitFor();
  const part = page.getByRole("columnheader", { name: /^part/ });
  await part.hover();
  await part.locator(".sort").click();
  await expect.poll(async () => (await row(page, 0))[1], { timeout: 60_000 }).toBe("0");
  await expect.poll(() => part.getAttribute("aria-sort"), { timeout: 60_000 }).toBe("ascending");
  await part.locator(".sort").click();
  await expect.poll(async () => (await row(page, 0))[1], { timeout: 60_000 }).toBe("100");

  await page.keyboard.press("Control+Shift+f");
  await page.getByRole("textbox", { name: "Filter" }).fill("id <= 30 and word is not null");
  await page.keyboard.press("Enter");
  await page.getByText("20 of 3,000 rows").waitFor();
  await page.getByRole("searchbox", { name: "Search in all columns" }).fill("word 4");
  await page.keyboard.press("Enter");
  await page.getByText("4 of 3,000 rows").waitFor();
  expect(await violations(page)).toEqual([]);

  await page.getByRole("textbox", { name: "Filter" }).fill("idd <= 30");
  await page.getByText("There is no column “idd”").waitFor();
  await page.getByRole("textbox", { name: "Filter" }).fill("");
  await page.getByRole("searchbox", { name: "Search in all columns" }).fill("");
  await page.keyboard.press("Enter");
  await page.getByText("3,000 rows", { exact: true }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a column says what its values are like, and is frozen and hidden", async () => {
  const page = await house().open();
  await typeQuery(page, NUMBERS);
  await page.keyboard.press("Control+Enter");
  await page.getByText("3,000 rows", { exact: true }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Space");
  const facts = page.getByRole("dialog", { name: "Column id" });
  await facts.getByText("4501500").waitFor();
  await facts.getByText("1500.5", { exact: false }).waitFor();
  expect(await violations(page)).toEqual([]);
  await facts.getByRole("button", { name: "Freeze" }).click();
  await page.locator(".hd .fixed [role=columnheader]", { hasText: "id" }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Space");
  await page.getByRole("dialog", { name: "Column part" }).getByRole("button", { name: "Hide" }).click();
  await page.getByRole("columnheader", { name: /^part/ }).waitFor({ state: "detached" });
  await page.context().close();
});

test("selected cells are added up, and copied in other forms", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1.5 as n, 'a|b' as t union all select 2.25, null");
  await page.keyboard.press("Control+Enter");
  await page.getByText("2 rows", { exact: true }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+a");
  await page.locator("footer").getByText("4 cells · sum 3.75 · average 1.875 · 1 NULL").waitFor();
  const copied = async (name: string) => {
    await page.getByRole("button", { name: "Copy as" }).click();
    await page.getByRole("menuitem", { name, exact: true }).click();
    await page.getByText("4 cells are copied").last().waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  expect(JSON.parse(await copied("JSON"))).toEqual([{ n: 1.5, t: "a|b" }, { n: 2.25, t: null }]);
  await expect.poll(() => copied("Markdown"), { timeout: 60_000 }).toContain("| 1.5 | a\\|b |");
  await expect.poll(() => copied("CSV"), { timeout: 60_000 }).toBe("n,t\n1.5,a|b\n2.25,\n");
  await page.context().close();
});

test("a sum of many digits leaves the status bar its other words, and has them all at hand", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1e300 as n union all select 12.5");
  await page.keyboard.press("Control+Enter");
  await page.getByText("2 rows", { exact: true }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+a");
  const words = page.locator("footer").getByText("2 cells · sum about 1e+300 · average about 5e+299");
  await words.waitFor();
  await expect.poll(() => words.getAttribute("title")).toContain(`sum 1${"0".repeat(298)}12.5 · average 5${"0".repeat(298)}6.25`);
  for (const width of [1440, 900, 600]) {
    await page.setViewportSize({ width, height: 900 });
    await expect.poll(() => page.locator("footer").evaluate((bar) => bar.scrollWidth - bar.clientWidth), { timeout: PATIENCE_MS, message: `at ${width}` }).toBe(0);
  }
  await page.context().close();
});

test("a limit of rows is said, and lifted", async () => {
  const page = await house().open();
  await typeQuery(page, NUMBERS);
  await page.getByRole("button", { name: /^Row limit: / }).click();
  await page.getByRole("menuitemradio", { name: "1,000 rows" }).click();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Enter");
  await page.getByText("first 1,000 of more: limit").waitFor();
  await page.getByText("1,000 rows, then the limit.").waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Run again, all rows" }).click();
  await page.getByText("3,000 rows", { exact: true }).waitFor();
  await page.context().close();
});

test("what is run again is what ran, wherever the cursor is by now", async () => {
  const page = await house().open();
  await typeQuery(page, `${NUMBERS};\n\nselect 'another' as other`);
  await page.getByRole("button", { name: /^Row limit: / }).click();
  await page.getByRole("menuitemradio", { name: "1,000 rows" }).click();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByText("first 1,000 of more: limit").waitFor();
  await page.getByRole("textbox", { name: /^SQL of / }).press("Control+End");
  await page.getByRole("button", { name: "Run again, all rows" }).click();
  await page.getByText("3,000 rows", { exact: true }).waitFor();
  // The other statement was not sent again.
  await page.getByRole("tab", { name: "Result 1" }).waitFor();
  expect(await page.getByRole("tab", { name: "Result 2" }).count()).toBe(0);
  await page.context().close();
});

test("filter, sort and columns stay when all rows are asked for", async () => {
  const page = await house().open();
  await typeQuery(page, NUMBERS);
  await page.getByRole("button", { name: /^Row limit: / }).click();
  await page.getByRole("menuitemradio", { name: "1,000 rows" }).click();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Enter");
  await page.getByText("first 1,000 of more: limit").waitFor();
  await page.keyboard.press("Control+Shift+f");
  await page.getByRole("textbox", { name: "Filter" }).fill("word = 'word 1'");
  await page.keyboard.press("Enter");
  // What is not known of the rows is not known of those that are left.
  await page.getByText("133 of the first 1,000 of more: limit").waitFor();
  const id = page.getByRole("columnheader", { name: /^id/ });
  await id.hover();
  await id.locator(".sort").click();
  await expect.poll(async () => [await id.getAttribute("aria-sort"), (await row(page, 0))[0]], { timeout: 60_000 }).toEqual(["ascending", "1"]);
  await id.hover();
  await id.locator(".sort").click();
  await expect.poll(() => id.getAttribute("aria-sort"), { timeout: 60_000 }).toBe("descending");
  await page.getByRole("button", { name: "Run again, all rows" }).click();
  await page.getByText("400 of 3,000 rows").waitFor();
  await expect.poll(() => id.getAttribute("aria-sort"), { timeout: 60_000 }).toBe("descending");
  await expect.poll(async () => (await row(page, 0))[0], { timeout: 60_000 }).toBe("2996");
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a filter is made of a cell, and undone", async () => {
  const page = await house().open();
  await typeQuery(page, NUMBERS);
  await page.keyboard.press("Control+Enter");
  await page.getByText("3,000 rows", { exact: true }).waitFor();
  await page.getByRole("gridcell", { name: "word 1", exact: true }).first().click({ button: "right" });
  await page.getByRole("menuitem", { name: "Only rows with this value" }).click();
  await page.getByText("400 of 3,000 rows").waitFor();
  await expect.poll(() => page.getByRole("textbox", { name: "Filter" }).inputValue(), { timeout: 60_000 }).toBe("word = 'word 1'");
  await page.context().close();
});

test("filter and search that are cleared are not there any more, and whoever leaves a field unchanged asks for nothing", async () => {
  const page = await house().open();
  await typeQuery(page, NUMBERS);
  await page.keyboard.press("Control+Enter");
  await page.getByText("3,000 rows", { exact: true }).waitFor();
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/MakeView")) asked += 1;
  });
  const [filter, search] = [page.getByRole("textbox", { name: "Filter" }), page.getByRole("searchbox", { name: "Search in all columns" })];
  await page.keyboard.press("Control+Shift+f");
  await search.fill("nowhere");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Clear filter and search" }).click();
  await page.getByText("3,000 rows", { exact: true }).waitFor();
  await expect.poll(() => search.inputValue(), { timeout: PATIENCE_MS }).toBe("");
  await search.focus();
  await filter.focus();
  await filter.fill("id <= 30");
  await page.keyboard.press("Enter");
  await page.getByText("30 of 3,000 rows").waitFor();
  await search.focus();
  await filter.focus();
  await filter.fill("id <= 5");
  await page.keyboard.press("Enter");
  await page.getByText("5 of 3,000 rows").waitFor();
  expect(asked).toBe(3);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what is typed into the filter while a statement is run again stays there when its rows are arranged as before", async () => {
  const page = await house().open();
  await typeQuery(page, NUMBERS.replace("3000", "200000"));
  await page.keyboard.press("Control+Enter");
  await page.getByText("200,000 rows", { exact: true }).waitFor();
  const filter = page.getByRole("textbox", { name: "Filter" });
  await page.keyboard.press("Control+Shift+f");
  await filter.fill("id <= 30");
  await page.keyboard.press("Enter");
  await page.getByText("30 of 200,000 rows").waitFor();
  // The end of the run is heard late.
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/AttachResult", async (route) => {
    await held;
    await route.continue();
  });
  await filter.evaluate((field) => field.setAttribute("data-before", ""));
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Enter");
  await page.locator("input[aria-label=Filter]:not([data-before])").waitFor();
  await filter.fill("id <= 5");
  release();
  await page.getByText("30 of 200,000 rows").waitFor();
  expect(await filter.inputValue()).toBe("id <= 5");
  await page.keyboard.press("Enter");
  await page.getByText("5 of 200,000 rows", { exact: true }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a value opens in the form that suits it", async () => {
  const page = await house().open();
  await typeQuery(page, `select '{"to": {"city": "Wrocław"}, "parcels": 12345678901234567890}' as j, x'89504e47' as b, '<b>bold</b>' as m`);
  await page.keyboard.press("Control+Enter");
  await page.getByText("1 row", { exact: true }).waitFor();
  const inspector = page.getByRole("complementary", { name: "Inspector" });
  await inspector.getByRole("radio", { name: "Cell" }).click();
  await inspector.getByText("12345678901234567890").waitFor();
  await inspector.getByText('"Wrocław"').waitFor();
  // The triangle stands before its word, within the inspector, and folds it.
  const head = inspector.locator(".json-tree summary").first();
  const pressTriangle = async () => {
    const [word, pane] = [await head.boundingBox(), await inspector.boundingBox()];
    if (word === null || pane === null) throw new Error("both are there");
    expect(word.x - pane.x).toBeGreaterThanOrEqual(20);
    await page.mouse.click(word.x - 10, word.y + word.height / 2);
  };
  await pressTriangle();
  await inspector.getByText('"Wrocław"').waitFor({ state: "detached" });
  await pressTriangle();
  await inspector.getByText('"Wrocław"').waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("End");
  await inspector.getByText("<b>bold</b>").waitFor();
  expect(await inspector.locator("pre b").count()).toBe(0);
  expect(await violations(page)).toEqual([]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
