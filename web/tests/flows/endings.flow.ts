import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { liftDeadline, ROWS_SO_FAR, runInstead, typeQuery, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse({ hasVault: true });
const postgres = usePostgres();

const SLOW = "select i, pg_sleep(0.01) from generate_series(1, 100000) i";

/** A tab on the PostgreSQL, which is connected first. Where its password is kept, no run depends on the session of another. */
async function openOwn(place: "Vault" | "Ask each time" = "Ask each time"): Promise<Page> {
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByRole("textbox", { name: /URL/ }).fill(postgres().url.replace("@", `:${encodeURIComponent(postgres().password)}@`));
  await page.getByText(/^Filled \d+ fields and the password$/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill(`own ${Math.random()}`);
  await page.getByRole("radio", { name: place }).click();
  await page.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: "public" }).waitFor();
  await typeQuery(page, "");
  return page;
}

test("columns say their keys, whether they may be NULL, and where they come from", async () => {
  postgres().psql(`create table "Order Items" (id int8 primary key, note text, took interval not null); insert into "Order Items" values (1, null, '1 day')`);
  const page = await openOwn();
  await runInstead(page, `select id as number, note, took from "Order Items"`);
  await page.getByRole("columnheader", { name: /^number bigint primary key, not null, of public\.Order Items\.id$/ }).waitFor();
  await page.getByRole("columnheader", { name: /^note text may be NULL, of/ }).waitFor();
  await page.getByRole("columnheader", { name: /^took interval not null, of .*$/ }).waitFor();
  await page.getByText("1 row", { exact: true }).waitFor();
  await page.getByRole("grid").focus();
  await page.keyboard.press("Control+a");
  await page.getByRole("button", { name: "Copy as" }).click();
  await page.getByRole("menuitem", { name: "INSERT", exact: true }).click();
  await page.getByText("3 cells are copied").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`INSERT INTO "public"."Order Items" ("id", "note", "took") VALUES\n  (1, NULL, '1 day');\n`);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what was rejected is told with its condition, and one key leads to its place", async () => {
  const page = await openOwn();
  await runInstead(page, "SELECT 1,\n       sum(o.totl) AS spent\nFROM (SELECT 1 AS total) o");
  const alert = page.getByRole("alert");
  await alert.getByText("42703 undefined_column").waitFor();
  await alert.getByText("line 2, column 12").waitFor();
  await page.getByText(/^rejected after /).waitFor();
  await page.getByRole("grid").or(page.locator("body")).first().press("F8");
  await page.keyboard.type("x");
  await expect.poll(() => page.getByRole("textbox", { name: /^SQL of / }).innerText(), { timeout: 60_000 }).toContain("sum(xo.totl)");
  await page.context().close();
});

test("a run that is cancelled or out of time says which, and keeps its rows", async () => {
  const page = await openOwn("Vault");
  await runInstead(page, SLOW);
  await page.getByText(ROWS_SO_FAR).waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  const bar = page.locator(".note-bar");
  await bar.getByText(/^Cancelled after /).waitFor();
  await bar.getByText(/ had arrived and are kept\.$/).waitFor();
  await page.getByText(/rows, incomplete$/).waitFor();
  expect(await page.getByRole("tab", { name: "Rejected" }).count()).toBe(0);
  expect(await violations(page), "cancelled").toEqual([]);

  await page.getByRole("button", { name: /^Deadline/ }).click();
  await page.getByRole("menuitemradio", { name: "10 s" }).click();
  await runInstead(page, SLOW);
  // Not before its time; how long after it is the machine's affair.
  await bar.getByText(/^Stopped by the deadline after [1-9]\d/).waitFor();
  await page.getByText(/rows, incomplete$/).waitFor();
  expect(await violations(page), "out of time").toEqual([]);
  await page.getByRole("tab", { name: /^Messages/ }).click();
  await expect.poll(() => page.getByRole("log", { name: "Messages" }).getByText("Stopped by the deadline").count()).toBe(1);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a run that is cut off from its server says so and keeps its rows, and is run again by whoever gives the password", async () => {
  const page = await openOwn();
  const bar = page.locator(".note-bar");
  await liftDeadline(page);
  await runInstead(page, SLOW);
  await page.getByText(ROWS_SO_FAR).waitFor();
  postgres().psql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()");
  await bar.getByText("The server closed the connection").waitFor();
  await bar.getByText("terminating connection due to administrator command").waitFor();
  await bar.getByText("57P01").waitFor();
  await bar.getByText(/ had arrived and are kept\. The statement was not sent again\.$/).waitFor();
  await page.getByText(/rows, incomplete$/).waitFor();
  expect(await violations(page), "cut off").toEqual([]);
  await bar.getByRole("button", { name: "Connect and run again" }).click();
  await page.getByRole("dialog", { name: /^Password for / }).getByLabel("Password", { exact: true }).fill(postgres().password);
  await page.keyboard.press("Enter");
  await page.getByText(ROWS_SO_FAR).waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await bar.getByText(/^Cancelled after /).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
