/** What a key press is compared with. */
export interface KeyPress {
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** Whether this is a Mac, where ⌘ does what Ctrl does elsewhere. */
export function isMac(platform: string): boolean {
  return /^(Mac|iP)/.test(platform);
}

/** Whether a key press is the shortcut. Keys are compared by their place, for Alt changes what they type on a Mac. */
export function matches(shortcut: string, press: KeyPress, mac: boolean): boolean {
  const words = shortcut.split("+");
  const key = words.at(-1) ?? "";
  const mod = words.includes("Mod");
  return (
    press.code === codeOf(key) &&
    press.ctrlKey === (words.includes("Ctrl") || (mod && !mac)) &&
    press.metaKey === (mod && mac) &&
    press.altKey === words.includes("Alt") &&
    press.shiftKey === words.includes("Shift")
  );
}

const CODES: Readonly<Record<string, string>> = { "]": "BracketRight", "[": "BracketLeft", "/": "Slash", ",": "Comma" };

function codeOf(key: string): string {
  if (/^[A-Z]$/.test(key)) return `Key${key}`;
  return CODES[key] ?? key;
}

const MAC_SIGNS: Readonly<Record<string, string>> = { Mod: "⌘", Ctrl: "⌃", Alt: "⌥", Shift: "⇧", Enter: "↵", Escape: "Esc" };
const WORDS: Readonly<Record<string, string>> = { Mod: "Ctrl", Escape: "Esc" };

/** The shortcut in the platform's own signs: `⌘⇧E`, `Ctrl+Shift+E`. */
export function shown(shortcut: string, mac: boolean): string {
  const words = shortcut.split("+");
  return mac ? words.map((word) => MAC_SIGNS[word] ?? word).join("") : words.map((word) => WORDS[word] ?? word).join("+");
}
