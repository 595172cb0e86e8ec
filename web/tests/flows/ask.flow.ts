import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { liftDeadline, PATIENCE_MS, typeQuery, useHouse, waitAnswering } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();

/** A page with a connection that asks for its password each time, and has it. */
async function connect(name: string): Promise<Page> {
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByRole("textbox", { name: /URL/ }).fill(postgres().url.replace("@", `:${encodeURIComponent(postgres().password)}@`));
  await page.getByText(/^Filled \d+ fields and the password$/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("radio", { name: "Ask each time" }).click();
  await page.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: "goods" }).waitFor();
  return page;
}

const sleeping = () => Number(postgres().psql("select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()"));

test("a query that runs for long keeps no other tab from running, though the password is not kept", async () => {
  postgres().psql("create table if not exists goods (id int primary key, label text)");
  const page = await connect("asks");
  await typeQuery(page, "select pg_sleep(600)");
  const title = (await page.getByRole("tab", { selected: true }).first().textContent()) ?? "";
  await liftDeadline(page);
  await page.keyboard.press("Control+Enter");
  await expect.poll(sleeping, { timeout: PATIENCE_MS }).toBe(1);
  // The tree waits for the session, and says so.
  await page.getByRole("treeitem", { name: "goods" }).click();
  await page.keyboard.press("ArrowRight");
  await page.getByText("Waiting for what runs in its session").waitFor();

  await typeQuery(page, "select 42 as answer");
  await page.keyboard.press("Control+Enter");
  const dialog = page.getByRole("dialog", { name: "Password for asks" });
  await dialog.getByText(`${title} runs on this connection's session. Type the password to open another one for this tab.`).waitFor();
  expect(await violations(page)).toEqual([]);
  // Who mistypes goes on typing.
  await page.keyboard.type("not it");
  await page.keyboard.press("Enter");
  await dialog.getByRole("alert").waitFor();
  await page.keyboard.insertText(postgres().password);
  await page.keyboard.press("Enter");
  await page.getByRole("gridcell", { name: "42", exact: true }).waitFor();
  expect(sleeping()).toBe(1);

  // The other way out leads to what runs.
  await typeQuery(page, "select 43 as answer");
  await page.keyboard.press("Control+Enter");
  await dialog.getByRole("button", { name: `Show ${title}` }).click();
  await page.getByRole("tabpanel", { name: title, exact: true }).waitFor();
  await page.getByRole("button", { name: /^Cancel/ }).click();
  await waitAnswering(page.getByRole("treeitem", { name: /^label/ }), postgres().password);
  await expect.poll(sleeping, { timeout: PATIENCE_MS }).toBe(0);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a transaction in the shared session is its tab's alone, and is ended from the palette", async () => {
  postgres().psql("create table if not exists goods (id int primary key, label text); insert into goods values (1, 'old')");
  const page = await connect("holds");
  await typeQuery(page, "begin; update goods set label = 'new' where id = 1");
  const title = (await page.getByRole("tab", { selected: true }).first().textContent()) ?? "";
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("button", { name: "Session: In transaction" }).waitFor();
  await typeQuery(page, "select label from goods");
  await page.keyboard.press("Control+Enter");
  const dialog = page.getByRole("dialog", { name: "Password for holds" });
  await dialog.getByText(`${title} has a transaction open in this connection's session.`, { exact: false }).waitFor();
  await page.keyboard.insertText(postgres().password);
  await page.keyboard.press("Enter");
  await page.getByRole("gridcell", { name: "old", exact: true }).waitFor();

  await page.getByRole("tab", { name: title, exact: true }).click();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("commit");
  await page.keyboard.press("Enter");
  await page.getByText("The transaction is committed").waitFor();
  expect(postgres().psql("select label from goods")).toBe("new");
  // A tab in a transaction is closed with a word, and leaves nothing behind in the session.
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("button", { name: "Session: In transaction" }).waitFor();
  await page.keyboard.press("Alt+w");
  const question = page.getByRole("dialog", { name: `Close ${title}` });
  await question.getByRole("button", { name: "Commit and close" }).waitFor();
  await question.getByRole("button", { name: "Roll back and close" }).click();
  await page.getByRole("tab", { name: title, exact: true }).waitFor({ state: "detached" });
  const held = "select count(*) from pg_stat_activity where state like 'idle in transaction%'";
  await expect.poll(() => postgres().psql(held), { timeout: PATIENCE_MS }).toBe("0");
  await typeQuery(page, "select 1");
  // A menu that offers what there is.
  await page.getByRole("button", { name: "Session: Leased" }).click();
  await page.getByRole("menuitemradio", { name: "A session of its own…" }).click();
  await dialog.getByText("Type the password to open a session for this tab alone.").waitFor();
  await page.keyboard.press("Escape");
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("after a reload a transaction in the shared session is still its tab's alone, whatever another one shows", async () => {
  postgres().psql("create table if not exists goods (id int primary key, label text); insert into goods values (5, 'old')");
  const page = await connect("again");
  await typeQuery(page, "select 41 as answer");
  const other = (await page.getByRole("tab", { selected: true }).first().textContent()) ?? "";
  await page.keyboard.press("Control+Enter");
  await page.getByRole("gridcell", { name: "41", exact: true }).waitFor();
  await typeQuery(page, "begin; update goods set label = 'new' where id = 5");
  const title = (await page.getByRole("tab", { selected: true }).first().textContent()) ?? "";
  await page.keyboard.press("Control+Shift+Enter");
  const inTransaction = page.getByRole("button", { name: "Session: In transaction" });
  await inTransaction.waitFor();
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await inTransaction.waitFor();

  // The other one shows what it ran before, and is offered a session of its own.
  await page.getByRole("tab", { name: other, exact: true }).click();
  await page.getByRole("gridcell", { name: "41", exact: true }).waitFor();
  await page.getByRole("button", { name: "Session: Leased" }).waitFor();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Enter");
  await page.getByRole("dialog", { name: "Password for again" }).getByText(`${title} has a transaction open in this connection's session.`, { exact: false }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: title, exact: true }).click();
  await page.getByRole("button", { name: "Commit", exact: true }).click();
  await page.getByText("The transaction is committed").waitFor();
  expect(postgres().psql("select label from goods where id = 5")).toBe("new");
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a password that was not given is asked for again where the tree says so, and the tree hears of one given elsewhere", async () => {
  postgres().psql("create table if not exists goods (id int primary key, label text)");
  const page = await connect("later");
  // A page that knows no password: the old one's session is not its own.
  const other = await house().open();
  const dialog = other.getByRole("dialog", { name: "Password for later" });
  await other.getByRole("treeitem", { name: "later" }).click();
  await dialog.waitFor();
  await other.keyboard.press("Escape");
  await other.getByText("Not connected: click to connect").click();
  await dialog.waitFor();
  await other.keyboard.press("Escape");
  await other.getByRole("treeitem", { name: "later" }).click({ button: "right" });
  await other.getByRole("menuitem", { name: "New query" }).click();
  await other.getByRole("textbox", { name: /^SQL of / }).click();
  await other.keyboard.insertText("select 7 as seven");
  await other.keyboard.press("Control+Enter");
  await dialog.waitFor();
  await other.keyboard.insertText(postgres().password);
  await other.keyboard.press("Enter");
  await other.getByRole("gridcell", { name: "7", exact: true }).waitFor();
  await other.getByRole("treeitem", { name: "goods" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await other.context().close();
  await page.context().close();
});

test("a question for a password lies over a window that is being filled in, and takes nothing of what was typed there", async () => {
  postgres().psql("create table if not exists goods (id int primary key, label text)");
  const page = await connect("over");
  const other = await house().open();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  // What is to run is known late: the question for its password comes while something else is done.
  await other.route("**/SplitScript", async (route) => {
    await held;
    await route.continue();
  });
  await other.getByRole("treeitem", { name: "over" }).click({ button: "right" });
  await other.getByRole("menuitem", { name: "New query" }).click();
  await other.getByRole("textbox", { name: /^SQL of / }).click();
  await other.keyboard.insertText("select 9 as nine");
  await other.keyboard.press("Control+Enter");
  await other.getByRole("button", { name: "New connection" }).first().click();
  const form = other.getByRole("dialog", { name: "New connection" });
  await form.getByLabel("Name", { exact: true }).fill("half typed");
  release();
  const question = other.getByRole("dialog", { name: "Password for over" });
  await question.waitFor();
  expect(await violations(other)).toEqual([]);
  await other.keyboard.insertText(postgres().password);
  await other.keyboard.press("Enter");
  await question.waitFor({ state: "detached" });
  expect(await form.getByLabel("Name", { exact: true }).inputValue()).toBe("half typed");
  // It has the focus again, and goes when it is left.
  await other.keyboard.type(" on");
  await expect.poll(() => form.getByLabel("Name", { exact: true }).inputValue(), { timeout: PATIENCE_MS }).toBe("half typed on");
  await other.keyboard.press("Escape");
  await other.getByRole("button", { name: "Discard", exact: true }).click();
  await other.getByRole("gridcell", { name: "9", exact: true }).waitFor();
  expect(house().complaints()).toEqual([]);
  await other.context().close();
  await page.context().close();
});
