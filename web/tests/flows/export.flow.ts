import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { typeQuery, useHouse } from "./house.ts";

const house = useHouse();

test("rows that are shown are downloaded in a format of one's choice", async () => {
  const page = await house().open({ acceptDownloads: true });
  await typeQuery(page, "select 1 as a, 'x, y' as b union all select 2, null union all select 3, 'z'");
  await page.keyboard.press("Control+Enter");
  await page.getByText("3 rows", { exact: true }).waitFor();
  await page.keyboard.press("Control+Shift+f");
  await page.getByRole("textbox", { name: "Filter" }).fill("a < 3");
  await page.keyboard.press("Enter");
  await page.getByText("2 of 3 rows").waitFor();
  const download = async (format: string) => {
    await page.keyboard.press("Control+Shift+e");
    const dialog = page.getByRole("dialog", { name: "Export rows" });
    await dialog.getByText(format, { exact: true }).click();
    expect(await violations(page)).toEqual([]);
    await dialog.getByLabel("File name").fill("two: rows");
    const coming = page.waitForEvent("download");
    await dialog.getByRole("button", { name: "Download" }).click();
    const file = await coming;
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
  };
  expect(await download("CSV")).toEqual({ name: "two rows.csv", text: 'a,b\n1,"x, y"\n2,\n' });
  const json = await download("JSON");
  expect(json.name).toBe("two rows.json");
  expect(JSON.parse(json.text)).toEqual([{ a: 1, b: "x, y" }, { a: 2, b: null }]);
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
