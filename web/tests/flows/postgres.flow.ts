import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { typeQuery, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();

/** Text of the kind that would be markup if anything took it for that. */
const EVIL = `<img src=x onerror="document.title='evil'">`;

test("from a URL to sorted and filtered rows of a PostgreSQL, with a transaction on the way", async () => {
  const literal = EVIL.replaceAll("'", "''");
  postgres().psql(
    `create table "${EVIL.replaceAll('"', '""')}" (id int primary key, "${EVIL.replaceAll('"', '""')}" text, total numeric(12,2), doc jsonb);
     insert into "${EVIL.replaceAll('"', '""')}" select i, '${literal}' || i, i * 1.10, jsonb_build_object('i', i, 'h', '${literal}') from generate_series(1, 2000) i;
     comment on table "${EVIL.replaceAll('"', '""')}" is '${literal}'`,
  );
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByRole("textbox", { name: /URL/ }).fill(postgres().url.replace("@", `:${encodeURIComponent(postgres().password)}@`));
  await page.getByText(/^Filled \d+ fields and the password$/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("own");
  await page.getByRole("radio", { name: "Ask each time" }).click();
  await page.getByRole("button", { name: "Save and open" }).click();
  const giveItsPassword = async () => {
    await page.getByRole("dialog", { name: "Password for own" }).getByLabel("Password", { exact: true }).fill(postgres().password);
    await page.keyboard.press("Enter");
  };
  // What was just typed is not asked for again.
  await page.getByRole("treeitem", { name: "public" }).waitFor();
  await page.getByRole("treeitem", { name: EVIL }).waitFor();
  expect(await violations(page)).toEqual([]);

  const run = async (sql: string) => {
    await page.getByRole("textbox", { name: /^SQL of / }).click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(sql);
    await page.keyboard.press("Control+Shift+Enter");
  };
  const table = `"${EVIL.replaceAll('"', '""')}"`;
  await typeQuery(page, "");
  await run(`select * from ${table} order by id`);
  await page.getByText("2,000 rows", { exact: true }).waitFor();
  const total = page.getByRole("columnheader", { name: /^total/ });
  await total.hover();
  await total.locator(".sort").click();
  await expect.poll(() => total.getAttribute("aria-sort"), { timeout: 60_000 }).toBe("ascending");
  await page.keyboard.press("Control+Shift+f");
  await page.getByRole("textbox", { name: "Filter" }).fill("total > 2189.005 and id in (1, 1990, 2000)");
  await page.keyboard.press("Enter");
  await page.getByText("1 of 2,000 rows").waitFor();
  await page.getByRole("gridcell", { name: "2200.00", exact: true }).waitFor();

  await run("begin; update " + table + " set total = 0 where id = 1; select count(*) as changed from " + table + " where total = 0");
  await page.getByRole("button", { name: "Commit" }).click();
  await page.getByText("The transaction is committed").waitFor();
  expect(postgres().psql(`select count(*) from ${table} where total = 0`)).toBe("1");

  await run("select i from generate_series(1, 20000) i; select pg_terminate_backend(pg_backend_pid())");
  await page.getByRole("alert").first().waitFor();
  await page.getByRole("tab", { name: "Result 1" }).click();
  await page.getByText("20,000 rows", { exact: true }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Session: No session" }).waitFor();

  await run(`do $$ begin raise notice '${literal}'; end $$; select totl from ${table}`);
  // The password went with the session that was lost.
  await giveItsPassword();
  await page.getByRole("alert").getByText('column "totl" does not exist').waitFor();
  await page.getByText("42703").waitFor();
  await page.getByRole("tab", { name: /^Messages/ }).click();
  await page.getByText(EVIL, { exact: false }).first().waitFor();
  expect(await page.title()).not.toBe("evil");
  expect(await page.locator("img[src]").count()).toBe(0);
  expect(await violations(page)).toEqual([]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a head has the color of its type's family, and types of the database's users have one of their own", async () => {
  postgres().psql("create type order_status as enum ('new', 'paid'); create type pair as (a int, b int)");
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByRole("textbox", { name: /URL/ }).fill(postgres().url);
  await page.getByText(/^Filled/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("types");
  await page.getByLabel("Password", { exact: true }).fill(postgres().password);
  await page.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: "public" }).waitFor();
  await typeQuery(page, "select 'paid'::order_status as status, row(1, 2)::pair as pair, 'x' as note, 1 as number, interval '1 day' as took, now() as at");
  await page.keyboard.press("Control+Enter");
  await page.getByText("1 row", { exact: true }).waitFor();
  const colorOf = (name: string) => page.getByRole("columnheader", { name: new RegExp(`^${name}`) }).locator(".tp").evaluate((type) => getComputedStyle(type).color);
  const [status, pair, note, number, took, at] = await Promise.all(["status", "pair", "note", "number", "took", "at"].map(colorOf));
  expect([pair, took]).toEqual([status, at]);
  expect(new Set([status, note, number, at]).size).toBe(4);
  await page.context().close();
});
