import { expect, test } from "vitest";
import { matches, shown } from "./shortcut.ts";

const press = (code: string, ...modifiers: readonly string[]) => ({
  code,
  ctrlKey: modifiers.includes("ctrl"),
  metaKey: modifiers.includes("meta"),
  altKey: modifiers.includes("alt"),
  shiftKey: modifiers.includes("shift"),
});

test("the platform's own key stands for Mod, and no other modifier may be down", () => {
  expect(matches("Mod+K", press("KeyK", "ctrl"), false)).toBe(true);
  expect(matches("Mod+K", press("KeyK", "meta"), true)).toBe(true);
  expect(matches("Mod+K", press("KeyK", "ctrl"), true)).toBe(false);
  expect(matches("Mod+K", press("KeyK", "ctrl", "shift"), false)).toBe(false);
  expect(matches("Alt+Shift+T", press("KeyT", "alt", "shift"), true)).toBe(true);
  expect(matches("Alt+]", press("BracketRight", "alt"), false)).toBe(true);
});

test("keys are shown in the platform's own signs", () => {
  expect(shown("Mod+Shift+Enter", true)).toBe("⌘⇧↵");
  expect(shown("Mod+Shift+Enter", false)).toBe("Ctrl+Shift+Enter");
});
