import { expect, test } from "vitest";
import { bytesOf, hexDump, imageType } from "./bytes_text.ts";

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
