import { expect, test } from "vitest";
import { makeLayout, parseLayout } from "./layout.ts";

function storage(kept?: string) {
  const map = new Map(kept === undefined ? [] : [["querybox.layout", kept]]);
  return { getItem: (key: string) => map.get(key) ?? null, setItem: (key: string, value: string) => void map.set(key, value) };
}

test("a layout is remembered", () => {
  const place = storage();
  makeLayout(place, 1440).setState({ sidebarWidth: 300, theme: "dark" });
  expect(makeLayout(place, 1440).getState()).toMatchObject({ sidebarWidth: 300, theme: "dark" });
});

test("what would cover a narrow page begins closed", () => {
  expect(makeLayout(storage(), 900).getState()).toMatchObject({ sidebarOpen: true });
  expect(makeLayout(storage(), 400).getState()).toMatchObject({ sidebarOpen: false });
});

test("what makes no sense is left to the defaults", () => {
  const parsed = parseLayout('{"theme":"pink","sidebarWidth":-5,"editorShare":"half","density":"roomy"}');
  expect(parsed).toMatchObject({ theme: "system", sidebarWidth: 264, editorShare: 0.3, density: "roomy" });
  expect(parseLayout("[")).toEqual(parseLayout(null));
});
