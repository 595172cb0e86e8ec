import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { PATIENCE_MS, typeQuery, useHouse } from "./house.ts";

const house = useHouse();

const editorOf = (page: Page) => page.getByRole("textbox", { name: /^SQL of / });

/** What another browser finds. */
async function kept(): Promise<string> {
  const next = await house().open({ isNew: true });
  const found = await next.evaluate(() => sessionStorage.getItem("querybox.tabs") ?? "");
  await next.context().close();
  return found;
}

test("what is typed while Core is away is said to be unsaved, outlives a reload, and is saved in the end", async () => {
  const page = await house().open();
  await typeQuery(page, "select 'before'");
  await house().endServer();
  await page.getByRole("alert").getByText("Core does not answer").waitFor();
  await editorOf(page).click();
  await page.keyboard.press("Control+End");
  for (const word of ["-- typed", " while Core", " was away"]) {
    await page.keyboard.insertText(word);
    await page.getByText("Not saved in Core yet").waitFor();
  }
  await page.getByText(/^Looking for it again, \d+ s so far/).waitFor();
  expect(await violations(page)).toEqual([]);
  // Whoever would close the page now is asked.
  const asked = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.dismiss();
  // Nobody answers: a browser shows the page from its cache, or that there is none. The second it may do a moment after it
  // told so, in front of the next link: whoever sees that opens another link.
  await page.reload({ timeout: 30_000 }).catch(() => undefined);
  await house().startServer();
  const comesBack = () => page.goto(house().link()).then(() => true, () => false);
  await expect.poll(comesBack, { timeout: PATIENCE_MS }).toBe(true);
  await editorOf(page).getByText("-- typed while Core was away").waitFor();
  await expect.poll(kept, { timeout: 120_000 }).toContain("-- typed while Core was away");
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a page without a network waits for it, and sends nothing twice", async () => {
  const page = await house().open();
  await typeQuery(page, "select 'before'");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("gridcell", { name: "before", exact: true }).waitFor();
  // Its session has ended too.
  await page.getByRole("button", { name: "Run", exact: true }).waitFor();
  await page.context().setOffline(true);
  await editorOf(page).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText("select 'without a network'");
  await page.getByText("Not saved in Core yet").waitFor();
  const runs: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("ResultService/Run")) runs.push(request.url());
  });
  const failed = page.waitForEvent("requestfailed", { predicate: (request) => request.url().endsWith("ResultService/Run"), timeout: PATIENCE_MS });
  await page.keyboard.press("Control+Shift+Enter");
  await failed;
  await page.getByRole("alert").getByText("Core does not answer").waitFor();
  await page.context().setOffline(false);
  await page.getByRole("alert").getByText("The run did not reach Core").waitFor();
  expect(runs).toHaveLength(1);
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("gridcell", { name: "without a network", exact: true }).waitFor();
  await page.getByText("Not saved in Core yet").waitFor({ state: "detached" });
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("a Core that hangs is told as one that does not answer, and nothing is sent twice when it goes on", async () => {
  const page = await house().open();
  await typeQuery(page, "select 'hung' as word");
  const runs: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("ResultService/Run")) runs.push(request.url());
  });
  const pid = house().serverPid;
  if (pid === undefined) throw new Error("the server runs");
  process.kill(pid, "SIGSTOP");
  try {
    await page.keyboard.press("Control+Shift+Enter");
    await page.getByRole("alert").getByText("Core does not answer").waitFor({ timeout: 120_000 });
    await page.getByRole("button", { name: "Cancel", exact: true }).waitFor();
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await page.getByRole("alert").getByText("Core does not answer").waitFor({ state: "detached" });
  await page.getByRole("gridcell", { name: "hung", exact: true }).waitFor();
  expect(runs).toHaveLength(1);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what is typed just before a page is closed is kept", async () => {
  const page = await house().open();
  await typeQuery(page, "select 'the first words'");
  await editorOf(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText(" -- and the last ones");
  const closed = page.waitForEvent("close");
  // Where the first words are still on their way, the browser asks: whoever stays then may go a moment later.
  page.on("dialog", (dialog) => {
    // It may have gone meanwhile.
    dialog.dismiss().then(() => page.close({ runBeforeUnload: true })).catch(() => {});
  });
  await page.close({ runBeforeUnload: true });
  await closed;
  await expect.poll(kept, { timeout: 120_000 }).toContain("-- and the last ones");
  await page.context().close();
});

test("who closes a page with an open transaction is asked, and a reload finds it as it was", async () => {
  const page = await house().open();
  await typeQuery(page, "begin; create temp table t as select 1 as a");
  await page.getByRole("button", { name: /^Session: / }).click();
  await page.getByRole("menuitemradio", { name: /^Leased/ }).click();
  await page.getByRole("button", { name: "Session: Leased" }).waitFor();
  await editorOf(page).click();
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("button", { name: "Session: In transaction" }).waitFor();
  const asked = page.waitForEvent("dialog", { timeout: PATIENCE_MS });
  await page.close({ runBeforeUnload: true });
  await (await asked).dismiss();
  await page.getByRole("button", { name: "Session: In transaction" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Session: In transaction" }).waitFor();
  await page.getByRole("button", { name: "Roll back" }).click();
  await page.getByText("The transaction is rolled back").waitFor();
  // Then nobody is asked any more.
  const closed = page.waitForEvent("close");
  await page.close({ runBeforeUnload: true });
  await closed;
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("where the browser has no room, that is said, and a reload finds text, session and transaction again", async () => {
  const page = await house().open();
  await typeQuery(page, "select 'another'");
  await typeQuery(page, "begin; create temp table t as select 1 as a");
  await page.getByRole("button", { name: /^Session: / }).click();
  await page.getByRole("menuitemradio", { name: /^Leased/ }).click();
  await page.getByRole("button", { name: "Session: Leased" }).waitFor();
  await page.evaluate(() => {
    // Room for what names the sessions of tabs, which is short.
    sessionStorage.setItem("spare", "x".repeat(4_000));
    for (let size = 4_000_000; size > 10; size = Math.floor(size / 2)) {
      try {
        for (let part = 0; ; part++) sessionStorage.setItem(`full-${size}-${part}`, "x".repeat(size));
      } catch {
        // A smaller part may still fit.
      }
    }
    sessionStorage.removeItem("spare");
  });
  await editorOf(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText(`; -- ${"no room for it ".repeat(400)}`);
  await page.getByText("Kept by Core alone").waitFor();
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("button", { name: "Session: In transaction" }).waitFor();
  await expect.poll(kept, { timeout: 120_000 }).toContain("no room for it");
  // A page that cannot read what Core has knows of no use for its sessions yet, and ends none.
  const ended: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/CloseSession")) ended.push(request.url());
  });
  await page.route("**/*DraftService/ListDrafts", (route) => route.abort());
  const looked = page.waitForResponse((response) => response.url().endsWith("/ListSessions"), { timeout: PATIENCE_MS });
  await page.reload();
  await looked;
  await page.getByRole("alert").getByText("Core does not answer").waitFor();
  await page.unroute("**/*DraftService/ListDrafts");
  await editorOf(page).getByText("no room for it").first().waitFor();
  expect(ended).toEqual([]);
  await page.getByRole("button", { name: "Session: In transaction" }).waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
