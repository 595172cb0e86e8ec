import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { PATIENCE_MS, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();

/** Longer than any part of a name may be, so that no name server is asked. */
const NO_NAME = `${"n".repeat(64)}.invalid`;

test("a test tells the stage that failed, why, and what to do, and that it is of an older form", async () => {
  const page = await house().open();
  await page.keyboard.press("Alt+n");
  await page.getByLabel("Paste a URL or DSN").fill(`${postgres().url}?sslmode=disable`);
  await page.getByText(/^Filled \d fields$/).waitFor();
  const panel = page.getByRole("region", { name: "Test" });
  const field = (name: string) => page.getByLabel(name, { exact: true });
  const again = page.getByRole("button", { name: "Test again" });
  await field("Password").fill("not this one");
  await page.keyboard.press("Alt+t");
  await panel.getByText("Failed at log in").waitFor();
  await panel.getByText("SQLSTATE 28P01", { exact: false }).waitFor();
  expect(await violations(page)).toEqual([]);
  await panel.getByRole("button", { name: "Type it again" }).click();
  await field("Password").and(page.locator(":focus")).waitFor();
  await page.keyboard.type(postgres().password);
  await expect.poll(() => field("Password").inputValue()).toBe(postgres().password);
  await panel.getByText("This is how the form was before its last change.").waitFor();
  await again.click();
  await panel.getByText("Connected").waitFor();
  await panel.getByText("before its last change").waitFor({ state: "detached" });
  expect(await violations(page)).toEqual([]);

  const toNoName = async () => {
    // TLS would refuse the name before it is looked for.
    await field("TLS").selectOption("disable");
    await field("Host").fill(NO_NAME);
  };
  for (const [change, failed, mend, focused] of [
    [() => field("Database").fill("not_there"), "Failed at log in", "Change the database", "Database"],
    [() => field("TLS").selectOption("require"), "Failed at TLS", "Change TLS", "TLS"],
    [() => field("Port").fill("1"), "Failed at dial", "Change host or port", "Host"],
    [toNoName, "Failed at resolve", "Change the host", "Host"],
  ] as const) {
    await change();
    await again.click();
    await panel.getByText(failed, { exact: true }).waitFor();
    await panel.getByText("not reached").first().waitFor();
    await panel.getByRole("button", { name: mend }).click();
    await field(focused).and(page.locator(":focus")).waitFor();
    expect(await violations(page)).toEqual([]);
  }

  // What runs is stopped.
  let asked = false;
  await page.route("**/TestConnection", () => {
    asked = true;
  });
  await again.click();
  await expect.poll(() => asked, { timeout: PATIENCE_MS }).toBe(true);
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("button", { name: "Test", exact: true }).waitFor();
  await panel.getByText("Nothing is saved.", { exact: false }).waitFor();
  // What is typed is not thrown away by a key alone.
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Discard changes" }).waitFor();
  expect(await violations(page)).toEqual([]);
  // Enter loses nothing.
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Discard changes" }).waitFor({ state: "detached" });
  expect(await field("Host").inputValue()).toBe(NO_NAME);
  await field("Host").press("Escape");
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
