import { defaultKeymap, historyKeymap } from "@codemirror/commands";
import { searchKeymap } from "@codemirror/search";
import { describe, expect, test } from "vitest";
import { ACTIONS } from "./all.ts";
import { closeTab } from "./close_tab.ts";
import { exportRows } from "./export_rows.ts";
import { ownKey, shortcutFor, shortcuts, takenBy, withKey } from "./keys.ts";
import { newQuery } from "./new_query.ts";
import { openPalette } from "./open_palette.ts";
import { matches, shortcutOf } from "./shortcut.ts";
import { whyNot } from "./shortcut_rule.ts";

const press = (code: string, ...modifiers: readonly string[]) => ({
  code,
  ctrlKey: modifiers.includes("ctrl"),
  metaKey: modifiers.includes("meta"),
  altKey: modifiers.includes("alt"),
  shiftKey: modifiers.includes("shift"),
});

describe.each([
  ["a Mac", true],
  ["any other machine", false],
])("on %s", (_, mac) => {
  test("no two actions begin with the same keys, and none with keys that cannot be chosen", () => {
    const all = ACTIONS.map((action) => ownKey(action, mac)).filter((shortcut) => shortcut !== "");
    expect(new Set(all).size).toBe(all.length);
    expect(all.map((shortcut) => [shortcut, whyNot(shortcut, mac)]).filter(([, why]) => why !== undefined)).toEqual([]);
    expect(new Set(ACTIONS.map(({ name }) => name)).size).toBe(ACTIONS.length);
  });

  test("nothing that the editor does can be chosen, but what the page does in its place", () => {
    const ours = ["Mod+Enter", "Mod+G", "Mod+Shift+G", "F3", "Shift+F3"];
    const bound = [...defaultKeymap, ...historyKeymap, ...searchKeymap].flatMap((binding) => {
      const key = (mac ? binding.mac : (binding.win ?? binding.linux)) ?? binding.key;
      if (key === undefined) return [];
      return binding.shift === undefined ? [ourWords(key, mac)] : [ourWords(key, mac), ourWords(`Shift-${key}`, mac)];
    });
    expect(bound.length).toBeGreaterThan(40);
    expect(bound.filter((shortcut) => whyNot(shortcut, mac) === undefined && !ours.includes(shortcut))).toEqual([]);
  });

  test("no letter that is typed with Alt, Option or AltGr is a shortcut", () => {
    const codes = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => `Key${letter}`).concat([..."0123456789"].map((digit) => `Digit${digit}`));
    const typed = mac ? [["alt"], ["alt", "shift"]] : [["ctrl", "alt"], ["ctrl", "alt", "shift"], []];
    for (const code of codes) {
      for (const held of typed) {
        const pressed = press(code, ...held);
        expect(whyNot(shortcutOf(pressed, mac) ?? "", mac), code).toBeDefined();
        expect([...shortcuts({}, mac).values()].filter((shortcut) => matches(shortcut, pressed, mac)), code).toEqual([]);
      }
    }
  });
});

test("a key press is written as shortcuts are, with the platform's own key as Mod", () => {
  expect(shortcutOf(press("KeyE", "ctrl", "shift"), false)).toBe("Mod+Shift+E");
  expect(shortcutOf(press("KeyE", "meta", "shift"), true)).toBe("Mod+Shift+E");
  expect(shortcutOf(press("KeyE", "ctrl", "shift"), true)).toBe("Ctrl+Shift+E");
  expect(shortcutOf(press("Digit3", "alt"), false)).toBe("Alt+3");
  expect(shortcutOf(press("BracketRight", "alt"), false)).toBe("Alt+]");
  expect(shortcutOf(press("F5"), false)).toBe("F5");
  expect(shortcutOf(press("ControlLeft", "ctrl"), false)).toBeUndefined();
  expect(shortcutOf(press("AltGraph"), false)).toBeUndefined();
});

test("what the browser or the system keeps cannot be chosen", () => {
  const kept = ["Mod+T", "Mod+W", "Mod+N", "Mod+R", "Mod+Shift+R", "Mod+L", "Mod+Q", "Mod+1", "Mod+9", "Mod+0", "Mod+-", "Alt+1", "Alt+F4", "Mod+F4", "F11", "F12"];
  for (const keys of kept) expect(whyNot(keys, false), keys).toContain("the browser or the system");
  for (const keys of ["Mod+Shift+3", "Mod+H", "Mod+M", "Mod+Alt+I"]) expect(whyNot(keys, true), keys).toContain("the browser or the system");
});

