import type { SortKey } from "./arrangement.ts";
import type { ColumnLayout } from "./column_layout.ts";
import type { Place, Selection } from "./selection.ts";
import type { RowWindow } from "./source.ts";

/** What the grid tells of. Columns of places are counted as they are shown. */
export interface GridListener {
  readonly onSelect: (selection: Selection) => void;
  readonly onFailure: (error: unknown) => void;
  /** The user asks for a cell's whole value. */
  readonly onOpen: (place: Place) => void;
  readonly onCopy: (withNames: boolean) => void;
  /** The user sorts by a column of the result. */
  readonly onSort: (column: number, isAdded: boolean) => void;
  /** The user asks what there is to say of the active column, or to do with it. */
  readonly onColumn: (head: DOMRect) => void;
  /** The user asks what there is to do with the selected cells. */
  readonly onCells: (x: number, y: number) => void;
  readonly onLayout: (layout: ColumnLayout) => void;
}

/** How a grid begins. */
export interface GridStart {
  readonly rowCount: number;
  readonly layout: ColumnLayout;
  readonly sort: readonly SortKey[];
  readonly selection: Selection;
  /** Rows that are there already. */
  readonly firstRows: RowWindow | undefined;
}
