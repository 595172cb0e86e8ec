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
  if (wanted === "") return { pieces: [{ text, isMatch: false }], rank: 0 };
  const [low, sought] = [text.toLowerCase(), wanted.toLowerCase()];
  const at = low.indexOf(sought);
  // Lower case may be longer than what it stands for; then places would not fit.
  if (at >= 0 && low.length === text.length) {
    const beginsWord = at === 0 || /[\s_.]/.test(text.charAt(at - 1));
    const pieces = split(text, Array.from(sought, (_, index) => at + index));
    return { pieces, rank: (at === 0 ? 0 : beginsWord ? 1 : 2) + text.length / 1000 };
  }
  const places: number[] = [];
  for (const letter of sought) {
    const place = low.indexOf(letter, (places.at(-1) ?? -1) + 1);
    if (place < 0) return undefined;
    places.push(place);
  }
  return { pieces: split(text, places), rank: 10 + ((places.at(-1) ?? 0) - (places[0] ?? 0)) + text.length / 1000 };
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
