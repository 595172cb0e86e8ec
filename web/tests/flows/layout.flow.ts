import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { typeQuery, useHouse } from "./house.ts";

const house = useHouse();

const panel = (page: Page, name: "Left panel" | "Right panel" | "Tabs") => page.getByRole("region", { name });

test("two tabs stand side by side, and closing one gives its room back", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1 as left_one");
  await typeQuery(page, "select 2 as right_one");
  await page.getByRole("tab", { name: "Query 2" }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Split to the right" }).click();
  const [left, right] = [panel(page, "Left panel"), panel(page, "Right panel")];
  await left.getByRole("textbox", { name: "SQL of Query 1" }).waitFor();
  await right.getByRole("textbox", { name: "SQL of Query 2" }).waitFor();
  // Each runs what stands in the panel that is worked in.
  await left.getByRole("textbox", { name: "SQL of Query 1" }).click();
  await page.keyboard.press("Control+Enter");
  await left.getByRole("columnheader", { name: "left_one" }).waitFor();
  await right.getByRole("textbox", { name: "SQL of Query 2" }).click();
  await page.keyboard.press("Control+Enter");
  await right.getByRole("columnheader", { name: "right_one" }).waitFor();
  expect(await left.getByRole("columnheader", { name: "right_one" }).count()).toBe(0);
  expect(await violations(page)).toEqual([]);
  // Keys go from one to the other.
  await page.keyboard.press("Alt+Backslash");
  await expect.poll(() => left.evaluate((element) => element.classList.contains("here")), { timeout: 60_000 }).toBe(true);
  // As it was after a reload.
  await page.reload();
  await right.getByRole("columnheader", { name: "right_one" }).waitFor();
  await left.getByRole("columnheader", { name: "left_one" }).waitFor();
  // With too little room one panel shows the tabs of both.
  await page.setViewportSize({ width: 640, height: 800 });
  await panel(page, "Tabs").getByRole("tab", { name: "Query 2" }).waitFor();
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
  await page.setViewportSize({ width: 1440, height: 900 });
  await right.getByRole("tab", { name: "Query 2" }).click();
  await page.keyboard.press("Alt+w");
  await panel(page, "Tabs").getByRole("textbox", { name: "SQL of Query 1" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a tab that is dragged to the right half makes a panel there, and goes back to the other strip", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1");
  await typeQuery(page, "select 2");
  const sheet = page.locator("#sheet");
  const box = await sheet.boundingBox();
  await page.getByRole("tab", { name: "Query 1" }).dragTo(sheet, { targetPosition: { x: (box?.width ?? 0) * 0.75, y: 300 } });
  const [left, right] = [panel(page, "Left panel"), panel(page, "Right panel")];
  await right.getByRole("tab", { name: "Query 1" }).waitFor();
  await left.getByRole("tab", { name: "Query 2" }).waitFor();
  await right.getByRole("tab", { name: "Query 1" }).dragTo(left.getByRole("tab", { name: "Query 2" }));
  await panel(page, "Tabs").getByRole("tab", { name: "Query 1" }).waitFor();
  await expect.poll(() => page.getByRole("tab", { name: /^Query/ }).allInnerTexts()).toEqual(["Query 1", "Query 2"]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("shortcuts are chosen, conflicts are told, and all of them come back", async () => {
  const page = await house().open();
  await typeQuery(page, "select 'by another key' as word");
  await page.keyboard.press("Control+Comma");
  const settings = page.getByRole("dialog", { name: "Settings" });
  const run = settings.getByRole("button", { name: /^Shortcut of Run statement/ });
  await run.click();
  await page.keyboard.press("Control+c");
  await settings.getByText("it is needed where text is typed").waitFor();
  await page.keyboard.press("Control+k");
  await settings.getByText("They are those of “Search or run a command”").waitFor();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("F9");
  await settings.getByRole("button", { name: "Shortcut of Run statement or selection: F9" }).waitFor();
  await page.keyboard.press("Escape");
  await settings.waitFor({ state: "detached" });
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("F9");
  await page.getByRole("gridcell", { name: "by another key" }).waitFor();
  // What shows keys shows the new ones, also after a reload.
  await page.reload();
  await page.getByRole("button", { name: "Run", exact: true }).getByText("F9").waitFor();
  await page.keyboard.press("Control+Comma");
  await settings.getByRole("button", { name: "Reset all" }).click();
  await settings.getByRole("button", { name: "Shortcut of Run statement or selection: Ctrl+Enter" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("another browser begins with the settings and the panels of the last one", async () => {
  const first = await house().open({ isNew: true });
  await typeQuery(first, "select 'in the first panel'");
  await typeQuery(first, "select 'in the second panel'");
  await first.keyboard.press("Control+Backslash");
  await panel(first, "Right panel").waitFor();
  await first.keyboard.press("Control+Comma");
  await first.getByRole("radio", { name: "Dark" }).click();
  await first.getByRole("radio", { name: "14" }).first().click();
  // They are kept soon after the last change.
  await expect
    .poll(
      async () => {
        const second = await house().open({ isNew: true, colorScheme: "light" });
        const found = await second.evaluate(() => [document.documentElement.dataset.theme, document.documentElement.style.getPropertyValue("--more")]);
        const panels = await panel(second, "Right panel").count();
        await second.context().close();
        return [...found, panels];
      },
      { timeout: 120_000 },
    )
    .toEqual(["dark", "1px", 1]);
  expect(house().complaints()).toEqual([]);
  await first.context().close();
});
