/** Core counts in bytes of UTF-8, an editor in units of UTF-16: the place of a byte of a text. */
export function placeOfByte(text: string, byte: number): number {
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    if (bytes >= byte) return at;
    const point = text.codePointAt(at) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    at += point < 0x10000 ? 1 : 2;
  }
  return text.length;
}

/** The places of several bytes of a text, which is gone through once for all of them. */
export function placesOfBytes(text: string, bytes: Iterable<number>): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  let [at, before] = [0, 0];
  for (const byte of [...new Set(bytes)].toSorted((a, b) => a - b)) {
    at += placeOfByte(at === 0 ? text : text.slice(at), byte - before);
    places.set(byte, at);
    before = byte;
  }
  return places;
}

/** The line and column of a place, both from 1. */
export function lineOf(text: string, place: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, place);
  const line = before.split("\n").length;
  return { line, column: place - before.lastIndexOf("\n") };
}
