import { chownSync, copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { PATIENCE_MS, useHouse } from "./house.ts";

const house = useHouse();

/** A copy of the sample, so that a second connection has a file of its own. */
function ownFile(name: string): string {
  const files = join(house().home, "files");
  const [sample, copy] = [join(files, "sample.sqlite"), join(files, name)];
  copyFileSync(sample, copy);
  // As root, a driver runs as the owner of its file.
  const { uid, gid } = statSync(sample);
  chownSync(copy, uid, gid);
  return copy;
}

async function fillNew(page: Page, name: string, file: string): Promise<void> {
  await page.keyboard.press("Alt+n");
  await page.getByRole("radio", { name: "SQLite" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Database file").fill(file);
}

test("a connection is tested stage by stage, saved and opened", async () => {
  const page = await house().open();
  await fillNew(page, "mine", ownFile("mine.sqlite"));
  await page.getByRole("radio", { name: "Red" }).click();
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByText("Connected").waitFor();
  await page.getByText("Server version").waitFor();
  await page.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: "mine" }).waitFor();
  await page.getByRole("treeitem", { name: /^orders\b/ }).waitFor();
  await page.locator("footer").getByText("mine").waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a test that fails says at which stage and why", async () => {
  const page = await house().open();
  await fillNew(page, "nowhere", join(house().home, "files", "nowhere.sqlite"));
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByText(/^Failed at /).waitFor();
  await page.getByRole("alert").first().waitFor();
  await page.context().close();
});

test("what is missing is said at its field, and nothing is sent", async () => {
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByRole("radio", { name: "SQLite" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Give it a name").waitFor();
  await page.getByText("Database file is needed").waitFor();
  await page.context().close();
});

test("a pasted URL fills the form, and a password in it goes to its field and is sent nowhere", async () => {
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByLabel("Paste a URL or DSN").fill("postgres://ada@db.example.com:5433/shop?sslmode=require");
  await page.getByText(/^Filled \d fields$/).waitFor();
  await expect.poll(() => page.getByLabel("Host").inputValue()).toBe("db.example.com");
  await expect.poll(() => page.getByLabel("Port").inputValue()).toBe("5433");
  await expect.poll(() => page.getByLabel("Name", { exact: true }).inputValue()).toBe("shop");
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.postData() ?? ""));
  await page.getByLabel("Paste a URL or DSN").fill("postgres://ada:canary@db2.example.com/shop");
  await page.getByText(/^Filled \d fields and the password$/).waitFor();
  await expect.poll(() => page.getByLabel("Host").inputValue()).toBe("db2.example.com");
  await expect.poll(() => page.getByLabel("Paste a URL or DSN").inputValue()).toBe("postgres://ada@db2.example.com/shop");
  await expect.poll(() => page.getByLabel("Password", { exact: true }).inputValue()).toBe("canary");
  expect(sent.some((body) => body.includes("db2.example.com"))).toBe(true);
  expect(sent.filter((body) => body.includes("canary"))).toEqual([]);
  await page.context().close();
});

test("a connection is renamed, duplicated and removed", async () => {
  const page = await house().open();
  await fillNew(page, "first", ownFile("first.sqlite"));
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const menu = async (name: string, item: string) => {
    await page.getByRole("treeitem", { name, exact: true }).click({ button: "right" });
    await page.getByRole("menuitem", { name: item }).click();
  };
  await menu("first", "Edit…");
  await page.getByLabel("Name", { exact: true }).fill("renamed");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await menu("renamed", "Duplicate");
  await page.getByRole("button", { name: "Cancel" }).click();
  await menu("renamed copy", "Remove…");
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByText("renamed copy is removed").waitFor();
  await expect.poll(() => page.getByRole("treeitem", { name: "renamed copy" }).count()).toBe(0);
  await expect.poll(() => page.getByRole("treeitem", { name: "renamed", exact: true }).count()).toBe(1);
  await page.context().close();
});

test("connections are imported from what other programs have written", async () => {
  const page = await house().open();
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("import conn");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Import connections" });
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.postData() ?? ""));
  await dialog.getByLabel("List of connections").fill("postgres://ada:canary@db.example.com/shop\ndb2.example.com:5432:books:eve:canary\n[third]\nhost=db3.example.com\nnot a line at all");
  await dialog.getByText("ada@db.example.com shop", { exact: true }).waitFor();
  await dialog.getByText(/^Line 5: it is no URL/).waitFor();
  await dialog.getByRole("checkbox", { name: "Import third" }).uncheck();
  await dialog.getByLabel("Folder").fill("imported");
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Import 2 connections" }).click();
  await dialog.getByText(/^2 imported\./).waitFor();
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("treeitem", { name: "imported" }).waitFor();
  await page.getByRole("treeitem", { name: "ada@db.example.com shop" }).waitFor();
  await page.getByRole("treeitem", { name: "eve@db2.example.com books" }).waitFor();
  expect(await page.getByRole("treeitem", { name: "third" }).count()).toBe(0);
  // There is no place for passwords here, so that none is sent.
  expect(sent.filter((body) => body.includes("canary"))).toEqual([]);
  // A second time they are there already.
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("import conn");
  await page.keyboard.press("Enter");
  await dialog.getByLabel("List of connections").fill("postgres://ada@db.example.com/shop");
  await dialog.getByRole("button", { name: "Import 1 connection" }).click();
  await dialog.getByText("leads there already").waitFor();
  // What is done with stands there no more, though the list tells of it.
  await expect.poll(() => dialog.getByLabel("List of connections").inputValue(), { timeout: PATIENCE_MS }).toBe("");
  expect(await violations(page)).toEqual([]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("an import is begun once, and Esc stops it before it leaves", async () => {
  const page = await house().open();
  let created = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/CreateConnection", async (route) => {
    created++;
    await held;
    await route.continue();
  });
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("import conn");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Import connections" });
  await dialog.getByLabel("List of connections").fill("postgres://a@one.example.com/x\npostgres://a@two.example.com/x\npostgres://a@three.example.com/x");
  await dialog.getByRole("button", { name: "Import 3 connections" }).dblclick();
  await expect.poll(() => created, { timeout: PATIENCE_MS }).toBe(1);
  // Nothing is changed under what is on its way.
  await expect.poll(() => dialog.getByLabel("List of connections").getAttribute("readonly")).not.toBeNull();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await dialog.getByText("Stopping after this one.").waitFor();
  release();
  await dialog.getByText("Stopped. 1 imported.").waitFor();
  await dialog.getByRole("button", { name: "Import 2 connections" }).waitFor();
  expect(created).toBe(1);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("treeitem", { name: "a@one.example.com x" }).waitFor();
  expect(await page.getByRole("treeitem", { name: "a@two.example.com x" }).count()).toBe(0);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what was changed elsewhere is not written over unasked, and windows give the focus back", async () => {
  const [page, other] = [await house().open(), await house().open()];
  const edit = async (where: Page) => {
    await where.getByRole("treeitem", { name: "sample" }).click({ button: "right" });
    await where.getByRole("menuitem", { name: "Edit…" }).click();
  };
  await edit(page);
  await edit(other);
  await other.getByRole("radio", { name: "Amber" }).click();
  await other.getByRole("button", { name: "Save", exact: true }).click();
  await other.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("radio", { name: "Red" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("The connection was changed elsewhere while this window was open").waitFor();
  await expect.poll(() => page.getByRole("radio", { name: "Red" }).getAttribute("aria-checked")).toBe("true");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.locator(".ti.conn.edge-red", { hasText: "sample" }).waitFor();
  // What opened a window has the focus again, also from inside the editor.
  await expect.poll(() => page.evaluate(() => document.activeElement?.className), { timeout: PATIENCE_MS }).toBe("tree");
  await page.keyboard.press("Alt+t");
  await page.getByRole("textbox", { name: "SQL of Query 1" }).click();
  for (const keys of ["Alt+n", "Control+k", "Control+Comma"]) {
    await page.keyboard.press(keys);
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const inEditor = () => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.getAttribute("aria-label"));
    await expect.poll(inEditor, { timeout: PATIENCE_MS }).toBe("SQL of Query 1");
  }
  await page.keyboard.press("Alt+w");
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent), { timeout: PATIENCE_MS }).toMatch(/^New query/);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
  await other.context().close();
});

test("a window for a connection that is removed elsewhere keeps what was typed, and nothing of the page is dead behind it", async () => {
  const [page, other] = [await house().open(), await house().open()];
  await fillNew(other, "passing", ownFile("passing.sqlite"));
  await other.getByRole("button", { name: "Save", exact: true }).click();
  await other.getByRole("dialog").waitFor({ state: "detached" });
  const row = page.getByRole("treeitem", { name: "passing", exact: true });
  await row.click({ button: "right" });
  await page.getByRole("menuitem", { name: "Edit…" }).click();
  await page.getByLabel("Name", { exact: true }).fill("half typed");
  await other.getByRole("treeitem", { name: "passing", exact: true }).click({ button: "right" });
  await other.getByRole("menuitem", { name: "Remove…" }).click();
  await other.getByRole("button", { name: "Remove" }).click();
  await row.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "connection" }).waitFor();
  await expect.poll(() => page.getByLabel("Name", { exact: true }).inputValue()).toBe("half typed");
  // Each way out asks first.
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Alt+n");
  await page.getByRole("dialog", { name: "New connection" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
  await other.context().close();
});
