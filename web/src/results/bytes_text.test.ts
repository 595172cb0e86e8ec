import { expect, test } from "vitest";
import { bytesOf, hexDump, imageSize, imageType } from "./bytes_text.ts";

test("bytes are read from their digits", () => {
  expect(bytesOf("\\x00fF10")).toEqual(new Uint8Array([0, 255, 16]));
  expect(bytesOf("\\x")).toEqual(new Uint8Array());
  expect(bytesOf("\\x0")).toBeUndefined();
  expect(bytesOf("plain")).toBeUndefined();
});

test("sixteen bytes a line, with what they may spell", () => {
  const lines = hexDump(new TextEncoder().encode("Merci ! 0123456\n")).split("\n");
  expect(lines).toEqual(["000000  4d 65 72 63 69 20 21 20 30 31 32 33 34 35 36 0a  Merci ! 0123456."]);
});

test("an image is told by its first bytes, and markup is none", () => {
  expect(imageType(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1]))).toBe("image/png");
  expect(imageType(new TextEncoder().encode("<svg onload=alert(1)>"))).toBeUndefined();
});

test("an image says how large it is before it is unfolded", () => {
  const bytes = (hex: string) => bytesOf(`\\x${hex.replaceAll(" ", "")}`) ?? new Uint8Array();
  const png = "89504e470d0a1a0a 0000000d 49484452 0000c350 00000102";
  expect(imageSize(bytes(png))).toEqual({ width: 50_000, height: 258 });
  expect(imageSize(bytes("474946383961 0a00 0c00"))).toEqual({ width: 10, height: 12 });
  expect(imageSize(bytes("ffd8 ffe0 0004 0000 ff ffdb 0003 00 ffc2 0011 08 0102 0304"))).toEqual({ width: 0x304, height: 0x102 });
  const riff = "52494646 00000000 57454250";
  expect(imageSize(bytes(`${riff} 56503858 0a000000 00000000 ff0300 ff0100`))).toEqual({ width: 1024, height: 512 });
  expect(imageSize(bytes(`${riff} 5650384c 00000000 2f ff c3 7f 00`))).toEqual({ width: 1024, height: 512 });
  expect(imageSize(bytes(`${riff} 56503820 00000000 000000 9d012a 8002 e001`))).toEqual({ width: 640, height: 480 });
  // What is cut off, or none, says nothing.
  for (const hex of ["89504e470d0a1a0a", "ffd8ffe0", "ffd8ff", `${riff} 56503858`, "00000000 00000000 57454250", "3c737667"]) {
    expect(imageSize(bytes(hex)), hex).toBeUndefined();
  }
});
