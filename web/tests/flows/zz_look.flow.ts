import { test } from "vitest";
import { typeQuery, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();
const OUT = "/tmp/wo-look";

const CELLS = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 300)
select i + 48210700 as id,
  case i % 6 when 0 then null when 1 then 'Thank you for your patience' when 2 then '' when 3 then cast(x'5365f16f722050657265' as text) when 4 then printf('%.*c', 3000 + i * 7, 'x') else 'Dear Hannah,' || char(10) || 'happy birthday' end as gift_note,
  i % 3 = 0 as paid, json_object('carrier', 'Royal Mail', 'parcels', json_array(json_object('kg', i * 0.3)), 'note', 'leave at the door') as shipping,
  i * 17.25 as total, zeroblob(40 + i * 200) as label_pdf, '<b>' || i || '</b>' as markup from n`;

test("cells", async () => {
  for (const scheme of ["dark", "light"] as const) {
    const page = await house().open({ colorScheme: scheme });
    await typeQuery(page, CELLS);
    await page.keyboard.press("Control+Shift+Enter");
    await page.getByText("300 rows", { exact: true }).waitFor();
    await page.getByRole("grid").focus();
    await page.keyboard.press("ArrowRight");
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown");
    for (let i = 0; i < 2; i++) await page.keyboard.press("Shift+ArrowDown");
    await page.getByRole("radio", { name: "Cell" }).click();
    await page.waitForTimeout(600);
    await page.screenshot({ path: `${OUT}/cells-${scheme}.png` });
    await page.getByRole("grid").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Space");
    await page.waitForTimeout(1200);
    await page.screenshot({ path: `${OUT}/facts-${scheme}.png` });
    await page.keyboard.press("Escape");
    await page.getByRole("grid").focus();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("button", { name: "Filter rows" }).click();
    await page.waitForTimeout(600);
    await page.screenshot({ path: `${OUT}/json-${scheme}.png` });
    await page.setViewportSize({ width: 900, height: 800 });
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${OUT}/narrow-${scheme}.png` });
    await page.setViewportSize({ width: 400, height: 800 });
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${OUT}/phone-${scheme}.png` });
    await page.context().close();
  }
});

test("states on PostgreSQL", async () => {
  postgres().psql(`create table orders (id int8 primary key, currency char(3) not null, note text, total numeric(12,2) not null); insert into orders select i, 'EUR', case when i % 3 = 0 then null else 'n' || i end, i * 1.1 from generate_series(1, 5000) i`);
  const page = await house().open({ colorScheme: "light" });
  await page.keyboard.press("Alt+n");
  await page.getByRole("textbox", { name: /URL/ }).fill(postgres().url.replace("@", `:${encodeURIComponent(postgres().password)}@`));
  await page.getByText(/^Filled \d+ fields and the password$/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("prod-orders");
  await page.getByRole("radio", { name: "Ask each time" }).click();
  await page.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: "public" }).waitFor();
  await typeQuery(page, "SELECT o.currency,\n       sum(o.totl) AS spent\nFROM   orders o\nGROUP  BY o.currency;");
  await page.keyboard.press("Control+Enter");
  await page.getByText("does not exist").first().waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${OUT}/rejected.png` });
  const run = async (sql: string) => {
    await page.getByRole("textbox", { name: /^SQL of / }).click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(sql);
    await page.keyboard.press("Control+Shift+Enter");
  };
  await run("select id, note, total, pg_sleep(0.002) from orders");
  await page.getByText("so far").first().waitFor();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: `${OUT}/running.png` });
  postgres().psql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()");
  await page.getByText("incomplete").waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${OUT}/lost.png` });
  await run("select * from orders");
  await page.getByText("5,000 rows").first().waitFor();
  await page.waitForTimeout(800);
  await page.screenshot({ path: `${OUT}/orders.png` });
  console.log(JSON.stringify(house().complaints()));
  await page.context().close();
});
