import { expect, test } from "vitest";
import { scriptIn } from "./run_marks.ts";
import { SentScripts } from "./sent_scripts.ts";
import { Tabs } from "./tabs.ts";

/** Where the second of two equal statements is taken to stand after each of these texts. */
function placesIn(...texts: readonly string[]): readonly (number | undefined)[] {
  const tabs = new Tabs({ getItem: () => null, setItem: () => undefined }, () => "tab");
  const sent = new SentScripts(tabs);
  tabs.open("c", "select 1;\nselect 1;");
  sent.set("tab", { sql: "select 1", offset: 10 });
  return texts.map((text) => {
    tabs.change("tab", { text });
    return scriptIn(text, sent.get("tab"))?.offset;
  });
}

test("of statements that are the same, the one that was sent is marked, whatever is typed around it", () => {
  // The first one comes to stand where the second one stood.
  expect(placesIn("-- abcdef\nselect 1;\nselect 1;")).toEqual([20]);
  expect(placesIn("x\nselect 1;\nselect 1;", "select 1;\nselect 1;", "select 1;\nselect 1;\nselect 1;")).toEqual([12, 10, 10]);
  // An edit within it takes its marks away, until it is undone.
  const [within, moved, undone] = placesIn("select 1;\nselect 12;", "--\nselect 1;\nselect 12;", "--\nselect 1;\nselect 1;");
  expect([within, moved, undone]).toEqual([10, 13, 13]);
  expect(placesIn("select 1;\nselectt 1;", "--\nselect 1;\nselectt 1;", "--\nselect 1;\nselect 1;").at(-1)).toBe(13);
  expect(placesIn("select 2;\nselect 1;", "select 1;")).toEqual([10, 0]);
});
