import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { PATIENCE_MS, typeQuery, useHouse } from "./house.ts";

const house = useHouse();

test("the inspector goes where there is no room, and comes back by itself", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1 as a, 'x' as b");
  await page.keyboard.press("Control+Enter");
  const inspector = page.getByRole("complementary", { name: "Inspector" });
  await inspector.waitFor();
  // Two panels have no room for it; what is wished of one stays.
  await typeQuery(page, "select 2 as c");
  await page.keyboard.press("Control+Enter");
  await page.getByText("1 row", { exact: true }).waitFor();
  await page.keyboard.press("Control+Backslash");
  await page.getByRole("region", { name: "Right panel" }).waitFor();
  // For a moment each of them is measured with it.
  await expect.poll(() => inspector.count(), { timeout: PATIENCE_MS }).toBe(0);
  await page.keyboard.press("Control+Backslash");
  await page.getByRole("region", { name: "Right panel" }).waitFor({ state: "detached" });
  await inspector.waitFor();
  for (const width of [1_000, 800, 400]) {
    await page.setViewportSize({ width, height: 800 });
    await inspector.waitFor({ state: "detached" });
    // It lies over the grid when it is asked for, and goes by Esc.
    await page.getByRole("grid").focus();
    await page.keyboard.press("Enter");
    await inspector.waitFor();
    await expect.poll(() => inspector.evaluate((element) => getComputedStyle(element).position)).toBe("absolute");
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page), `at ${width}`).toEqual([]);
    await inspector.getByRole("button", { name: "Close", exact: true }).press("Escape");
    await inspector.waitFor({ state: "detached" });
    await page.getByRole("grid").and(page.locator(":focus")).waitFor();
  }
  await page.setViewportSize({ width: 1_440, height: 900 });
  await inspector.waitFor();
  // A reload on a narrow page says nothing of the wish either.
  await page.setViewportSize({ width: 800, height: 800 });
  await page.reload();
  await page.getByText("1 row", { exact: true }).waitFor();
  await inspector.waitFor({ state: "detached" });
  await page.setViewportSize({ width: 1_440, height: 900 });
  await inspector.waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a value is searched, laid out, and copied whole", async () => {
  const page = await house().open();
  await typeQuery(page, "select '<order><item>Tea</item><item>tea pot</item></order>' as x, printf('%.*c', 1500000, 'y') || 'END' as long, 'a' as third");
  await page.keyboard.press("Control+Enter");
  await page.getByText("1 row", { exact: true }).waitFor();
  const inspector = page.getByRole("complementary", { name: "Inspector" });
  await inspector.getByRole("radio", { name: "Cell" }).click();
  await inspector.getByText("whole value").waitFor();
  await inspector.getByText("51 B · 51 characters").waitFor();
  await inspector.getByRole("radio", { name: "XML" }).click();
  await inspector.getByText("  <item>Tea</item>").waitFor();
  await inspector.getByRole("button", { name: "Search in the value" }).click();
  await page.keyboard.type("TEA");
  await inspector.getByText("1 of 2").waitFor();
  await page.keyboard.press("Enter");
  await inspector.getByText("2 of 2").waitFor();
  await expect.poll(() => inspector.locator("mark").allInnerTexts()).toEqual(["Tea", "tea"]);
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await inspector.getByRole("search").waitFor({ state: "detached" });
  // What is shown of a long value is its beginning; a copy has all of it.
  await page.getByRole("grid").focus();
  await page.keyboard.press("ArrowRight");
  await inspector.getByText("The first 1.0 MB of 1.5 MB. Copy takes all of it.").waitFor();
  await inspector.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("The cell is copied").waitFor();
  expect(await page.evaluate(async () => (await navigator.clipboard.readText()).slice(-4))).toBe("yEND");
  await inspector.getByRole("radio", { name: "Row" }).click();
  await inspector.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("3 cells are copied").waitFor();
  expect(await page.evaluate(async () => (await navigator.clipboard.readText()).slice(-12))).toBe("yEND\nthird\ta");
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a column is moved, and made wider and narrower, by keys alone", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1 as one, 2 as two, 3 as three");
  await page.keyboard.press("Control+Enter");
  await page.getByText("1 row", { exact: true }).waitFor();
  await page.keyboard.press("Control+ArrowDown");
  const names = () => page.getByRole("columnheader").locator(".nm").allInnerTexts();
  await page.keyboard.press("Space");
  await page.getByRole("dialog", { name: "Column one" }).getByRole("button", { name: "Move right" }).press("Enter");
  await expect.poll(names, { timeout: 60_000 }).toEqual(["two", "one", "three"]);
  const column = page.getByRole("dialog", { name: "Column one" });
  // The window goes with its column.
  await page.keyboard.press("Enter");
  await expect.poll(names, { timeout: 60_000 }).toEqual(["two", "three", "one"]);
  const width = () => page.getByRole("columnheader", { name: "one" }).evaluate((head) => head.getBoundingClientRect().width);
  const before = await width();
  await column.getByRole("button", { name: "Wider" }).press("Enter");
  await expect.poll(width, { timeout: 60_000 }).toBe(before + 24);
  await column.getByRole("button", { name: "Fit to its values" }).press("Enter");
  await expect.poll(width, { timeout: 60_000 }).toBe(before);
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("grid").and(page.locator(":focus")).waitFor();
  await page.context().close();
});
