/** A part of a text that a search has found, or that lies between two. */
export interface Piece {
  readonly text: string;
  readonly isMatch: boolean;
}

export interface Found {
  readonly pieces: readonly Piece[];
  /** The smaller, the better. */
  readonly rank: number;
}

/** Finds what is wanted in a text: as it stands, else letter by letter in order. */
export function find(text: string, wanted: string): Found | undefined {
  const rank = rankOf(text, wanted);
  if (rank === undefined) return undefined;
  const [low, sought] = [text.toLowerCase(), wanted.toLowerCase()];
  const at = low.indexOf(sought);
  if (at >= 0 && low.length === text.length) return { rank, pieces: split(text, Array.from(sought, (_, index) => at + index)) };
  const places: number[] = [];
  for (const letter of sought) places.push(low.indexOf(letter, (places.at(-1) ?? -1) + 1));
  return { rank, pieces: split(text, places) };
}

/** How well a text fits what is wanted: the smaller, the better. `undefined`: not at all. It is quick, for thousands of texts. */
export function rankOf(text: string, wanted: string): number | undefined {
  if (wanted === "") return 0;
  const [low, sought] = [text.toLowerCase(), wanted.toLowerCase()];
  const at = low.indexOf(sought);
  // Lower case may be longer than what it stands for; then places would not fit.
  if (at >= 0 && low.length === text.length) {
    const beginsWord = at === 0 || /[\s_.]/.test(text.charAt(at - 1));
    return (at === 0 ? 0 : beginsWord ? 1 : 2) + text.length / 1000;
  }
  let [first, last] = [-1, -1];
  for (const letter of sought) {
    last = low.indexOf(letter, last + 1);
    if (last < 0) return undefined;
    if (first < 0) first = last;
  }
  return 10 + (last - first) + text.length / 1000;
}

/** Where a name ends and what it lies in begins: `sales.orders`, and as people write it, `sales orders`. */
const BETWEEN = /[.\s]+/;

/** As `rankOf`, of a name that is also known by what it lies in. */
export function rankWithin(holder: string, name: string, wanted: string): number | undefined {
  const rank = rankOf(name, wanted);
  const parts = wanted.split(BETWEEN);
  const last = parts.at(-1) ?? "";
  if (rank !== undefined || parts.length < 2 || rankOf(holder, parts.slice(0, -1).join(" ")) === undefined) return rank;
  return rankOf(name, last);
}

/** Whether a name has what is wanted in it as it stands, or its end after that of what it lies in: the smaller, the better. */
export function fitWithin(holder: string, name: string, wanted: string): number | undefined {
  const low = name.toLowerCase();
  const fit = (part: string) => (low === part ? 0 : low.startsWith(part) ? 1 : low.includes(part) ? 2 : undefined);
  const whole = fit(wanted);
  const parts = wanted.split(BETWEEN);
  if (whole !== undefined || parts.length < 2) return whole;
  return holder.toLowerCase().includes(parts.slice(0, -1).join(" ")) ? fit(parts.at(-1) ?? "") : undefined;
}

/** The name with what was found in it, also if only its end was named. */
export function piecesWithin(name: string, wanted: string): readonly Piece[] {
  const found = find(name, wanted) ?? find(name, wanted.split(BETWEEN).at(-1) ?? "");
  return found?.pieces ?? [{ text: name, isMatch: false }];
}

function split(text: string, places: readonly number[]): readonly Piece[] {
  const marked = new Set(places);
  const pieces: { text: string; isMatch: boolean }[] = [];
  for (let at = 0; at < text.length; at++) {
    const last = pieces.at(-1);
    const isMatch = marked.has(at);
    if (last?.isMatch === isMatch) last.text += text.charAt(at);
    else pieces.push({ text: text.charAt(at), isMatch });
  }
  return pieces;
}
