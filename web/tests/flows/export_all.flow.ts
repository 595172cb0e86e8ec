import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Download, Page } from "playwright-core";
import { expect, test } from "vitest";
import { useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();

const ROWS = 250_000;

/** A page with a PostgreSQL's tables in its tree, one of them longer than what a table opens with. */
async function withTables(): Promise<Page> {
  postgres().psql(
    `drop table if exists many;
     create table many (id int primary key, even bool, note text);
     insert into many select i, i % 2 = 0, 'note, ' || i from generate_series(1, ${ROWS}) i; analyze many`,
  );
  const page = await house().open({ acceptDownloads: true });
  await page.keyboard.press("Alt+n");
  await page.getByRole("textbox", { name: /URL/ }).fill(postgres().url);
  await page.getByText(/^Filled/).waitFor();
  await page.getByLabel("Password", { exact: true }).fill(postgres().password);
  await page.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: /^many/ }).dblclick();
  await page.getByText("first 100,000 of more: limit").waitFor();
  return page;
}

/** The lines of a file, and what is wrong with it. */
async function read(download: Download): Promise<{ readonly head: string; readonly ids: readonly number[]; readonly last: string }> {
  expect(await download.failure()).toBeNull();
  const lines = createInterface({ input: createReadStream(await download.path()) });
  const ids: number[] = [];
  let [head, last] = ["", ""];
  for await (const line of lines) {
    if (head === "") head = line;
    else {
      ids.push(Number.parseInt(line, 10));
      last = line;
    }
  }
  return { head, ids, last };
}

/** Presses the button below rows that were cut by the limit, and saves what comes of it. */
async function exportEveryRow(page: Page, name: string): Promise<Awaited<ReturnType<typeof read>>> {
  await page.getByRole("button", { name: "Export every row…" }).click();
  const dialog = page.getByRole("dialog", { name: "Export rows" });
  await dialog.getByLabel("File name").fill(name);
  await dialog.getByText(/^(Every row, [\d,]+ so far|250,000 rows)$/).waitFor();
  const coming = page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Download" }).click();
  return read(await coming);
}

test("every row is exported of a table of which only the first ones were fetched", async () => {
  const page = await withTables();
  const { head, ids, last } = await exportEveryRow(page, "many");
  expect(head).toBe("id,even,note");
  expect(ids).toHaveLength(Number(postgres().psql("select count(*) from many")));
  expect(new Set(ids).size).toBe(ROWS);
  expect(last).toMatch(/^\d+,[tf],"note, \d+"$/);
  // The grid has them all as well.
  await page.getByText("250,000 rows", { exact: true }).waitFor();
  // Also where a filter shows some of them, which stays.
  await page.getByRole("treeitem", { name: /^many/ }).dblclick();
  await page.getByText("first 100,000 of more: limit").waitFor();
  await page.keyboard.press("Control+Shift+f");
  await page.getByRole("textbox", { name: "Filter" }).fill("id <= 60000");
  await page.keyboard.press("Enter");
  await page.getByText("60,000 of the first 100,000 of more: limit").waitFor();
  expect((await exportEveryRow(page, "again")).ids).toHaveLength(ROWS);
  await page.getByText("60,000 of 250,000 rows").waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