test("what types, moves or edits cannot be chosen", () => {
  for (const keys of ["Mod+C", "Mod+D", "Mod+[", "Alt+ArrowUp", "Shift+Alt+ArrowDown", "Mod+Alt+ArrowUp", "Mod+Home", "Mod+Backspace", "Alt+Space", "Alt+Numpad1", "Alt+IntlBackslash"]) {
    expect(whyNot(keys, false), keys).toBeDefined();
  }
  for (const keys of ["Shift+E", "E", "Enter", "Shift+Enter", "Space"]) expect(whyNot(keys, false), keys).toBeDefined();
  for (const keys of ["F5", "Shift+F5", "Alt+E", "Mod+Shift+E", "Alt+Enter"]) expect(whyNot(keys, false), keys).toBeUndefined();
  for (const keys of ["Alt+E", "Alt+L", "Ctrl+K", "Alt+Shift+Q"]) expect(whyNot(keys, true), keys).toBeDefined();
  for (const keys of ["Ctrl+W", "Mod+Shift+E", "Mod+Enter"]) expect(whyNot(keys, true), keys).toBeUndefined();
});

test("keys that Core brings hold to the same rule", () => {
  // From a machine with other keys, an older page, or whoever writes to the store.
  for (const chosen of ["E", "Shift+E", "X+E", "Shift+Mod+E", "Ctrl+E", "Mod+Alt+Q", "Mod+", "+", "Enter", "Mod+Mod+E"]) {
    expect(shortcutFor(openPalette, { [openPalette.name]: chosen }, false), chosen).toBe("Mod+K");
  }
  expect(shortcutFor(newQuery, { [newQuery.name]: "Alt+E" }, true)).toBe("Ctrl+Q");
  // Keys that stand twice are those of one.
  const twice = { [newQuery.name]: "F9", [exportRows.name]: "F9" };
  expect([...shortcuts(twice, false).values()].filter((shortcut) => shortcut === "F9").length).toBe(1);
  // A chosen one comes before another's own.
  expect(shortcutFor(exportRows, { [exportRows.name]: "Mod+K" }, false)).toBe("Mod+K");
  expect(shortcutFor(openPalette, { [exportRows.name]: "Mod+K" }, false)).toBeUndefined();
});

test("a shortcut that is given to one action is taken from the other, and comes back", () => {
  expect(takenBy("Mod+K", exportRows, {}, false)).toBe(openPalette);
  const keys = withKey({}, exportRows, "Mod+K", false);
  expect(shortcutFor(exportRows, keys, false)).toBe("Mod+K");
  expect(shortcutFor(openPalette, keys, false)).toBeUndefined();
  // Its own keys are another's now: who wants them back is asked.
  expect(takenBy(ownKey(openPalette, false), openPalette, keys, false)).toBe(exportRows);
  const back = withKey(keys, openPalette, ownKey(openPalette, false), false);
  expect(shortcutFor(openPalette, back, false)).toBe("Mod+K");
  expect(shortcutFor(exportRows, back, false)).toBeUndefined();
  expect(withKey(back, exportRows, ownKey(exportRows, false), false)).toEqual({});
  expect(shortcutFor(newQuery, withKey({}, newQuery, "", false), false)).toBeUndefined();
  expect(shortcutFor(closeTab, {}, true)).toBe("Ctrl+W");
});

/** What the editor calls a key, as shortcuts are written. */
function ourWords(key: string, mac: boolean): string {
  const words = key.split(/-(?!$)/);
  const last = words.pop() ?? "";
  const isUpper = /^[A-Z]$/.test(last);
  const names = new Set(words.map((word) => (word === "Cmd" ? "Mod" : word === "Ctrl" && !mac ? "Mod" : word)));
  if (isUpper) names.add("Shift");
  return [...["Mod", "Ctrl", "Alt", "Shift"].filter((name) => names.has(name)), last.length === 1 ? last.toUpperCase() : last].join("+");
}
