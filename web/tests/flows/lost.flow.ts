import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { liftDeadline, STOPPED, typeQuery, useHouse } from "./house.ts";

const house = useHouse();

/** Runs until it is stopped. */
const ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as never from n";

test("what is typed outlives the browser, and what ran is found running by the next one", async () => {
  const first = await house().open({ isNew: true });
  await typeQuery(first, ENDLESS);
  await liftDeadline(first);
  await first.keyboard.press("Control+Enter");
  await first.getByRole("status", { name: "What runs" }).getByText("no limit").waitFor();
  // It is kept soon after the last key: a browser that comes later than that finds it, running.
  await expect
    .poll(
      async () => {
        const second = await house().open({ isNew: true });
        const found = await second.evaluate(() => sessionStorage.getItem("querybox.tabs") ?? "");
        await second.context().close();
        return found.includes("resultId") && found.includes("union all");
      },
      { timeout: 120_000 },
    )
    .toBe(true);
  await house().killBrowser();
  const next = await house().open({ isNew: true });
  await next.getByRole("textbox", { name: /^SQL of / }).getByText("union all").waitFor();
  await next.getByRole("button", { name: "Cancel", exact: true }).waitFor();
  await next.getByRole("button", { name: "Cancel", exact: true }).click();
  await next.getByText(STOPPED).waitFor();
  expect(house().complaints()).toEqual([]);
  await next.context().close();
});

test("what is typed outlives Core, and what ran in it is told as lost", async () => {
  const page = await house().open();
  await typeQuery(page, `${ENDLESS};\n-- typed to the end`);
  await page.keyboard.press("Control+Home");
  await liftDeadline(page);
  await page.keyboard.press("Control+Enter");
  await page.getByRole("status", { name: "What runs" }).getByText("no limit").waitFor();
  await house().killServer();
  // The new Core lets in nobody by what the old one gave out.
  await page.getByRole("heading", { name: "A new link is needed" }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByLabel("New link").fill("http://nothing/");
  await page.keyboard.press("Enter");
  await page.getByText("This is no link with a code").waitFor();
  await page.getByLabel("New link").fill("http://elsewhere.example/#code=abc");
  await page.keyboard.press("Enter");
  await page.getByText("This link leads to http://elsewhere.example").waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByLabel("New link").fill(house().link());
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: /^SQL of / }).getByText("-- typed to the end").waitFor();
  await page.getByRole("alert").getByText("What ran here was lost").waitFor();
  expect(await violations(page)).toEqual([]);
  // Also after another reload, until something else is run there.
  await page.reload();
  await page.getByRole("alert").getByText("What ran here was lost").waitFor();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText("select 7 as seven");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("gridcell", { name: "7", exact: true }).waitFor();
  await page.getByText("What ran here was lost").waitFor({ state: "detached" });
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
