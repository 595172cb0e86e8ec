import { hasKnownKey } from "./shortcut.ts";

const BROWSER = "the browser or the system keeps it for itself";
const TEXT = "it is needed where text is typed";

/** Keys with the platform's own modifier that browsers and systems do not give away, or that are expected to do what they do. */
const OF_BROWSER = ["T", "W", "N", "R", "L", "Q", "H", "M", "0", "-", "=", "`"];
const OF_BROWSER_SHIFTED = ["T", "W", "N", "R", "Q", "I", "J", "C", "-", "=", "`"];
/** Keys of the editor and of fields, with the platform's own modifier. */
const OF_TEXT = ["A", "C", "V", "X", "Z", "Y", "F", "D", "I", "U", "/", "[", "]"];
const OF_TEXT_SHIFTED = ["V", "Z", "U", "K", "L", "\\"];
/** On a Mac, Ctrl moves and deletes in every field as Emacs has it. */
const OF_MAC_FIELDS = ["A", "B", "D", "E", "F", "H", "K", "L", "N", "O", "P", "T", "V", "Y"];
const OF_MAC_FIELDS_SHIFTED = ["A", "B", "E", "F", "N", "P"];

const MODIFIERS = ["Mod", "Ctrl", "Alt", "Shift"];

/**
 * Why keys cannot be a shortcut on this platform. `undefined`: they can.
 *
 * A shortcut takes nothing that types, moves or edits, and nothing that a browser or a system does not give away.
 */
export function whyNot(shortcut: string, mac: boolean): string | undefined {
  const words = shortcut.split("+");
  const key = words.at(-1) ?? "";
  const held = words.slice(0, -1);
  const places = held.map((word) => MODIFIERS.indexOf(word));
  if (places.some((place, index) => place <= (places[index - 1] ?? -1))) return "it is no shortcut";
  if (!hasKnownKey(key)) return TEXT;
  const [mod, ctrl, alt, shift] = MODIFIERS.map((word) => held.includes(word)) as [boolean, boolean, boolean, boolean];
  if (/^F\d/.test(key)) {
    if ((alt && key === "F4") || ["F11", "F12"].includes(key) || (mod && (key === "F4" || key === "F5")) || (shift && key === "F10")) return BROWSER;
    return undefined;
  }
  if (!mod && !ctrl && !alt) return "it needs Ctrl, ⌘ or Alt, unless it is a function key";
  if (ctrl && (!mac || mod)) return mac ? BROWSER : "only a Mac has it";
  if (key === "Enter") return undefined;
  // Option types other letters on a Mac; elsewhere AltGr does, which is Ctrl and Alt together.
  if (mac && alt && !mod) return "⌥ types other letters, such as @ and ń: hold ⌘ or ⌃";
  if (mac && alt) return BROWSER;
  if (mod && alt) return "with AltGr it types other letters, such as @ and ń";
  if (/^\d$/.test(key)) return BROWSER;
  if (alt) return key === "U" || key === "L" || (shift && (key === "A" || key === "M")) ? TEXT : undefined;
  if (ctrl) return (shift ? OF_MAC_FIELDS_SHIFTED : OF_MAC_FIELDS).includes(key) ? TEXT : undefined;
  if ((shift ? OF_BROWSER_SHIFTED : OF_BROWSER).includes(key)) return BROWSER;
  return (shift ? OF_TEXT_SHIFTED : OF_TEXT).includes(key) ? TEXT : undefined;
}
