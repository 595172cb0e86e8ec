import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { PATIENCE_MS, typeQuery, useHouse } from "./house.ts";

const house = useHouse();

/** What has the focus, by its role or its name. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const inside = (element: Element | null): Element | null => (element?.shadowRoot?.activeElement ? inside(element.shadowRoot.activeElement) : element);
    const element = inside(document.activeElement);
    return `${element?.getAttribute("role") ?? element?.tagName.toLowerCase()} ${element?.getAttribute("aria-label") ?? element?.textContent ?? ""}`;
  });

test("a tab is named by its title alone, controls the page under it, and is closed by keys and by its button", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1");
  await typeQuery(page, "select 2");
  const [first, second] = [page.getByRole("tab", { name: "Query 1", exact: true }), page.getByRole("tab", { name: "Query 2", exact: true })];
  await page.getByRole("tabpanel", { name: "Query 2", exact: true }).waitFor();
  await expect.poll(() => second.evaluate((tab) => document.getElementById(tab.getAttribute("aria-controls") ?? "")?.getAttribute("role"))).toBe("tabpanel");
  await expect.poll(() => second.getAttribute("aria-keyshortcuts")).toBe("Delete");
  expect(await violations(page)).toEqual([]);
  // All tabs are one stop, and arrows move among them.
  await second.focus();
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("tabpanel", { name: "Query 1", exact: true }).waitFor();
  await expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toBe("tab Query 1");
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menuitem", { name: "Close the others" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Delete");
  await first.waitFor({ state: "detached" });
  await expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toBe("tab Query 2");
  await page.getByRole("button", { name: "Close Query 2" }).click();
  await second.waitFor({ state: "detached" });
  await expect.poll(() => page.getByRole("tabpanel").count()).toBe(0);
  expect(await violations(page)).toEqual([]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("F6 goes through the parts of the page in their order, and back", async () => {
  const page = await house().open();
  await typeQuery(page, "select * from orders where id > :least");
  await page.getByLabel("Value of :least").fill("3");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("gridcell").first().waitFor();
  // Its end is told a little later than its rows.
  await page.getByRole("button", { name: /^Run/ }).first().waitFor();
  await page.getByLabel("Find connection or table").focus();
  const order = [
    "input Find connection or table",
    "tree Connections and tables",
    "tab Query 1",
    /^button Run/,
    "textbox SQL of Query 1",
    "input Value of :least",
    "tab Result 1",
    /^button /,
    "grid Result 1",
    "radio Row",
    "footer Status",
  ].map((name) => (typeof name === "string" ? name : expect.stringMatching(name)));
  const walk = async (key: string, parts: typeof order) => {
    for (const part of parts) {
      await expect.poll(() => focused(page)).toEqual(part);
      await page.keyboard.press(key);
    }
  };
  await walk("F6", order);
  await walk("Shift+F6", order.toSpliced(1, order.length, ...order.slice(1).toReversed()));
  await expect.poll(() => focused(page)).toBe("input Find connection or table");
  await page.context().close();
});

test("on a Mac no key that types a letter is taken, and its own keys work", async () => {
  const page = await house().open({ platform: "MacIntel" });
  await page.keyboard.press("Control+q");
  await page.getByRole("tab", { name: "Query 1" }).waitFor();
  await page.getByRole("textbox", { name: "SQL of Query 1" }).click();
  // `@` on a German keyboard, `ń` and `ę` on a Polish one, and what would open and close tabs elsewhere.
  for (const letter of ["l", "n", "e", "t", "w", "q"]) await page.keyboard.press(`Alt+${letter}`);
  await page.keyboard.insertText("select '@'");
  await expect.poll(() => page.getByRole("textbox", { name: "SQL of Query 1" }).innerText(), { timeout: PATIENCE_MS }).toContain("select '@'");
  expect(await page.getByRole("tab", { name: /^Query/ }).count()).toBe(1);
  expect(await page.getByRole("dialog").count()).toBe(0);
  await page.keyboard.press("Meta+k");
  await page.getByRole("option", { name: /^Close tab/ }).getByText("⌃W").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+w");
  await page.getByRole("tab", { name: "Query 1" }).waitFor({ state: "detached" });
  await page.context().close();
});

test("keys that come from elsewhere hold to the rule, and nothing is taken from an action unasked", async () => {
  const page = await house().open({ keys: { "Search or run a command": "E", "New query": "Mod+Alt+Q", "Export rows…": "F9" } });
  await page.keyboard.press("Alt+t");
  await page.getByRole("textbox", { name: "SQL of Query 1" }).click();
  await page.keyboard.type("select 'every e'");
  expect(await page.getByRole("dialog").count()).toBe(0);
  await expect.poll(() => page.getByRole("textbox", { name: "SQL of Query 1" }).innerText(), { timeout: PATIENCE_MS }).toContain("select 'every e'");
  await page.keyboard.press("Control+Comma");
  const settings = page.getByRole("dialog", { name: "Settings" });
  const key = (name: string) => settings.getByRole("button", { name: new RegExp(`^Shortcut of ${name}:`) });
  for (const kept of ["Control+r", "Control+l", "Control+1", "Alt+F4", "Alt+ArrowUp", "Control+Alt+q"]) {
    await key("Run all").click();
    await page.keyboard.press(kept);
    await settings.getByText(/^Not these: /).waitFor();
    await page.keyboard.press("Escape");
    await settings.getByText(/^Not these: /).waitFor({ state: "detached" });
  }
  await key("Run all").click();
  // Its own keys go to another action, and back only after a question.
  await page.keyboard.press("Control+k");
  await settings.getByRole("button", { name: "Take them" }).click();
  await settings.getByRole("button", { name: "Shortcut of Run all: Ctrl+K" }).waitFor();
  await expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toBe("button Shortcut of Run all: Ctrl+K");
  await settings.getByRole("button", { name: "Reset Search or run a command" }).click();
  await settings.getByText("They are those of “Run all”").waitFor();
  await settings.getByRole("button", { name: "Shortcut of Run all: Ctrl+K" }).waitFor();
  await settings.getByRole("button", { name: "Take them" }).click();
  await settings.getByRole("button", { name: "Shortcut of Search or run a command: Ctrl+K" }).waitFor();
  await settings.getByRole("button", { name: "Shortcut of Run all: None" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("fields that a key opens take what is typed next, and Esc leads back to the rows", async () => {
  const page = await house().open();
  await typeQuery(page, "select * from orders order by id");
  await page.keyboard.press("Control+Enter");
  const grid = page.getByRole("grid", { name: "Result 1" });
  await page.getByRole("gridcell").first().click();
  await page.keyboard.press("Alt+f");
  await page.keyboard.type("zz-nowhere");
  await expect.poll(() => page.getByLabel("Search in all columns").inputValue(), { timeout: PATIENCE_MS }).toBe("zz-nowhere");
  await page.keyboard.press("Escape");
  await expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toBe("grid Result 1");
  await page.keyboard.press("Control+Shift+f");
  await page.keyboard.type("id = 3");
  await page.keyboard.press("Enter");
  await page.getByText(/\b1 of [\d,]+ rows/).waitFor();
  await page.keyboard.press("Control+Shift+f");
  await expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toBe("grid Result 1");
  await grid.waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a toolbar is one stop of the Tab key, at what was used last, and arrows move within it", async () => {
  const page = await house().open();
  await typeQuery(page, "select 1");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("gridcell").first().waitFor();
  const run = page.getByRole("button", { name: "Run", exact: true });
  await run.waitFor();
  /** Its label, and its shortcut without a space: neither “Run all” nor “Run selection”. */
  const RUN = "Run(?! )";
  const expectFocus = (name: string) => expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toMatch(new RegExp(`^button ${name}`));
  await page.getByRole("tab", { name: "Query 1" }).focus();
  // Behind its tab, and whatever ends the strip, comes the first button of the bar.
  for (let presses = 0; presses < 8 && !(await focused(page)).startsWith("button Run"); presses++) await page.keyboard.press("Tab");
  await expectFocus(RUN);
  await page.keyboard.press("ArrowRight");
  await expectFocus("Run all");
  await page.keyboard.press("End");
  await expectFocus("Row limit: ");
  await page.keyboard.press("ArrowRight");
  await expectFocus(RUN);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await expectFocus("Deadline: ");
  // A menu has its own keys, and gives the focus back.
  await page.keyboard.press("Enter");
  await page.getByRole("menu", { name: "Deadline" }).waitFor();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toMatch(/^menuitemradio /);
  await page.keyboard.press("Escape");
  await expectFocus("Deadline: ");
  await page.keyboard.press("Tab");
  await expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toBe("textbox SQL of Query 1");
  // In the editor Tab indents; behind Esc it leaves.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Shift+Tab");
  await expectFocus("Deadline: ");
  // What has no room is passed over, and is no stop.
  const tools = page.getByRole("toolbar", { name: "Rows" });
  expect(await tools.locator('button[tabindex="0"]').count()).toBe(1);
  await tools.getByRole("button", { name: "Inspector" }).focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await expectFocus("Filter rows");
  await page.keyboard.press("Home");
  await page.setViewportSize({ width: 400, height: 800 });
  await expect.poll(() => tools.locator('button[tabindex="0"]').getAttribute("aria-label"), { timeout: PATIENCE_MS }).toBe("Filter rows");
  expect(await violations(page)).toEqual([]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
