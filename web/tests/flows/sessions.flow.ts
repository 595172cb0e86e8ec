import { expect, test } from "vitest";
import { violations } from "./accessible.ts";
import { runInstead, typeQuery, useHouse } from "./house.ts";

const house = useHouse();

test("what is run while a session is being opened runs there, and after its loss nothing is run before that is told", async () => {
  const page = await house().open();
  const session = (state: string) => page.getByRole("button", { name: `Session: ${state}`, exact: true });
  await typeQuery(page, "-- nothing yet");
  await page.getByRole("button", { name: /^Session: / }).click();
  await page.getByRole("menuitemradio", { name: /^Leased/ }).click();
  // Nobody waits for it.
  await runInstead(page, "begin; create temp table mine as select 41 as answer; select answer + 1 from mine");
  await session("In transaction").waitFor();
  await page.getByRole("gridcell", { name: "42", exact: true }).waitFor();

  await house().killServer();
  await page.getByLabel("New link").fill(house().link());
  await page.keyboard.press("Enter");
  await session("No session").waitFor();
  await runInstead(page, "select 7 as seven");
  await page.getByText("The session of this tab ended: Core does not hold it any more. Press Run once more to open a new session.").waitFor();
  expect(await violations(page)).toEqual([]);
  expect(await page.getByRole("gridcell", { name: "7", exact: true }).count()).toBe(0);
  await session("No session").waitFor();
  await page.getByRole("textbox", { name: /^SQL of / }).click();
  await page.keyboard.press("Control+Enter");
  await page.getByRole("gridcell", { name: "7", exact: true }).waitFor();
  await session("Leased").waitFor();

  // What a session holds is not given up unasked.
  await runInstead(page, "begin; create temp table mine as select 9 as answer");
  await session("In transaction").waitFor();
  const question = page.getByRole("dialog", { name: /^End the session of / });
  const giveUp = async () => {
    await session("In transaction").click();
    await page.getByRole("menuitemradio", { name: /^One-shot/ }).click();
    await question.getByText("A transaction that is open there is rolled back").waitFor();
  };
  await giveUp();
  expect(await violations(page)).toEqual([]);
  await question.getByRole("button", { name: "Keep the session" }).click();
  await runInstead(page, "select answer + 1 from mine");
  await page.getByRole("gridcell", { name: "10", exact: true }).waitFor();
  await giveUp();
  await question.getByRole("button", { name: "Roll back and end" }).click();
  await session("One-shot").waitFor();
  expect(house().complaints()).toEqual([]);
  await page.context().close();
});
