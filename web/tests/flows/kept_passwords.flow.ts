import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { type House, PATIENCE_MS, useHouse } from "./house.ts";
import { missingForKeyring, useKeyring } from "./keyring.ts";
import { type Postgres, usePostgres } from "./postgres.ts";

const postgres = usePostgres();

const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const row = (page: Page, name: string | RegExp) => page.getByRole("treeitem", { name, ...(typeof name === "string" ? { exact: true } : {}) });
const save = (page: Page) => page.getByRole("button", { name: "Save", exact: true }).click();

async function add(page: Page, { url, password }: Postgres, place: "Vault" | "Keyring", name = "kept"): Promise<void> {
  await page.keyboard.press("Alt+n");
  await page.getByLabel("Paste a URL or DSN").fill(url);
  await page.getByText(/^Filled/).waitFor();
  await field(page, "Name").fill(name);
  await field(page, "Password").fill(password);
  await page.getByRole("radio", { name: place }).click();
  await page.getByRole("button", { name: "Save and open" }).click();
  await row(page, "public").waitFor();
}

async function edit(page: Page, name = "kept"): Promise<void> {
  await row(page, name).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Edit…" }).click();
  await field(page, "Password").waitFor();
}

async function refresh(page: Page): Promise<void> {
  await row(page, "kept").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Refresh" }).click();
}

/** Lets a page in again after its server was killed. */
async function comeBack(page: Page, house: House): Promise<void> {
  await house.killServer();
  await page.getByLabel("New link").fill(house.link());
  await page.keyboard.press("Enter");
  await row(page, "kept").waitFor();
}

/** All that a page holds in words: what is in fields, in sight, and kept over reloads. */
const heldBy = (page: Page) =>
  page.evaluate(() => [...document.querySelectorAll("input, textarea")].map((input) => (input as HTMLInputElement).value).join("\n") + document.body.innerText + JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }));

describe("in a vault", () => {
  const house = useHouse({ hasVault: true });

  test("a password is kept, outlives the server, is replaced and never shown", async () => {
    const page = await house().open();
    await page.keyboard.press("Alt+n");
    // What is not here says why, to everybody.
    await page.getByRole("radio", { name: "PostgreSQL" }).click();
    await expect.poll(() => page.getByRole("radio", { name: "Keyring" }).isDisabled()).toBe(true);
    await page.getByText(/^Keyring: ./).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await add(page, postgres(), "Vault");
    await page.getByText("Vault", { exact: true }).waitFor();
    expect(await heldBy(page)).not.toContain(postgres().password);

    await comeBack(page, house());
    await row(page, "kept").click();
    await row(page, "public").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);

    await edit(page);
    await expect.poll(() => field(page, "Password").inputValue()).toBe("");
    await expect.poll(() => field(page, "Password").getAttribute("placeholder")).toBe("Kept; type to replace it");
    expect(await heldBy(page)).not.toContain(postgres().password);
    // A test goes with what is kept.
    await page.getByRole("button", { name: "Test", exact: true }).click();
    await page.getByText("Connected").waitFor();
    await field(page, "Password").fill("another one");
    await save(page);
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await refresh(page);
    await row(page, /password authentication failed/).waitFor();
    await edit(page);
    await field(page, "Password").fill(postgres().password);
    await save(page);
    await row(page, "public").waitFor();
    expect(house().complaints()).toEqual([]);
    await page.context().close();
  });

  test("what leads elsewhere drops the password, and says so before", async () => {
    const page = await house().open();
    await add(page, postgres(), "Vault", "moved");
    for (const [change, what] of [
      [() => field(page, "Host").fill("localhost"), "Host"],
      [() => field(page, "Port").fill("1"), "Port"],
      [() => field(page, "TLS").selectOption("require"), "TLS"],
    ] as const) {
      await edit(page, "moved");
      await change();
      await page.getByText(new RegExp(`^${what}.* changed: the kept password is dropped`)).waitFor();
      await expect.poll(() => field(page, "Password").getAttribute("placeholder")).toBe("Type it again");
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Discard" }).click();
    }
    await edit(page, "moved");
    await field(page, "Host").fill("localhost");
    await save(page);
    await page.getByText("The kept password was dropped: ").waitFor();
    await row(page, /no password is stored/i).waitFor();
    await edit(page, "moved");
    await field(page, "Password").fill(postgres().password);
    await save(page);
    await row(page, "public").waitFor();
    expect(house().complaints()).toEqual([]);
    await page.context().close();
  });
});

const missing = missingForKeyring();

describe.skipIf(missing.length > 0 && process.env.CI === undefined)(`in a keyring${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  const keyring = useKeyring();
  const house = useHouse({ keyring });

  test("a password is kept and outlives the server, where there is no vault", async () => {
    const page = await house().open();
    await page.keyboard.press("Alt+n");
    await page.getByRole("radio", { name: "PostgreSQL" }).click();
    await expect.poll(() => page.getByRole("radio", { name: "Keyring" }).getAttribute("aria-checked"), { timeout: PATIENCE_MS }).toBe("true");
    await expect.poll(() => page.getByRole("radio", { name: "Vault" }).isDisabled()).toBe(true);
    await page.getByText(/^Vault: ./).waitFor();
    await page.keyboard.press("Escape");
    await add(page, postgres(), "Keyring");
    await comeBack(page, house());
    await row(page, "kept").click();
    await row(page, "public").waitFor();
    await edit(page);
    await expect.poll(() => field(page, "Password").inputValue()).toBe("");
    expect(house().complaints()).toEqual([]);
    await page.context().close();
  });
});
