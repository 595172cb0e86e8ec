import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();

/** Times that ten thousand names are looked through to learn how quick a machine is: about 60 ms of a quick one. */
const LOOKS = 200;
/** What a step may take of the page's thread, in times of that: a second of a quick machine. None takes a third of it. */
const COST_MAX = 16;

/** How long a page's thread worked since it was asked last. Time in which the machine gave it no processor does not count. */
async function threadClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  let before = 0;
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const now = metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
    const spent = now - before;
    before = now;
    return spent;
  };
}

test("ten thousand tables are opened, scrolled, searched and found with little work of the page's thread", async () => {
  const made = "do $$ begin for i in 1..10000 loop execute format('create table many_%s (id int)', lpad(i::text, 5, '0')); if i % 1000 = 0 then commit; end if; end loop; end $$";
  postgres().psql(made);
  const page = await house().open();
  const spent = await threadClock(page);
  await spent();
  await page.evaluate((looks) => {
    const names = Array.from({ length: 10_000 }, (_, at) => `MANY_${at}`);
    for (let look = 0; look < looks; look++) names.filter((name) => name.toLowerCase().includes(`y_0999${look}`));
  }, LOOKS);
  const unit = await spent();
  const costs: Record<string, number> = {};
  const step = async (name: string) => (costs[name] = (await spent()) / unit);
  await page.keyboard.press("Alt+n");
  await page.getByLabel("Paste a URL or DSN").fill(postgres().url);
  await page.getByText(/^Filled/).waitFor();
  await page.getByLabel("Password", { exact: true }).fill(postgres().password);
  await page.getByRole("button", { name: "Save and open" }).click();
  const row = (name: string) => page.getByRole("treeitem", { name: new RegExp(`^${name}\\b`) });
  await row("many_00001").waitFor();
  await page.getByRole("treeitem", { name: /^Tables\s*10,000$/ }).waitFor();
  await step("open");

  const tree = page.getByRole("tree");
  const drawn = () => page.getByRole("treeitem").count();
  await tree.hover();
  for (let turn = 0; turn < 20; turn++) {
    await page.mouse.wheel(0, 4_000);
    expect(await drawn()).toBeLessThan(120);
  }
  await step("scroll");
  await tree.focus();
  await page.keyboard.press("End");
  await row("many_10000").waitFor();
  await page.keyboard.press("Home");
  await step("ends");
  await row("many_00001").click({ button: "right" });
  const read = page.waitForResponse((answer) => answer.url().endsWith("/GetSchema"));
  await page.getByRole("menuitem", { name: "Refresh" }).click();
  await (await read).finished();
  await step("refresh");

  await page.keyboard.press("Control+p");
  await page.keyboard.type("MANY_0999");
  await row("many_09991").waitFor();
  await row("many_00001").waitFor({ state: "detached" });
  expect(await page.getByRole("treeitem", { name: /^many_/ }).count()).toBe(10);
  await page.keyboard.press("Escape");
  await row("many_00001").waitFor();
  await step("search");

  await page.keyboard.press("Control+k");
  await page.keyboard.type("many_04242");
  await page.getByRole("option", { name: /^many_04242/ }).waitFor();
  expect(await page.getByRole("option").count()).toBeLessThan(200);
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "many_04242", exact: true, selected: true }).waitFor();
  await row("many_04242").and(page.locator('[aria-selected="true"]')).waitFor();
  await step("palette");
  await page.keyboard.press("Alt+w");
  await page.getByRole("tab", { name: "many_04242", exact: true }).waitFor({ state: "detached" });
  expect(Object.entries(costs).filter(([, cost]) => !(cost < COST_MAX)), JSON.stringify(costs)).toEqual([]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
}, 900_000);
