import { expect, test } from "vitest";
import { usePostgres } from "./postgres.ts";
import { useHouse } from "./house.ts";
import { violations } from "./accessible.ts";
import { resize, walk, widen } from "../pictures/walk.ts";

const house = useHouse({ hasVault: true });
const postgres = usePostgres();

/** The least that the page is made for: there nothing but the editor and the grid scrolls sideways. */
const LEAST = 360;

test("everything that the pictures show is accessible in both themes, and fits into the narrowest page", async () => {
  const wrong: string[] = [];
  await walk(house(), postgres(), async (stage, { name, again }) => {
    const { page } = stage;
    wrong.push(...house().complaints().map((line) => `${name}: ${line}`));
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      wrong.push(...(await violations(page)).map((line) => `${name}, ${theme}: ${line}`));
    }
    await page.emulateMedia({ colorScheme: "light" });
    await resize(page, LEAST);
    await again?.(stage);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) wrong.push(`${name}: wider than ${LEAST}`);
    await resize(page, 1440);
    await widen(stage);
    await again?.(stage);
  });
  expect(wrong).toEqual([]);
}, 1_800_000);
