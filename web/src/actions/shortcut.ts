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

const CODES: Readonly<Record<string, string>> = {
  "]": "BracketRight",
  "[": "BracketLeft",
  "/": "Slash",
  "\\": "Backslash",
  ",": "Comma",
  ".": "Period",
  ";": "Semicolon",
  "'": "Quote",
  "`": "Backquote",
  "-": "Minus",
  "=": "Equal",
};
const KEYS: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(CODES).map(([key, code]) => [code, key]));

function codeOf(key: string): string {
  if (/^[A-Z]$/.test(key)) return `Key${key}`;
  if (/^\d$/.test(key)) return `Digit${key}`;
  return CODES[key] ?? key;
}

/** Whether a shortcut names a key that has a place on every keyboard: a letter, a digit, a sign, Enter, or a function key. */
export function hasKnownKey(key: string): boolean {
  return /^([A-Z]|\d|Enter|F([1-9]|1\d))$/.test(key) || CODES[key] !== undefined;
}

/** What a key press would be as a shortcut. `undefined`: it is a modifier alone. */
export function shortcutOf(press: KeyPress, mac: boolean): string | undefined {
  const { code } = press;
  if (/^(Control|Shift|Alt|Meta|OS)(Left|Right)?$|^AltGraph$/.test(code) || code === "") return undefined;
  const key = /^Key[A-Z]$/.test(code) ? code.slice(3) : /^Digit\d$/.test(code) ? code.slice(5) : (KEYS[code] ?? code);
  const words: string[] = [];
  if (mac ? press.metaKey : press.ctrlKey) words.push("Mod");
  if (mac && press.ctrlKey) words.push("Ctrl");
  if (press.altKey) words.push("Alt");
  if (press.shiftKey) words.push("Shift");
  return [...words, key].join("+");
}

const MAC_SIGNS: Readonly<Record<string, string>> = { Mod: "⌘", Ctrl: "⌃", Alt: "⌥", Shift: "⇧", Enter: "↵", Escape: "Esc" };
const WORDS: Readonly<Record<string, string>> = { Mod: "Ctrl", Escape: "Esc" };

/** The shortcut in the platform's own signs: `⌘⇧E`, `Ctrl+Shift+E`. */
export function shown(shortcut: string, mac: boolean): string {
  const words = shortcut.split("+");
  return mac ? words.map((word) => MAC_SIGNS[word] ?? word).join("") : words.map((word) => WORDS[word] ?? word).join("+");
}
