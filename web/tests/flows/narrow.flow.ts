import type { Locator, Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { PATIENCE_MS, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();
beforeAll(() => postgres().psql("create table narrow (id int, note text); insert into narrow select i, 'row ' || i from generate_series(1, 300) i"));

/** What a pointer or a finger hits that is smaller than a target has to be. */
const smallTargets = (page: Page, least: number) =>
  page.evaluate((size) => {
    const shown = [...document.querySelectorAll<HTMLElement>("button, [role=tab], select")].filter((element) => element.checkVisibility() && !element.closest(".resizer, .tools, .params, .result-bar, .run-bar"));
    // A switch is drawn small, and takes more than it draws.
    return shown.flatMap((element) => {
      const { height } = element.getBoundingClientRect();
      return height >= size || element.getAttribute("role") === "switch" ? [] : [`${element.className}: ${element.getAttribute("aria-label") ?? element.innerText} ${height}`];
    });
  }, least);

const fits = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

for (const [width, isTouched] of [
  [640, false],
  [400, true],
  [360, true],
] as const) {
  test(`from a new connection to rows in a page of ${width} px${isTouched ? ", by fingers" : ""}`, async () => {
    const page = await house().open({ viewport: { width, height: 760 }, hasTouch: isTouched, isMobile: isTouched });
    const press = (target: Locator) => (isTouched ? target.tap() : target.click());
    const name = `at ${width}`;
    await press(page.getByRole("button", { name: "New connection" }).last());
    const dialog = page.getByRole("dialog", { name: "New connection" });
    await dialog.waitFor();
    // It fills the screen.
    await expect.poll(() => dialog.boundingBox(), { timeout: PATIENCE_MS }).toEqual({ x: 0, y: 0, width, height: 760 });
    await dialog.getByLabel("Paste a URL or DSN").fill(postgres().url.replace("@", `:${encodeURIComponent(postgres().password)}@`));
    await dialog.getByText(/and the password$/).waitFor();
    await dialog.getByLabel("Name", { exact: true }).fill(name);
    expect(await violations(page)).toEqual([]);
    if (isTouched) expect(await smallTargets(page, 44)).toEqual([]);
    await expect.poll(() => fits(page)).toBeLessThanOrEqual(0);
    await press(dialog.getByRole("button", { name: "Test" }));
    await dialog.getByText("Connected").scrollIntoViewIfNeeded();
    await press(dialog.getByRole("button", { name: "Save and open" }));
    await dialog.waitFor({ state: "detached" });

    const editor = page.getByRole("textbox", { name: "SQL of Query 1" });
    await press(editor);
    await page.keyboard.insertText("select id, note from narrow order by id");
    await press(page.getByRole("button", { name: "Run", exact: true }));
    await page.getByRole("gridcell", { name: "row 1", exact: true }).waitFor();
    // The status bar keeps the connection, what it may do, and how the run stands.
    const status = page.getByRole("contentinfo");
    for (const word of [name, "Read and write"]) await status.getByText(word, { exact: true }).waitFor();
    await expect.poll(() => fits(page)).toBeLessThanOrEqual(0);
    if (isTouched) expect(await smallTargets(page, 44)).toEqual([]);
    expect(await violations(page)).toEqual([]);

    // The drawer covers the page until a table is chosen in it, or Esc.
    const sidebar = page.getByRole("button", { name: "Show or hide the sidebar" });
    await press(sidebar.last());
    const table = page.getByRole("treeitem", { name: /^narrow\b/ });
    const connection = page.getByRole("treeitem", { name, exact: true });
    await connection.waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await connection.waitFor({ state: "hidden" });
    await press(sidebar.last());
    await table.waitFor();
    if (isTouched) {
      await expect.poll(async () => (await table.boundingBox())?.height, { timeout: PATIENCE_MS }).toBe(36);
      await table.tap();
      await table.locator(".rm").tap();
      await page.getByRole("menuitem", { name: "Open data" }).tap();
    } else await table.dblclick();
    await page.getByText("300 rows", { exact: true }).waitFor();
    await connection.waitFor({ state: "hidden" });

    // Of the tabs one is drawn on a phone, the others are in a list behind it.
    if (width < 560) {
      await page.getByRole("tab", { name: "Query 1" }).waitFor({ state: "hidden" });
      await press(page.getByRole("button", { name: "2 tabs" }));
      await press(page.getByRole("menuitemradio", { name: "Query 1" }));
    } else await press(page.getByRole("tab", { name: "Query 1" }));
    await page.getByRole("gridcell", { name: "row 1", exact: true }).waitFor();
    expect(house().complaints()).toEqual([]);
    await page.context().close();
  });
}
