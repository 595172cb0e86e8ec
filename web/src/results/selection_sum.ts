import type { Cell, ResultColumn, RowWindow } from "./source.ts";
import type { Range } from "./selection.ts";

/** Cells that are summed up at most as the selection moves. */
export const SUM_CELLS_MAX = 100_000;

/** What there is to say of the selected cells. */
export interface CellsSum {
  readonly cells: number;
  readonly nulls: number;
  readonly empties: number;
  readonly undecodable: number;
  /** Of the numbers among them: how many, and their exact sum. Absent: there are none. */
  readonly numbers: { readonly count: number; readonly sum: string; readonly average: string } | undefined;
}

/** Sums cells up, each by its own kind: in some databases that of a column is not that of all its values. */
export async function sumOf(windows: AsyncIterable<RowWindow>, range: Range, columns: readonly ResultColumn[]): Promise<CellsSum> {
  let [cells, nulls, empties, undecodable, count] = [0, 0, 0, 0, 0];
  const sum = new DecimalSum();
  for await (const window of windows) {
    for (let row = window.first; row < window.first + window.count; row++) {
      for (let column = range.left; column <= range.right; column++) {
        const cell: Cell = window.cell(row, column);
        cells++;
        if (cell.state === "null") nulls++;
        else if (cell.state === "undecodable") undecodable++;
        else if (cell.state === "value" && cell.text === "") empties++;
        else if (cell.state === "value" && (cell.family ?? columns[column]?.family) === "number" && sum.add(cell.text)) count++;
      }
    }
  }
  const numbers = count === 0 ? undefined : { count, sum: sum.text(), average: sum.average(count) };
  return { cells, nulls, empties, undecodable, numbers };
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;
const AVERAGE_DIGITS = 4;

/** Adds decimal numbers up without rounding. */
export class DecimalSum {
  private units = 0n;
  private scale = 0;

  /** Answers whether the text is a number. */
  add(text: string): boolean {
    const found = DECIMAL.exec(text);
    if (found === null) return false;
    const [, sign, whole = "", part = "", exponent = "0"] = found;
    let scale = part.length - Number(exponent);
    let units = BigInt(`${sign ?? ""}${whole}${part}`);
    if (scale < 0) {
      units *= 10n ** BigInt(-scale);
      scale = 0;
    }
    if (scale > this.scale) {
      this.units *= 10n ** BigInt(scale - this.scale);
      this.scale = scale;
    } else units *= 10n ** BigInt(this.scale - scale);
    this.units += units;
    return true;
  }

  text(): string {
    return decimalText(this.units, this.scale);
  }

  /** The mean to a few digits more than the numbers have; `…` stands for those that are left out. */
  average(count: number): string {
    const scale = this.scale + AVERAGE_DIGITS;
    const wide = this.units * 10n ** BigInt(AVERAGE_DIGITS);
    const text = decimalText(wide / BigInt(count), scale);
    if (wide % BigInt(count) !== 0n) return `${text}…`;
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }
}

function decimalText(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${units < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ""}`;
}

/** Characters of a number that a line has room for. */
const LINE_MAX = 24;
/** Digits of one that is told by its power of ten. */
const ABOUT_DIGITS = 12;

/** A decimal number in a line: one that is too long ends with `…`, or is told by its power of ten where its first digits are not enough. */
export function shortDecimal(text: string): string {
  if (text.length <= LINE_MAX) return text;
  const [, sign = "", whole = "", part = ""] = /^(-?)(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  const digits = (whole + part).replace(/^0+/, "");
  const power = whole.length - 1 - ((whole + part).length - digits.length);
  // Digits that tell something are in sight.
  if (digits === "" || (sign.length + whole.length + ABOUT_DIGITS / 2 <= LINE_MAX && power > -ABOUT_DIGITS / 2)) return `${text.slice(0, LINE_MAX - 1)}…`;
  const rest = digits.slice(1, ABOUT_DIGITS).replace(/0+$/, "");
  const isExact = !text.endsWith("…") && /^0*$/.test(digits.slice(ABOUT_DIGITS));
  return `${isExact ? "" : "about "}${sign}${digits.slice(0, 1)}${rest === "" ? "" : `.${rest}`}e${power < 0 ? "" : "+"}${power}`;
}

/** `6 cells · sum 4137.80 · average 689.6333…` */
export function sumText({ cells, nulls, empties, undecodable, numbers }: CellsSum, textOf: (decimal: string) => string = shortDecimal): string {
  const parts = [`${cells.toLocaleString("en-US")} cells`];
  if (numbers !== undefined) parts.push(`sum ${textOf(numbers.sum)}`, `average ${textOf(numbers.average)}`);
  if (nulls > 0) parts.push(`${nulls.toLocaleString("en-US")} NULL`);
  if (empties > 0) parts.push(`${empties.toLocaleString("en-US")} empty`);
  if (undecodable > 0) parts.push(`${undecodable.toLocaleString("en-US")} undecodable`);
  return parts.join(" · ");
}
