import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Bytes of a pixel: red, green and blue, as browsers draw pages. */
const PIXEL = 3;

/** As many as a byte tells apart. */
const COLORS_MAX = 256;
/** So many of the commonest are kept as they are: surfaces and tints are among them. */
const KEPT = 112;

/** The same picture with a byte a pixel: of what a page is drawn in, few colors are more than the edges of letters. */
export function smaller(png: Buffer): Buffer {
  const chunks = chunksOf(png);
  const header = chunks.find(({ type }) => type === "IHDR")?.data;
  // Others than those of eight bits a color, not interlaced, stay as they are.
  if (header === undefined || header[8] !== 8 || header[9] !== 2 || header[12] !== 0) return png;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const pixels = unfiltered(inflateSync(Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data))), width * PIXEL, height);
  const palette = paletteOf(pixels);
  const places = new Map(palette.map((color, place) => [color, place]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < width * height; at++) {
    const color = pixels.readUIntBE(at * PIXEL, PIXEL);
    const place = places.get(color) ?? nearestIn(palette, color);
    places.set(color, place);
    rows[Math.floor(at / width) * (width + 1) + 1 + (at % width)] = place;
  }
  const written = Buffer.alloc(palette.length * PIXEL);
  for (const [place, color] of palette.entries()) written.writeUIntBE(color, place * PIXEL, PIXEL);
  const head = Buffer.from(header);
  head[9] = 3;
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", written), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

/** Colors that stand for all of them: the commonest, and of the others none beside one that looks the same. */
function paletteOf(pixels: Buffer): readonly number[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += PIXEL) {
    const color = pixels.readUIntBE(at, PIXEL);
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  const colors = [...counts].toSorted(([, a], [, b]) => b - a).map(([color]) => color);
  for (let apart = 0; ; apart += 2) {
    const palette: number[] = [];
    for (const color of colors) {
      if (palette.length < KEPT || palette.every((other) => distance(color, other) > apart ** 2)) palette.push(color);
      if (palette.length > COLORS_MAX) break;
    }
    if (palette.length <= COLORS_MAX) return palette;
  }
}

function nearestIn(palette: readonly number[], color: number): number {
  let [best, least] = [0, Infinity];
  for (const [place, other] of palette.entries()) {
    const far = distance(color, other);
    if (far < least) [best, least] = [place, far];
  }
  return best;
}

function distance(one: number, other: number): number {
  const red = (one >> 16) - (other >> 16);
  const green = ((one >> 8) & 255) - ((other >> 8) & 255);
  const blue = (one & 255) - (other & 255);
  return red * red + green * green + blue * blue;
}

/** Takes away what each row says by the one above or the pixel before it. */
function unfiltered(rows: Buffer, line: number, height: number): Buffer {
  const pixels = Buffer.alloc(line * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (line + 1)] ?? 0;
    for (let at = 0; at < line; at++) {
      const left = at < PIXEL ? 0 : (pixels[y * line + at - PIXEL] ?? 0);
      const above = y === 0 ? 0 : (pixels[(y - 1) * line + at] ?? 0);
      const corner = at < PIXEL || y === 0 ? 0 : (pixels[(y - 1) * line + at - PIXEL] ?? 0);
      const guess = [0, left, above, (left + above) >> 1, nearest(left, above, corner)][filter] ?? 0;
      pixels[y * line + at] = (rows[y * (line + 1) + 1 + at] ?? 0) + guess;
    }
  }
  return pixels;
}

/** Paeth's guess. */
function nearest(left: number, above: number, corner: number): number {
  const all = left + above - corner;
  const [a, b, c] = [Math.abs(all - left), Math.abs(all - above), Math.abs(all - corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

function chunksOf(png: Buffer): { readonly type: string; readonly data: Buffer }[] {
  const found = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    found.push({ type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return found;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named) >>> 0);
  return Buffer.concat([length, named, sum]);
}
