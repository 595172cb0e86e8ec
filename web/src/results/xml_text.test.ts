import { expect, test } from "vitest";
import { formatXml } from "./xml_text.ts";

test("elements stand on lines of their own, and text stays where it is", () => {
  expect(formatXml(`<?xml version="1.0"?><order id="1" note='a > b'><item/> <item>Tea <b>hot</b> please</item><!-- x < y --><empty></empty></order>`)).toBe(
    [
      '<?xml version="1.0"?>',
      `<order id="1" note='a > b'>`,
      "  <item/>",
      "  <item>Tea <b>hot</b> please</item>",
      "  <!-- x < y -->",
      "  <empty></empty>",
      "</order>",
    ].join("\n"),
  );
  expect(formatXml("<a><![CDATA[<b>]]></a>")).toBe("<a><![CDATA[<b>]]></a>");
  expect(formatXml("<ä:b/>")).toBe("<ä:b/>");
});

test("what is no XML is not laid out", () => {
  for (const text of ["", "a < b", "<a>", "</a>", "<a></b>", "<a", "<!-- no end", "text <a/>", "<!-- alone -->", '<!DOCTYPE a [<!ENTITY b "c">]><a/>', "<a b='>"]) {
    expect(formatXml(text), text).toBeUndefined();
  }
});

test("a megabyte of brackets is soon seen through", () => {
  const begun = performance.now();
  for (const part of ["<", "<a", "<!--", "<a b='", "<a>"]) formatXml(part.repeat(200_000));
  expect(performance.now() - begun).toBeLessThan(20_000);
});
