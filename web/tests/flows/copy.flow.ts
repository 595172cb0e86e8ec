import { expect, test } from "vitest";
import { typeQuery, useHouse } from "./house.ts";

const house = useHouse();

test("values that a window of rows cuts are copied whole, and numbers are added up by what they are", async () => {
  const page = await house().open();
  // A row of 12 values of a megabyte: an answer with it ends behind eight.
  const wide = Array.from({ length: 12 }, (_, at) => `printf('%.*c', 1000000, '${at % 10}') || 'end${at}' as c${at}`).join(", ");
  await typeQuery(page, `select ${wide}`);
  await page.keyboard.press("Control+Enter");
  await page.getByText("1 row", { exact: true }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+a");
  await page.getByRole("button", { name: "Copy as" }).click();
  await page.getByRole("menuitem", { name: "JSON", exact: true }).click();
  await page.getByText("12 cells are copied").waitFor();
  const [row] = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as readonly Record<string, string>[];
  expect(Object.values(row ?? {}).map((text) => [text.length, text.slice(-5)])).toEqual(
    Array.from({ length: 12 }, (_, at) => [at > 9 ? 1_000_005 : 1_000_004, `end${at}`.padStart(5, String(at % 10))]),
  );

  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText("select 1 as mixed union all select '20' union all select 300");
  await page.keyboard.press("Control+Enter");
  await page.getByText("3 rows", { exact: true }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+a");
  await page.locator("footer").getByText("3 cells · sum 301 · average 150.5").waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a long copy says how far it is, and is stopped", async () => {
  const page = await house().open();
  await typeQuery(page, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000) select i, i * 2 as j from n");
  await page.keyboard.press("Control+Enter");
  await page.getByText("60,000 rows", { exact: true }).waitFor();
  await page.evaluate(() => navigator.clipboard.writeText("as it was"));
  // Windows of rows wait until it was stopped.
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/ReadRows", async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Control+c");
  const bar = page.getByRole("status", { name: "What is copied" });
  await bar.getByText("of 120,000 cells").waitFor();
  await bar.getByRole("button", { name: "Stop" }).click();
  release();
  await page.getByText("Nothing was copied: it was stopped").waitFor();
  await bar.waitFor({ state: "detached" });
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("as it was");
  await page.unroute("**/ReadRows");
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+c");
  await page.getByText("120,000 cells are copied").waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect([text.split("\n").length, text.slice(0, 3), text.slice(-12)]).toEqual([60_000, "1\t2", "60000\t120000"]);
  await page.context().close();
});
