import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { type House, openTab, PATIENCE_MS, STOPPED } from "../flows/house.ts";
import type { Postgres } from "../flows/postgres.ts";
import { openShop } from "./shop.ts";

export interface Stage {
  readonly page: Page;
  readonly house: House;
  readonly postgres: Postgres;
}

/** Something that people see. Each begins where the one before it has ended. */
export interface State {
  readonly name: string;
  readonly reach: (stage: Stage) => Promise<void>;
  /** Opens again what closes when the page becomes wider or narrower. */
  readonly again?: (stage: Stage) => Promise<void>;
  readonly leave?: (stage: Stage) => Promise<void>;
}

export const TO_SHIP = `-- Paid but not shipped: what the warehouse still has to send
SELECT o.id, o.number, c.name AS customer, o.status, o.total,
       o.currency AS cur, o.placed_at, o.coupon, o.shipping
FROM   orders o
JOIN   customers c ON c.id = o.customer_id
WHERE  o.placed_at >= :since AND o.total >= :min_total AND o.status IN ('paid', 'packed')
ORDER  BY o.placed_at DESC;

SELECT currency, count(*), sum(total) FROM orders WHERE placed_at >= :since GROUP BY 1;`;
const LIMITED = "SELECT id, kind, at FROM order_events;";
const SLOW = "SELECT id, status, total, pg_sleep(0.002) IS NULL AS late\nFROM   orders\nWHERE  placed_at < '2025-12-01';";
const LOST = "SELECT o.id, o.gift_note AS note, o.total FROM orders o\nUNION ALL\nSELECT 1, 'never', 0 FROM pg_sleep(600);";
const NOTICES = "DO $$ BEGIN RAISE NOTICE 'looking at 36,020 orders'; RAISE WARNING 'coupon HELLO10 ends soon'; END $$;\nSELECT count(*) FROM orders;\nSELECT count(*) FROM refunds;";
const SCRIPTS = "SELECT * FROM (VALUES ('한국어', '김민지'), ('日本語', '佐藤 葵'), ('中文', '王小明'), ('हिन्दी', 'प्रिया शर्मा'), ('العربية', 'ليلى حداد'), ('עברית', 'נועה כהן'), ('ไทย', 'สมชาย ใจดี'), ('ქართული', 'ნინო'), ('emoji', '📦 🚚 👩🏽‍💻 🇵🇱')) AS t(language, name);";

/** Opens a tab of a connection and types into it. */
async function write({ page }: Stage, connection: string, sql: string): Promise<void> {
  const editor = await openTab(page);
  const choice = page.getByRole("button", { name: /^Connection: / });
  await choice.click();
  await page.getByRole("menuitemradio", { name: connection, exact: true }).click();
  await editor.click();
  await page.keyboard.insertText(sql);
}

async function closeTab({ page }: Stage): Promise<void> {
  await page.keyboard.press("Alt+w");
}

async function escape({ page }: Stage): Promise<void> {
  await page.keyboard.press("Escape");
  // What was typed is not thrown away unasked.
  const discard = page.getByRole("button", { name: "Discard", exact: true });
  await expect.poll(async () => (await discard.count()) > 0 || (await page.getByRole("dialog").count()) === 0, { timeout: PATIENCE_MS }).toBe(true);
  if ((await discard.count()) > 0) await discard.click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

const cell = (page: Page, row: number, column: number) => page.locator(`[role=row][aria-rowindex="${row + 1}"] [role=gridcell]`).nth(column);

/** Opens the window of a new connection and fills it by a URL. */
async function fillUrl({ page, postgres }: Stage, url = postgres.url.replace(/[^/]+$/, "orders?sslmode=disable")): Promise<void> {
  await page.getByRole("textbox", { name: /URL/ }).fill(url);
  await page.getByText(/^Filled \d fields$/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("prod-replica");
  await page.getByRole("radio", { name: "Red" }).click();
}

async function testWith({ page }: Stage, password: string): Promise<void> {
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: /^Test/ }).click();
}

