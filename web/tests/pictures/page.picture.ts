import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { useHouse } from "../flows/house.ts";
import { usePostgres } from "../flows/postgres.ts";
import { smaller } from "./smaller.ts";
import type { Stage, State } from "./states.ts";
import { resize, walk, widen } from "./walk.ts";

const house = useHouse({ hasVault: true });
const postgres = usePostgres();

const ROOT = resolve(import.meta.dirname, "../../..");
/** All of them are for looking at; git ignores them. */
const FOLDER = process.env.QUERYBOX_PICTURES_TO ?? join(ROOT, "target/pictures");
/** The few that are shown in the documentation, by the name of their state. */
const SHOWN = new Set(["workbench", "cells", "column", "connect-refused", "refused", "running", "palette"]);

const THEMES = ["light", "dark"] as const;
const WIDTHS = [1440, 900, 400] as const;
/** The least that a page is made for. */
const LEAST = 360;

async function settled({ page }: Stage): Promise<void> {
  await page.waitForFunction(() => document.getAnimations().every((animation) => animation.playState !== "running" || animation.effect?.getTiming().iterations === Infinity));
  await page.evaluate(() => document.fonts.ready);
}

test("each state of the page in pictures", async () => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const tooWide: string[] = [];
  const show = async (stage: Stage, { name, again }: State) => {
    const { page } = stage;
    for (const width of WIDTHS) {
      await resize(page, width);
      if (width !== WIDTHS[0]) await again?.(stage);
      for (const theme of THEMES) {
        await page.emulateMedia({ colorScheme: theme });
        await settled(stage);
        // To hide the caret the browser is given an inline style, which the page forbids.
        await page.screenshot({ path: join(FOLDER, `${name}-${width}-${theme}.png`), caret: "initial" });
      }
    }
    await resize(page, LEAST);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) tooWide.push(name);
    await resize(page, WIDTHS[0]);
    await page.emulateMedia({ colorScheme: "light" });
    await widen(stage);
    await again?.(stage);
  };
  await walk(house(), postgres(), show);
  expect(tooWide, "nothing but the editor and the grid scrolls sideways").toEqual([]);
  expect(house().complaints()).toEqual([]);
  if (process.env.QUERYBOX_PICTURES_TO === undefined) {
    mkdirSync(join(ROOT, "docs/ui"), { recursive: true });
    for (const name of SHOWN) for (const theme of THEMES) {
      writeFileSync(join(ROOT, "docs/ui", `${name}-${theme}.png`), smaller(readFileSync(join(FOLDER, `${name}-1440-${theme}.png`))));
    }
  }
});
