import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { type House, PATIENCE_MS } from "../flows/house.ts";
import type { Postgres } from "../flows/postgres.ts";
import { LINK_SPENT, type Stage, type State, STATES } from "./states.ts";

/** Gives a page another size, and returns once it has done what comes of that: it tells what listens before it draws. */
export async function resize(page: Page, width: number, height = 900): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.waitForFunction((wished) => innerWidth === wished, width);
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
}

/** Opens again what a narrow page has closed. */
export async function widen({ page }: Stage): Promise<void> {
  // A window that stands over the page keeps clicks from what is behind it.
  await page.evaluate(() => {
    if (document.querySelector(".app.wide") !== null) document.querySelector<HTMLElement>('.strip-side[aria-label="Show or hide the sidebar"]')?.click();
    document.querySelector<HTMLElement>('button[aria-label="Inspector"][aria-pressed="false"]')?.click();
  });
}

/** Whoever cannot get there shows where it is instead. */
async function reached(stage: Stage, state: State): Promise<void> {
  try {
    await state.reach(stage);
  } catch (error) {
    const folder = process.env.QUERYBOX_PICTURES_TO;
    if (folder !== undefined) await stage.page.screenshot({ path: join(folder, `${state.name}-not-reached.png`) });
    throw error;
  }
}

/** Brings a new home's page to each state in turn, and shows it there. */
export async function walk(house: House, postgres: Postgres, show: (stage: Stage, state: State) => Promise<void>): Promise<void> {
  house.command(["connections", "remove", "sample"]);
  const stage = { page: await house.open(), house, postgres };
  for (const state of STATES) {
    await reached(stage, state);
    // What was said meanwhile is no part of it.
    const toasts = stage.page.locator(".toast .btn");
    const close = async () => {
      // It may go by itself meanwhile.
      if ((await toasts.count()) > 0) await toasts.first().click({ timeout: 1_000 }).catch(() => {});
      return toasts.count();
    };
    await expect.poll(close, { timeout: PATIENCE_MS }).toBe(0);
    await show(stage, state);
    await state.leave?.(stage);
  }
  await stage.page.context().close();
  const outside = { ...stage, page: await house.open({ link: `${house.url}/#code=spent` }) };
  await LINK_SPENT.reach(outside);
  await show(outside, LINK_SPENT);
  await outside.page.context().close();
}
