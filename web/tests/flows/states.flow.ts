import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { typeQuery, useHouse } from "./house.ts";

const house = useHouse();

const WIDTHS = [1440, 900, 400] as const;

for (const theme of ["light", "dark"] as const) {
  test(`each state of a tab is accessible, wide and narrow, in ${theme}`, async () => {
    const page = await house().open({ colorScheme: theme });
    await typeQuery(page, "select :x as x");
    await page.getByLabel("Value of :x").waitFor();
    expect(await violations(page), "parameters").toEqual([]);
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText("select id, status, total from orders limit 1000; select a from nowhere");
    await page.keyboard.press("Control+Shift+Enter");
    await page.getByRole("alert").getByText("no such table: nowhere").waitFor();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      expect(await violations(page), `refused at ${width}`).toEqual([]);
    }
    await page.getByRole("tab", { name: "Result 1" }).click();
    await page.getByText("1,000 rows", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Filter rows" }).click();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      expect(await violations(page), `rows at ${width}`).toEqual([]);
      // Nothing but the editor and the grid scrolls sideways.
      await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth), { message: `width at ${width}` }).toBeLessThanOrEqual(width);
    }
    await page.context().close();
  });

  test(`each window over the page is accessible, in ${theme}`, async () => {
    const page = await house().open({ colorScheme: theme });
    await typeQuery(page, "select id, status, total from orders limit 1000");
    await page.keyboard.press("Control+Enter");
    await page.getByText("1,000 rows", { exact: true }).waitFor();
    const windows: readonly (readonly [string, string])[] = [
      ["Control+Comma", "Settings"],
      ["Control+g", "Go to row"],
      ["Control+k", "Command palette"],
      ["Control+Shift+e", "Export rows"],
    ];
    for (const [key, name] of windows) {
      await page.keyboard.press(key);
      await page.getByRole("dialog", { name }).waitFor();
      expect(await violations(page), name).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog", { name }).waitFor({ state: "detached" });
    }
    await page.keyboard.press("Control+g");
    await page.getByRole("textbox", { name: /^Row, / }).fill("731");
    await page.keyboard.press("Enter");
    await page.locator('[role=row][aria-rowindex="732"] [role=gridcell]').first().waitFor();
    expect(house().complaints()).toEqual([]);
    await page.context().close();
  });
}
