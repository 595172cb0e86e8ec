import { wordsOf } from "./columns.ts";
import { sign } from "./grid_dom.ts";
import type { Cell, ResultColumn } from "./source.ts";
import { headFamily } from "./type_family.ts";

/** Above this a cell's text is not put into the page whole: no eye reads it in a cell. */
const SHOWN_MAX = 1_000;

/** Shows a cell. What comes from a database is only ever text. */
export function fillCell(element: HTMLElement, column: ResultColumn, cell: Cell | undefined): void {
  element.className = column.isNumber ? "c n" : "c";
  element.removeAttribute("title");
  if (cell === undefined) {
    element.textContent = "";
    return;
  }
  switch (cell.state) {
    case "null":
      element.replaceChildren(word("null", "NULL"));
      return;
    case "undecodable":
      element.classList.add("bad");
      element.title = "These bytes are no text in the database's encoding";
      element.replaceChildren(sign("i", WARN), word("hex", spacedBytes(cell.text.slice(0, SHOWN_MAX))));
      return;
    case "cut":
      element.classList.add("cut");
      element.replaceChildren(word("", oneLine(cell.text)), size(cell.fullBytes));
      return;
    case "value":
      if (cell.text === "") element.replaceChildren(word("empty", "empty"));
      else {
        if (column.family === "boolean" && /^(f|false|0)$/.test(cell.text)) element.classList.add("no");
        if (column.family === "json") element.classList.add("js");
        element.textContent = oneLine(cell.text);
      }
  }
}

/** `\\x5365f1` as `53 65 f1`. */
function spacedBytes(text: string): string {
  return text.replace(/^\\x/, "").replaceAll(/[0-9a-f]{2}(?=.)/gi, "$& ");
}

/** A cell is one line: line ends are shown as signs. */
function oneLine(text: string): string {
  const shown = text.length > SHOWN_MAX ? text.slice(0, SHOWN_MAX) : text;
  return shown.replaceAll(/\r\n|\r|\n/g, "↵").replaceAll("\t", "⇥");
}

function word(className: string, text: string): HTMLElement {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

function size(bytes: bigint | undefined): HTMLElement {
  const em = document.createElement("em");
  em.textContent = bytesText(bytes ?? 0n);
  return em;
}

/** `180 B`, `18.4 KB`, `3.1 MB`. */
export function bytesText(bytes: bigint): string {
  if (bytes < 1000n) return `${bytes} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = Number(bytes) / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit] ?? ""}`;
}

const WARN = "M7.15 3.05 1.9 12a1 1 0 0 0 .85 1.5h10.5a1 1 0 0 0 .85-1.5L8.850 3.050a1 1 0 0 0-1.700 0zM8 6.500v3M8 11.500v.010";
const KEY = "M7.75 10.75a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0zm-.65-1.85 5.9-5.9M10.5 5.5l2 2";

/** Shows a column's name, type, key and whether it may be NULL: by signs, by a tooltip, and in words for who does not see. */
export function fillHead(element: HTMLElement, column: ResultColumn): void {
  const name = word("nm", column.name);
  if (column.isKey) name.prepend(sign("i key", KEY));
  const family = headFamily(column);
  const type = word(`tp t-${family === "other" ? "enum" : family}`, "");
  type.append(word("", column.type));
  if (column.isNullable === true) type.classList.add("nul");
  const words = wordsOf(column);
  element.title = [column.name, [column.type, ...words].filter((text) => text !== "").join(" · ")].join("\n").trim();
  element.replaceChildren(name, type, word("sr", words.join(", ")));
}
