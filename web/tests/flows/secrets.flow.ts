import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { typeQuery, useHouse } from "./house.ts";
import { usePostgres } from "./postgres.ts";

const house = useHouse();
const postgres = usePostgres();

const CANARIES = ["kanarie/7731", "wrong-kanarie-7732"] as const;

/** A text in each form in which it may lie about. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [secret, encodeURIComponent(secret), bytes.toString("base64").replace(/=+$/, ""), bytes.toString("hex"), [...bytes].join(",")];
}

/** Everything that the page has written down or shows, but for what stands in a password field now. */
function everything(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const parts = [JSON.stringify({ ...sessionStorage }), JSON.stringify({ ...localStorage }), document.cookie, location.href, JSON.stringify(history.state)];
    for (const { name = "" } of await indexedDB.databases()) parts.push(`an indexed database: ${name}`);
    for (const name of await caches.keys()) parts.push(`a cache: ${name}`);
    const walk = (root: Document | ShadowRoot) => {
      parts.push(root instanceof Document ? root.documentElement.outerHTML : root.innerHTML);
      for (const element of root.querySelectorAll("*")) {
        if (element instanceof HTMLTextAreaElement || (element instanceof HTMLInputElement && element.type !== "password")) parts.push(element.value);
        if (element.shadowRoot !== null) walk(element.shadowRoot);
      }
    };
    walk(document);
    return parts.join("\n");
  });
}

test("a password stays nowhere in the page: not in storage, not in what is shown, not in the console", async () => {
  postgres().psql(`create role canary login password '${CANARIES[0]}'`);
  const page = await house().open();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("request", (request) => said.push(request.url()));
  const search = async (where: string) => {
    const found = `${await everything(page)}\n${said.join("\n")}`;
    // The search itself works.
    expect(found).toContain("querybox.token");
    for (const form of CANARIES.flatMap(formsOf)) expect(found.includes(form), `${form} ${where}`).toBe(false);
    expect(found).not.toMatch(/an indexed database|a cache/);
  };
  const dialog = page.getByRole("dialog", { name: "New connection" });
  const url = (password: string) => postgres().url.replace("postgres@", `canary:${encodeURIComponent(password)}@`);
  await page.keyboard.press("Alt+n");
  await dialog.getByRole("textbox", { name: /URL/ }).fill(url(CANARIES[1]));
  await page.getByText(/^Filled \d+ fields and the password$/).waitFor();
  await search("beside a filled form");
  await dialog.getByRole("button", { name: /^Test/ }).click();
  await page.getByText(/^Failed at /).waitFor();
  await search("after a failed test");
  await dialog.getByLabel("Password", { exact: true }).fill(CANARIES[0]);
  await dialog.getByRole("button", { name: /^Test/ }).click();
  await page.getByText("Connected").waitFor();
  await search("after a test");
  await dialog.getByLabel("Name", { exact: true }).fill("caged");
  await dialog.getByRole("radio", { name: "Ask each time" }).click();
  await dialog.getByRole("button", { name: "Save and open" }).click();
  await page.getByRole("treeitem", { name: "public" }).waitFor();
  await search("after saving");

  // The session that has it outlives a reload, and nobody is asked again.
  await page.reload();
  await page.getByRole("treeitem", { name: "caged" }).waitFor();
  await typeQuery(page, "select current_user::text as who");
  await page.getByRole("button", { name: /^Connection: / }).click();
  await page.getByRole("menuitemradio", { name: "caged", exact: true }).click();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("gridcell", { name: "canary", exact: true }).waitFor();
  await search("after a reload");

  const question = page.getByRole("dialog", { name: "Password for caged" });
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText("select pg_terminate_backend(pg_backend_pid())");
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByRole("button", { name: "Session: No session" }).waitFor();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText("select 8 as eight");
  await page.keyboard.press("Control+Shift+Enter");
  await question.getByLabel("Password", { exact: true }).fill(CANARIES[1]);
  await page.keyboard.press("Enter");
  await question.getByRole("alert").waitFor();
  expect(await question.getByLabel("Password", { exact: true }).inputValue()).toBe("");
  await search("after a wrong answer");
  await question.getByLabel("Password", { exact: true }).fill(CANARIES[0]);
  await page.keyboard.press("Enter");
  await page.getByRole("gridcell", { name: "8", exact: true }).waitFor();
  await search("after an answer");

  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("import conn");
  await page.keyboard.press("Enter");
  const list = page.getByRole("dialog", { name: "Import connections" });
  await list.getByLabel("List of connections").fill(`postgres://ada:${encodeURIComponent(CANARIES[0])}@db.example.com/shop\nnobody:*:x:y:${CANARIES[1]}`);
  await list.getByRole("button", { name: /^Import \d connection/ }).click();
  await list.getByText(/imported/).first().waitFor();
  await list.getByRole("button", { name: "Close", exact: true }).last().click();
  await list.waitFor({ state: "detached" });
  await search("after an import");
  await page.reload();
  await page.getByRole("treeitem", { name: "caged" }).waitFor();
  await search("in the end");
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});

test("what is searched for would be found, wherever it lay", async () => {
  const page = await house().open();
  await page.evaluate(
    (forms) => {
      const [plain = "", escaped = "", base64 = "", hex = "", numbers = ""] = forms;
      sessionStorage.setItem("planted", base64);
      localStorage.setItem("planted", hex);
      history.replaceState({ planted: numbers }, "");
      const field = document.createElement("input");
      field.setAttribute("value", escaped);
      const typed = document.createElement("textarea");
      const inner = document.createElement("p");
      document.body.append(field, typed, inner);
      typed.value = `typed ${plain}`;
      inner.attachShadow({ mode: "open" }).append(`in a shadow ${plain}`);
    },
    formsOf(CANARIES[0]),
  );
  const found = await everything(page);
  for (const form of formsOf(CANARIES[0])) expect(found).toContain(form);
  expect(found).toContain(`typed ${CANARIES[0]}`);
  expect(found).toContain(`in a shadow ${CANARIES[0]}`);
  await page.context().close();
});