/** All of them, but those that need a server of their own. */
export const STATES: readonly State[] = [
  { name: "no-connection", reach: async ({ page }) => page.getByRole("heading", { name: "Open a connection" }).waitFor() },
  {
    name: "no-tab",
    reach: async ({ page, house, postgres }) => {
      house.command(["connections", "add", "sample", "--driver", "sqlite", "--param", `file=${join(house.home, "files", "sample.sqlite")}`]);
      openShop(house, postgres);
      await page.reload();
      await page.getByRole("treeitem", { name: "staging-orders" }).waitFor();
    },
  },
  {
    name: "connect-empty",
    reach: async ({ page }) => {
      await page.keyboard.press("Alt+n");
      await page.getByRole("dialog", { name: "New connection" }).waitFor();
    },
  },
  { name: "connect-filled", reach: fillUrl.bind(undefined) as (stage: Stage) => Promise<void> },
  {
    name: "connect-refused",
    reach: async (stage) => {
      await testWith(stage, "guess");
      await stage.page.getByText("Failed at log in").waitFor();
    },
  },
  {
    name: "connect-passed",
    reach: async (stage) => {
      await testWith(stage, stage.postgres.password);
      await stage.page.getByText("Connected").waitFor();
    },
  },
  {
    name: "connect-unreached",
    reach: async (stage) => {
      // Nobody listens there: it is no port that programs get.
      await fillUrl(stage, "postgresql://report_ro@127.0.0.1:1/orders?sslmode=disable");
      await testWith(stage, "guess");
      await stage.page.getByText("Failed at dial").waitFor();
    },
    leave: escape,
  },
  {
    name: "import",
    reach: async ({ page }) => {
      await page.keyboard.press("Control+k");
      await page.keyboard.insertText("import conn");
      await page.keyboard.press("Enter");
      await page
        .getByLabel("List of connections")
        .fill("postgres://ada@db.example.com/shop\ndb2.example.com:5432:books:eve:secret\n[reports]\nhost=db3.example.com\nnot a line at all");
      await page.getByText("ada@db.example.com shop", { exact: true }).waitFor();
    },
    leave: escape,
  },
  {
    name: "workbench",
    reach: async (stage) => {
      const { page } = stage;
      await page.getByRole("treeitem", { name: "prod-orders" }).click();
      const orders = page.getByRole("treeitem", { name: /^orders\b/ });
      await orders.waitFor();
      await orders.locator(".tw").click();
      await page.getByRole("treeitem", { name: /^customer_id/ }).waitFor();
      await write(stage, "dev", "SELECT 1");
      await write(stage, "staging-orders", "SELECT 1");
      await write(stage, "prod-orders", TO_SHIP);
      await page.keyboard.press("Control+Home");
      for (let line = 1; line < 6; line++) await page.keyboard.press("ArrowDown");
      await page.keyboard.press("End");
      await page.getByLabel("Value of :since").fill("2025-11-01 00:00+00");
      await page.getByLabel("Value of :min_total").fill("15.00");
      await page.keyboard.press("Enter");
      await page.getByRole("status").getByText(/^\d+,\d+$/).waitFor();
      await cell(page, 3, 4).click();
      await cell(page, 8, 4).click({ modifiers: ["Shift"] });
      await page.getByRole("complementary", { name: "Inspector" }).getByText("SO-118197").waitFor();
      await page.getByRole("contentinfo").getByText("sum 4137.80").waitFor();
    },
  },
  {
    name: "tree-menu",
    reach: (stage) => openTreeMenu(stage),
    again: (stage) => openTreeMenu(stage),
    leave: async ({ page }) => page.keyboard.press("Escape"),
  },
  {
    name: "palette",
    reach: async ({ page }) => {
      await page.keyboard.press("Control+k");
      await page.keyboard.insertText("ex");
      await page.getByRole("option", { name: /export_jobs/ }).waitFor();
    },
    leave: escape,
  },
  {
    name: "filtered",
    reach: async ({ page }) => {
      const total = page.getByRole("columnheader", { name: /^total/ });
      await total.hover();
      await total.locator(".sort").click();
      await page.keyboard.press("Control+Shift+f");
      await page.getByRole("textbox", { name: "Filter", exact: true }).fill("total between 40 and 60 and coupon is null");
      await page.keyboard.press("Enter");
      await page.getByText(/ of \d+,\d+ rows/).waitFor();
    },
  },
  {
    name: "nothing-left",
    reach: async ({ page }) => {
      await page.getByRole("textbox", { name: "Filter", exact: true }).fill("total < 0");
      await page.keyboard.press("Enter");
      await page.locator(".count", { hasText: /^\s*0\s+of / }).waitFor();
    },
    leave: async ({ page }) => {
      await page.getByRole("textbox", { name: "Filter", exact: true }).fill("");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Escape");
    },
  },
  {
    name: "export",
    reach: async ({ page }) => {
      await page.keyboard.press("Control+Shift+e");
      await page.getByRole("dialog", { name: "Export rows" }).waitFor();
    },
    leave: escape,
  },
  {
    name: "settings",
    reach: async ({ page }) => {
      await page.keyboard.press("Control+Comma");
      await page.getByRole("dialog", { name: "Settings" }).waitFor();
    },
  },
  {
    name: "shortcuts",
    reach: async ({ page }) => {
      await page.locator(".settings-body").evaluate((body) => body.scrollTo(0, body.scrollHeight));
    },
    leave: escape,
  },
  {
    name: "two-panels",
    reach: async ({ page }) => {
      await page.keyboard.press("Control+Backslash");
      await page.getByRole("region", { name: "Right panel" }).waitFor();
    },
    leave: async ({ page }) => {
      await page.keyboard.press("Control+Backslash");
      await page.getByRole("region", { name: "Right panel" }).waitFor({ state: "detached" });
    },
  },
  {
    name: "refused",
    reach: async (stage) => {
      await write(stage, "prod-orders", "SELECT o.currency,\n       sum(o.totl) AS spent\nFROM   orders o\nGROUP  BY o.currency;");
      await stage.page.keyboard.press("Control+Enter");
      await stage.page.getByText("42703").waitFor();
    },
    leave: closeTab,
  },
  {
    name: "running",
    reach: async (stage) => {
      await write(stage, "prod-orders", SLOW);
      await stage.page.keyboard.press("Control+Enter");
      await stage.page.getByText("rows so far").waitFor();
      await stage.page.getByRole("gridcell").first().waitFor();
    },
    leave: async (stage) => {
      await stage.page.getByRole("button", { name: "Cancel", exact: true }).click();
      await stage.page.getByText(STOPPED).first().waitFor();
    },
  },
  { name: "cancelled", reach: async ({ page }) => page.getByRole("button", { name: "Run", exact: true }).waitFor(), leave: closeTab },
  {
    name: "limit",
    reach: async (stage) => {
      await write(stage, "dev", LIMITED);
      await stage.page.keyboard.press("Control+Enter");
      await stage.page.getByText("100,000 rows, then the limit.").waitFor();
      await stage.page.keyboard.press("Control+ArrowDown");
      await stage.page.keyboard.press("Control+End");
    },
    leave: closeTab,
  },
  {
    name: "messages",
    reach: async (stage) => {
      await write(stage, "dev", NOTICES);
      await stage.page.keyboard.press("Control+Shift+Enter");
      await stage.page.getByRole("tab", { name: /^Messages/ }).click();
      await stage.page.getByRole("log").getByText("coupon HELLO10 ends soon").waitFor();
    },
    leave: closeTab,
  },
  {
    name: "no-rows",
    reach: async (stage) => {
      await write(stage, "dev", "SELECT id, number, total FROM orders WHERE total < 0;");
      await stage.page.keyboard.press("Control+Enter");
      await stage.page.getByRole("columnheader", { name: /^number/ }).waitFor();
    },
    leave: closeTab,
  },
  {
    name: "scripts",
    reach: async (stage) => {
      await write(stage, "dev", SCRIPTS);
      await stage.page.keyboard.press("Control+Enter");
      await stage.page.getByRole("gridcell", { name: "김민지" }).waitFor();
    },
    leave: closeTab,
  },
  {
    name: "cells",
    reach: async (stage) => {
      const { page } = stage;
      await write(stage, "staging-orders", "BEGIN;\nSELECT * FROM orders ORDER BY placed_at DESC;");
      await page.getByRole("button", { name: /^Session: / }).click();
      await page.getByRole("menuitemradio", { name: /^Leased/ }).click();
      await page.getByRole("button", { name: "Session: Leased" }).waitFor();
      await page.keyboard.press("Control+Shift+Enter");
      await page.getByRole("tab", { name: /^Result/ }).first().click();
      await page.getByRole("button", { name: "Commit" }).waitFor();
      await cell(page, 2, 1).click();
      await cell(page, 6, 1).click({ modifiers: ["Shift"] });
      await cell(page, 3, 1).click();
      await page.getByRole("radio", { name: "Cell", exact: true }).click();
      await page.getByText("Dear Hannah").first().waitFor();
    },
  },
  { name: "column", reach: (stage) => openColumn(stage), again: (stage) => openColumn(stage), leave: async ({ page }) => page.keyboard.press("Escape") },
  {
    name: "careful",
    reach: async (stage) => {
      await stage.page.getByRole("textbox", { name: /^SQL of / }).click();
      await stage.page.keyboard.press("Control+a");
      await stage.page.keyboard.press("Delete");
      await stage.page.keyboard.insertText("UPDATE orders SET paid = true");
      await stage.page.keyboard.press("Control+Enter");
      await stage.page.getByRole("dialog").waitFor();
    },
    leave: async (stage) => {
      await escape(stage);
      await stage.page.getByRole("button", { name: "Roll back" }).click();
      await stage.page.getByText("The transaction is rolled back").waitFor();
    },
  },
  {
    name: "lost",
    reach: async (stage) => {
      const { page, postgres } = stage;
      await write(stage, "staging-orders", LOST);
      await page.keyboard.press("Control+Enter");
      await page.getByText("rows so far").waitFor();
      postgres.psql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()");
      await page.getByText("terminating connection due to administrator command").first().waitFor();
    },
    leave: closeTab,
  },
  {
    name: "core-away",
    reach: async ({ page }) => {
      await page.context().setOffline(true);
      await page.getByText("Core does not answer").first().waitFor();
    },
    leave: async ({ page }) => page.context().setOffline(false),
  },
];

/** A page that nobody lets in. */
export const LINK_SPENT: State = { name: "link-spent", reach: async ({ page }) => page.getByRole("heading", { name: "A new link is needed" }).waitFor() };

async function openTreeMenu({ page }: Stage): Promise<void> {
  const drawer = page.getByRole("button", { name: "Show or hide the sidebar" }).first();
  if (!(await page.getByRole("tree").isVisible())) await drawer.click();
  await page.getByRole("treeitem", { name: /^orders\b/ }).click({ button: "right" });
  await page.getByRole("menu").waitFor();
}

async function openColumn({ page }: Stage): Promise<void> {
  if ((await page.getByRole("dialog").count()) > 0) return;
  await page.getByRole("columnheader", { name: /^total/ }).click({ button: "right" });
  await page.getByRole("dialog", { name: "Column total" }).getByText("Sum").waitFor();
}
