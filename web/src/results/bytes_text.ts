/** Bytes that are laid out at most. */
const DUMP_MAX = 65_536;

/** The bytes of a text such as `\x2550`. `undefined`: it is none. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^\\x(?:[0-9a-fA-F]{2})*$/.test(text)) return undefined;
  const bytes = new Uint8Array((text.length - 2) / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(text.slice(2 + at * 2, 4 + at * 2), 16);
  return bytes;
}

/** Bytes side by side with the characters that they may be, sixteen a line. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let from = 0; from < Math.min(bytes.length, DUMP_MAX); from += 16) {
    const part = Array.from(bytes.subarray(from, from + 16));
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const signs = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${from.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${signs}`);
  }
  return lines.join("\n");
}

const IMAGES: readonly (readonly [string, readonly number[], number])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], 0],
  ["image/jpeg", [0xff, 0xd8, 0xff], 0],
  ["image/gif", [0x47, 0x49, 0x46, 0x38], 0],
  ["image/webp", [0x57, 0x45, 0x42, 0x50], 8],
];

/** The type of an image by its first bytes. Of those that can hold no script. */
export function imageType(bytes: Uint8Array): string | undefined {
  const type = IMAGES.find(([, first, at]) => first.every((byte, index) => bytes[at + index] === byte))?.[0];
  return type === "image/webp" && !startsWith(bytes, 0, "RIFF") ? undefined : type;
}

interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** How large an image says that it is: a few bytes may unfold to more than a machine has. `undefined`: it does not say. */
export function imageSize(bytes: Uint8Array): ImageSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    switch (imageType(bytes)) {
      case "image/png":
        return { width: view.getUint32(16), height: view.getUint32(20) };
      case "image/gif":
        return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
      case "image/jpeg":
        return jpegSize(view);
      case "image/webp":
        return webpSize(view, bytes);
      default:
        return undefined;
    }
  } catch {
    // It ends before it has said so.
    return undefined;
  }
}

/** The first frame's size. Segments that say something else are passed over. */
function jpegSize(view: DataView): ImageSize | undefined {
  for (let at = 2; view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    // Filling bytes stand alone; every other segment here has a length.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}

function webpSize(view: DataView, bytes: Uint8Array): ImageSize | undefined {
  if (startsWith(bytes, 12, "VP8X")) return { width: (view.getUint32(24, true) & 0xffffff) + 1, height: (view.getUint32(26, true) >>> 8) + 1 };
  if (startsWith(bytes, 12, "VP8L")) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  return Array.from(text).every((sign, index) => bytes[at + index] === sign.charCodeAt(0));
}
