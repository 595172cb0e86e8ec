import { expect, test } from "vitest";
import { exportRows } from "./export_rows.ts";
import { ACTIONS } from "./all.ts";
import { shortcutFor, takenBy, withKey, withOwnKey } from "./keys.ts";
import { newQuery } from "./new_query.ts";
import { openPalette } from "./open_palette.ts";
import { shortcutOf, whyNot } from "./shortcut.ts";

const press = (code: string, ...modifiers: readonly string[]) => ({
  code,
  ctrlKey: modifiers.includes("ctrl"),
  metaKey: modifiers.includes("meta"),
  altKey: modifiers.includes("alt"),
  shiftKey: modifiers.includes("shift"),
});

test("no two actions begin with the same keys, and none with keys that cannot be chosen", () => {
  const shortcuts = ACTIONS.flatMap(({ shortcut }) => shortcut ?? []);
  expect(new Set(shortcuts).size).toBe(shortcuts.length);
  expect(shortcuts.filter((shortcut) => whyNot(shortcut) !== undefined)).toEqual([]);
  expect(new Set(ACTIONS.map(({ name }) => name)).size).toBe(ACTIONS.length);
});

test("a key press is written as shortcuts are, with the platform's own key as Mod", () => {
  expect(shortcutOf(press("KeyE", "ctrl", "shift"), false)).toBe("Mod+Shift+E");
  expect(shortcutOf(press("KeyE", "meta", "shift"), true)).toBe("Mod+Shift+E");
  expect(shortcutOf(press("Digit3", "alt"), false)).toBe("Alt+3");
  expect(shortcutOf(press("BracketRight", "alt"), false)).toBe("Alt+]");
  expect(shortcutOf(press("F5"), false)).toBe("F5");
  expect(shortcutOf(press("ControlLeft", "ctrl"), false)).toBeUndefined();
});

test("what the browser keeps and what types text cannot be chosen", () => {
  expect(whyNot("Mod+T")).toContain("browser");
  expect(whyNot("Mod+C")).toContain("typed");
  expect(whyNot("Shift+E")).toContain("needs");
  expect(whyNot("E")).toContain("needs");
  expect(whyNot("F5")).toBeUndefined();
  expect(whyNot("Alt+E")).toBeUndefined();
});

test("a shortcut that is given to one action is taken from the other, and comes back", () => {
  expect(takenBy("Mod+K", exportRows, {})).toBe(openPalette);
  const keys = withKey({}, exportRows, "Mod+K");
  expect(shortcutFor(exportRows, keys)).toBe("Mod+K");
  expect(shortcutFor(openPalette, keys)).toBeUndefined();
  const back = withOwnKey(keys, openPalette);
  expect(shortcutFor(openPalette, back)).toBe("Mod+K");
  expect(shortcutFor(exportRows, back)).toBeUndefined();
  expect(withOwnKey(back, exportRows)).toEqual({});
  expect(shortcutFor(newQuery, withKey({}, newQuery, ""))).toBeUndefined();
});
