/** Which columns of a result are shown, in which order, how wide, and which of them stand still. */
export interface ColumnLayout {
  /** The shown columns, by their number in the result. */
  readonly order: readonly number[];
  /** So many of them stay at the left edge. */
  readonly frozen: number;
  /** Widths that somebody chose, by the column's number in the result. */
  readonly widths: ReadonlyMap<number, number>;
}

export function layoutOf(columns: number): ColumnLayout {
  return { order: Array.from({ length: columns }, (_, column) => column), frozen: 0, widths: new Map() };
}

/** Puts the column at a place before or behind the one at another. */
export function moved(layout: ColumnLayout, from: number, to: number): ColumnLayout {
  const column = layout.order[from];
  if (column === undefined) return layout;
  // What is put among the frozen ones is frozen, and what leaves them is not.
  const { frozen } = layout;
  const change = from < frozen && to >= frozen ? -1 : from >= frozen && to < frozen ? 1 : 0;
  return { ...layout, order: layout.order.toSpliced(from, 1).toSpliced(to, 0, column), frozen: frozen + change };
}

/** The last column that is shown cannot be hidden. */
export function hidden(layout: ColumnLayout, column: number): ColumnLayout {
  const at = layout.order.indexOf(column);
  if (at < 0 || layout.order.length === 1) return layout;
  return { ...layout, order: layout.order.toSpliced(at, 1), frozen: layout.frozen - (at < layout.frozen ? 1 : 0) };
}

/** A hidden column comes back behind the one that stands before it in the result. */
export function shownAgain(layout: ColumnLayout, column: number): ColumnLayout {
  if (layout.order.includes(column)) return layout;
  const before = layout.order.findLastIndex((other) => other < column);
  const at = Math.max(before + 1, layout.frozen);
  return { ...layout, order: layout.order.toSpliced(at, 0, column) };
}

/** Freezes a column with all before it, or, when it is frozen, it and all behind it no more. */
export function frozenAt(layout: ColumnLayout, column: number): ColumnLayout {
  const at = layout.order.indexOf(column);
  if (at < 0) return layout;
  return { ...layout, frozen: at < layout.frozen ? at : at + 1 };
}

export function withWidth(layout: ColumnLayout, column: number, width: number): ColumnLayout {
  return { ...layout, widths: new Map(layout.widths).set(column, width) };
}
