/** A place in a result. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

/** What is selected: a rectangle between where it began and where it is led to, which is the active cell. */
export interface Selection {
  readonly anchor: Place;
  readonly active: Place;
}

export interface Bounds {
  readonly rows: number;
  readonly columns: number;
}

export interface Range {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export const ORIGIN: Selection = { anchor: { row: 0, column: 0 }, active: { row: 0, column: 0 } };

export function rangeOf({ anchor, active }: Selection): Range {
  return {
    top: Math.min(anchor.row, active.row),
    bottom: Math.max(anchor.row, active.row),
    left: Math.min(anchor.column, active.column),
    right: Math.max(anchor.column, active.column),
  };
}

export function isIn(range: Range, row: number, column: number): boolean {
  return row >= range.top && row <= range.bottom && column >= range.left && column <= range.right;
}

export function cellCount({ top, bottom, left, right }: Range): number {
  return (bottom - top + 1) * (right - left + 1);
}

/** Leads the selection to a place; `extends` keeps where it began. */
export function lead(selection: Selection, to: Place, bounds: Bounds, isExtended: boolean): Selection {
  const active = {
    row: Math.max(0, Math.min(bounds.rows - 1, to.row)),
    column: Math.max(0, Math.min(bounds.columns - 1, to.column)),
  };
  return { anchor: isExtended ? selection.anchor : active, active };
}

export function wholeRow(row: number, bounds: Bounds, from: Selection | undefined): Selection {
  // The active cell is the first one: it is what a reader begins with.
  return {
    anchor: { row: from?.anchor.row ?? row, column: Math.max(0, bounds.columns - 1) },
    active: { row, column: 0 },
  };
}

export function wholeColumn(column: number, bounds: Bounds, from: Selection | undefined): Selection {
  return {
    anchor: { row: Math.max(0, bounds.rows - 1), column: from?.anchor.column ?? column },
    active: { row: 0, column },
  };
}

export function everything(bounds: Bounds): Selection {
  return { anchor: { row: Math.max(0, bounds.rows - 1), column: Math.max(0, bounds.columns - 1) }, active: ORIGIN.active };
}

/** Where a key leads. `page`: rows of a screen. `undefined`: it is no key of the grid's. */
export function placeByKey(
  key: { readonly key: string; readonly isJump: boolean },
  { row, column }: Place,
  bounds: Bounds,
  page: number,
): Place | undefined {
  const [lastRow, lastColumn] = [bounds.rows - 1, bounds.columns - 1];
  switch (key.key) {
    case "ArrowUp":
      return { row: key.isJump ? 0 : row - 1, column };
    case "ArrowDown":
      return { row: key.isJump ? lastRow : row + 1, column };
    case "ArrowLeft":
      return { row, column: key.isJump ? 0 : column - 1 };
    case "ArrowRight":
      return { row, column: key.isJump ? lastColumn : column + 1 };
    case "Home":
      return { row: key.isJump ? 0 : row, column: 0 };
    case "End":
      return { row: key.isJump ? lastRow : row, column: lastColumn };
    case "PageUp":
      return { row: row - page, column };
    case "PageDown":
      return { row: row + page, column };
    default:
      return undefined;
  }
}
