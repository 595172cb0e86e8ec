import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { typeQuery, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();

async function edit(page: Page, name: string): Promise<void> {
  await page.getByRole("treeitem", { name, exact: true }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Edit…" }).click();
}

test("who edits a connection with an open transaction is asked, and the tree shows the new place", async () => {
  postgres().psql("create table only_in_first (id int); create table kept (id int)");
  postgres().psql("create database books");
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByLabel("Paste a URL or DSN").fill(postgres().url);
  await page.getByText(/^Filled/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("own");
  await page.getByLabel("Password", { exact: true }).fill(postgres().password);
  await page.getByRole("radio", { name: "Ask each time" }).click();
  await page.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: /^only_in_first/ }).waitFor();

  // What is read again stays in sight, with the columns that were opened.
  await page.getByRole("treeitem", { name: /^kept/ }).click();
  await page.keyboard.press("ArrowRight");
  await page.getByRole("treeitem", { name: /^id/ }).waitFor();
  postgres().psql("create table came_later (id int); alter table kept add column more text");
  await page.getByRole("treeitem", { name: "own", exact: true }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Refresh" }).click();
  await page.getByRole("treeitem", { name: /^came_later/ }).waitFor();
  await page.getByRole("treeitem", { name: /^more/ }).waitFor();

  await typeQuery(page, "begin; insert into kept values (1)");
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("button", { name: "Commit" }).waitFor();

  await edit(page, "own");
  // What ends no session is saved at once.
  await page.getByRole("radio", { name: "Amber" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Commit" }).waitFor();

  await edit(page, "own");
  await page.getByRole("textbox", { name: "Database" }).fill("books");
  await page.getByLabel("Password", { exact: true }).fill(postgres().password);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const asked = page.getByRole("dialog", { name: "Save and roll back" });
  await asked.getByText(/may be, open in Query \d+: what it changed/).waitFor();
  expect(await violations(page)).toEqual([]);
  // Esc closes the question alone.
  await page.keyboard.press("Escape");
  await asked.waitFor({ state: "detached" });
  await page.getByRole("dialog", { name: "Edit connection" }).waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await asked.getByRole("button", { name: "Save and roll back" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("treeitem", { name: /^only_in_first/ }).waitFor({ state: "detached" });
  // What was typed into the form is not asked for again, and the same row is selected.
  await page.getByRole("treeitem", { name: "public" }).waitFor();
  await expect.poll(() => page.getByRole("treeitem", { name: "own", exact: true }).getAttribute("aria-selected")).toBe("true");
  await expect.poll(() => page.getByRole("treeitem", { name: /^only_in_first/ }).count()).toBe(0);
  expect(postgres().psql("select count(*) from kept")).toBe("0");

  // Another driver: nothing of the old one stays.
  await edit(page, "own");
  await page.getByRole("radio", { name: "SQLite" }).click();
  await page.getByLabel("Database file").fill(`${house().home}/files/sample.sqlite`);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("treeitem", { name: /^order_items/ }).waitFor();
  await expect.poll(() => page.getByRole("treeitem", { name: "public" }).count()).toBe(0);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
