import type { SortKey } from "./arrangement.ts";
import { type ColumnLayout, moved, withWidth } from "./column_layout.ts";
import { ColumnPlaces } from "./column_places.ts";
import { fillCell } from "./grid_cells.ts";
import { characterWidths, element, haveCells, type RowElements } from "./grid_dom.ts";
import { GridHead } from "./grid_head.ts";
import type { GridListener, GridStart } from "./grid_listener.ts";
import { PAGE_ROWS, Pages } from "./pages.ts";
import { ScaledScroll } from "./scroll.ts";
import { isIn, lead, ORIGIN, type Place, placeByKey, rangeOf, type Selection, everything, wholeColumn, wholeRow } from "./selection.ts";
import type { Cell, ResultColumn, ResultSource } from "./source.ts";
import { gutterOf, widthOf } from "./widths.ts";

/** Rows beyond the lower edge that are drawn, so that a scroll by less than a row shows no gap. */
const SPARE_ROWS = 2;

/**
 * The grid: an island that draws the rows in sight and nothing else.
 *
 * Elements are made for a screen and used again as rows pass; nothing grows with the number of rows.
 */
export class GridView {
  readonly pages: Pages;
  private readonly scroll = new ScaledScroll();
  private readonly head: GridHead;
  /** The root scrolls itself: what scrolls is what has the focus. */
  private readonly scroller: HTMLElement;
  private readonly layer = element("div", "layer");
  private readonly space = element("div", "space");
  private rows: RowElements[] = [];
  private readonly places = new ColumnPlaces();
  private gutter = 44;
  private rowHeight = 26;
  private rowCount: number;
  private layout: ColumnLayout;
  private columns: readonly ResultColumn[] = [];
  private sort: readonly SortKey[] = [];
  private selection: Selection = ORIGIN;
  private isSelecting: "cells" | "rows" | undefined;
  private frame = 0;
  private lastTop = 0;
  /** Rows from the first on that the widths are fit to. */
  private fitRows = 0;
  private readonly over = new AbortController();
  private readonly observer = new ResizeObserver(() => this.resize());

  constructor(
    private readonly root: HTMLElement,
    private readonly source: ResultSource,
    private readonly listener: GridListener,
    start: GridStart,
  ) {
    this.scroller = root;
    this.rowCount = start.rowCount;
    this.layout = start.layout;
    this.pages = new Pages(source, start.rowCount, {
      onRows: () => {
        if (this.fitRows < PAGE_ROWS) this.widen();
        this.draw();
      },
      onFailure: listener.onFailure,
    });
    if (start.firstRows !== undefined) this.pages.put(start.firstRows);
    this.head = new GridHead({
      onSelect: (column, isExtended) => this.selectColumn(column, isExtended),
      onSelectAll: () => this.select(everything(this.bounds), false),
      onWidth: (column, width) => this.setWidth(column, width),
      onFit: (column) => this.setWidth(column, this.fitOf(column)),
      onSort: (column, isAdded) => listener.onSort(this.layout.order[column] ?? 0, isAdded),
      onMenu: (column) => this.openColumn(column),
      onMove: (column, to) => this.change(moved(this.layout, column, to)),
    });
    this.build();
    this.setLayout(start.layout);
    this.setSort(start.sort);
    this.selection = lead(start.selection, start.selection.active, this.bounds, true);
    this.listener.onSelect(this.selection);
    this.resize();
    this.observer.observe(root);
  }

  /** Shows other columns, or the same in another order. */
  setLayout(layout: ColumnLayout): void {
    this.layout = layout;
    this.columns = this.shownColumns();
    this.root.setAttribute("aria-colcount", String(this.columns.length));
    this.head.setColumns(this.columns, layout.frozen);
    this.fitAll();
    this.selection = lead(this.selection, this.selection.active, this.bounds, false);
    if (this.rows.length > 0) this.drawAnew();
  }

  /** Shows what has become known of the columns: rows, widths and what is selected stay. */
  hearColumns(): void {
    this.columns = this.shownColumns();
    this.head.hearColumns(this.columns);
    this.setSort(this.sort);
    this.place(this.widthsFrom(this.places.widths));
    this.drawAnew();
    this.draw();
  }

  private shownColumns(): readonly ResultColumn[] {
    return this.layout.order.flatMap((column) => this.source.columns[column] ?? []);
  }

  setSort(sort: readonly SortKey[]): void {
    this.sort = sort;
    const places = sort.map((key, index) => [this.layout.order.indexOf(key.column), { ...key, rank: index + 1 }] as const);
    this.head.setSort(new Map(places));
  }

  /** The column of the result that is shown at a place. */
  columnAt(place: number): number {
    return this.layout.order[place] ?? 0;
  }

  /** Asks for what there is to say of the column at a place. */
  openColumn(place = this.selection.active.column): void {
    this.showColumn(place);
    const box = this.head.boxOf(place);
    if (box !== undefined) this.listener.onColumn(box);
  }

  /** Puts the active column before or behind others, and stays with it. */
  moveColumn(by: number): void {
    const { row, column } = this.selection.active;
    const to = Math.max(0, Math.min(this.columns.length - 1, column + by));
    this.change(moved(this.layout, column, to));
    this.select(lead(this.selection, { row, column: to }, this.bounds, false));
    this.openColumn();
  }

  /** Gives the active column more or less room, or as much as it needs. */
  stretchColumn(by: number | "fit"): void {
    const { column } = this.selection.active;
    this.setWidth(column, by === "fit" ? this.fitOf(column) : (this.places.widths[column] ?? 0) + by);
  }

  /** Makes a row the active one, in the middle of what is seen. */
  goToRow(row: number): void {
    this.scroll.moveTo((row - this.pageRows / 2) * this.rowHeight);
    this.select(lead(this.selection, { row, column: this.selection.active.column }, this.bounds, false));
  }

  setRowCount(rowCount: number): void {
    if (rowCount === this.rowCount) return;
    this.rowCount = rowCount;
    this.root.setAttribute("aria-rowcount", String(rowCount + 1));
    this.pages.setRowCount(rowCount);
    this.resize();
  }

  select(selection: Selection, isShown = true): void {
    this.selection = selection;
    if (isShown) this.show(selection.active);
    this.listener.onSelect(selection);
    this.draw();
  }

  get selected(): Selection {
    return this.selection;
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.over.abort();
    this.pages.close();
    this.root.replaceChildren();
  }

  private get bounds() {
    return { rows: this.rowCount, columns: this.columns.length };
  }

  /** The height in which rows are seen. */
  private get viewHeight(): number {
    return Math.max(0, this.scroller.clientHeight - this.head.root.offsetHeight);
  }

  /** The width in which columns are seen. */
  private get viewWidth(): number {
    return this.scroller.clientWidth - this.gutter;
  }

  private get pageRows(): number {
    return Math.max(1, Math.floor(this.viewHeight / this.rowHeight) - 1);
  }

  private build(): void {
    const { root } = this;
    root.setAttribute("aria-rowcount", String(this.rowCount + 1));
    root.setAttribute("aria-multiselectable", "true");
    this.layer.setAttribute("role", "presentation");
    this.space.setAttribute("role", "presentation");
    root.replaceChildren(this.head.root, this.layer, this.space);
    root.scrollTop = 0;

    const { signal } = this.over;
    const onScroll = () => {
      this.scroll.follow(this.scroller.scrollTop);
      this.request();
    };
    root.addEventListener("scroll", onScroll, { passive: true, signal });
    root.addEventListener("wheel", (event) => this.onWheel(event), { passive: false, signal });
    this.layer.addEventListener("pointerdown", (event) => this.onPointerDown(event));
    this.layer.addEventListener("pointermove", (event) => this.onPointerMove(event));
    this.layer.addEventListener("pointerup", () => (this.isSelecting = undefined));
    this.layer.addEventListener("dblclick", () => this.listener.onOpen(this.selection.active));
    this.layer.addEventListener("contextmenu", (event) => this.onContextMenu(event));
    root.addEventListener("keydown", (event) => this.onKeyDown(event), { signal });
  }

  private selectColumn(column: number, isExtended: boolean): void {
    this.select(wholeColumn(column, this.bounds, isExtended ? this.selection : undefined), false);
    this.root.focus({ preventScroll: true });
  }

  private change(layout: ColumnLayout): void {
    this.setLayout(layout);
    this.listener.onLayout(layout);
  }

  private fitAll(): void {
    this.fitRows = this.pages.beginning;
    this.place(this.widthsFrom([]));
  }

  /** Makes room for rows that have come since: the first of them may have been one alone. Nothing becomes narrower under the pointer. */
  private widen(): void {
    const known = this.pages.beginning;
    if (known === this.fitRows) return;
    const before = this.fitRows === 0 ? [] : this.places.widths;
    this.fitRows = known;
    this.place(this.widthsFrom(before));
    for (const row of this.rows) row.row = -1;
  }

  /** As wide as somebody chose, else as what is known needs, and not narrower than before. */
  private widthsFrom(before: readonly number[]): readonly number[] {
    const characters = characterWidths();
    return this.layout.order.map((column, place) => this.layout.widths.get(column) ?? Math.max(before[place] ?? 0, this.fitOf(place, characters)));
  }

  private fitOf(place: number, characters = characterWidths()): number {
    const cells: Cell[] = [];
    const from = Math.max(0, Math.floor(this.scroll.top / this.rowHeight));
    for (let row = from; row < Math.min(this.rowCount, from + 200); row++) {
      const cell = this.pages.cell(row, this.columnAt(place));
      if (cell !== undefined) cells.push(cell);
    }
    const head = this.columns[place];
    return head === undefined ? 0 : widthOf(head, cells, characters);
  }

  private setWidth(place: number, wanted: number): void {
    const width = Math.max(32, Math.min(2000, Math.round(wanted)));
    this.layout = withWidth(this.layout, this.columnAt(place), width);
    this.listener.onLayout(this.layout);
    this.place(this.places.widths.with(place, width));
    this.drawAnew();
  }

  /** Puts columns side by side. */
  private place(widths: readonly number[]): void {
    this.places.set(widths, this.layout.frozen);
    this.head.place(this.places.lefts, widths, this.layout.frozen);
    this.space.style.width = `${this.places.total + this.gutter}px`;
  }

  private drawAnew(): void {
    for (const row of this.rows) row.row = -1;
    this.draw();
  }

  private resize(): void {
    this.rowHeight = Number.parseFloat(getComputedStyle(this.root).getPropertyValue("--row")) || 26;
    this.gutter = gutterOf(this.rowCount);
    this.root.style.setProperty("--gutter", `${this.gutter}px`);
    const height = this.viewHeight;
    this.head.root.style.width = `${this.scroller.clientWidth}px`;
    this.scroll.resize(this.rowCount * this.rowHeight, height);
    this.space.style.height = `${this.scroll.physicalHeight}px`;
    this.space.style.width = `${this.places.total + this.gutter}px`;
    // The layer stands still in the window of the scroller, and takes no place of its own.
    this.layer.style.height = `${height}px`;
    this.layer.style.marginBottom = `${-height}px`;
    this.layer.style.width = `${this.scroller.clientWidth}px`;
    const wanted = Math.ceil(height / this.rowHeight) + SPARE_ROWS;
    while (this.rows.length < wanted) this.rows.push(this.makeRow());
    for (const row of this.rows.splice(wanted)) row.root.remove();
    this.syncBar();
    this.drawAnew();
  }

  private makeRow(): RowElements {
    const root = element("div", "r");
    const number = element("div", "rn");
    const cells = element("div", "cells");
    const fixed = element("div", "cells fixed");
    root.setAttribute("role", "row");
    number.setAttribute("role", "rowheader");
    cells.setAttribute("role", "presentation");
    fixed.setAttribute("role", "presentation");
    root.append(number, fixed, cells);
    this.layer.append(root);
    return { root, number, fixed, cells, row: -1, isFilled: false, from: 0, to: 0 };
  }

  private request(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    const { top } = this.scroll;
    const first = Math.floor(top / this.rowHeight);
    const last = Math.min(this.rowCount - 1, first + this.rows.length - 1);
    const left = this.scroller.scrollLeft;
    this.root.style.setProperty("--left", `${-left}px`);
    const [from, to] = this.places.inSight(left, this.viewWidth);
    this.pages.want(first, last, Math.sign(top - this.lastTop) as -1 | 0 | 1);
    this.lastTop = top;
    const range = rangeOf(this.selection);
    for (let row = first; row < first + this.rows.length; row++) {
      const elements = this.rows[row % this.rows.length];
      if (elements === undefined) continue;
      const isThere = row <= last;
      elements.root.hidden = !isThere;
      if (!isThere) continue;
      elements.root.style.transform = `translateY(${row * this.rowHeight - top}px)`;
      this.fill(elements, row, from, to);
      this.mark(elements, row, range);
    }
    this.head.mark(range, this.rowCount > 0);
    const { active } = this.selection;
    if (active.row >= first && active.row <= last) this.root.setAttribute("aria-activedescendant", this.idOf(active));
    else this.root.removeAttribute("aria-activedescendant");
  }

  private fill(elements: RowElements, row: number, from: number, to: number): void {
    const isFilled = this.pages.has(row);
    if (elements.row === row && elements.isFilled === isFilled && elements.from === from && elements.to === to) return;
    elements.row = row;
    elements.isFilled = isFilled;
    elements.from = from;
    elements.to = to;
    elements.root.setAttribute("aria-rowindex", String(row + 2));
    elements.root.classList.toggle("waits", !isFilled);
    elements.number.textContent = (row + 1).toLocaleString("en-US");
    elements.fixed.hidden = this.layout.frozen === 0;
    elements.fixed.style.width = `${this.places.fixed}px`;
    haveCells(elements.fixed, this.layout.frozen);
    haveCells(elements.cells, to - from);
    this.eachCell(elements, (cell, column) => {
      const head = this.columns[column];
      if (head === undefined) return;
      cell.id = this.idOf({ row, column });
      cell.setAttribute("aria-colindex", String(column + 1));
      cell.style.left = `${this.places.lefts[column] ?? 0}px`;
      cell.style.width = `${this.places.widths[column] ?? 0}px`;
      fillCell(cell, head, this.pages.cell(row, this.columnAt(column)));
    });
  }

  /** Goes through the cells of a row that are drawn, with the places of their columns. */
  private eachCell({ fixed, cells, from }: RowElements, visit: (cell: HTMLElement, column: number) => void): void {
    for (let index = 0; index < fixed.children.length; index++) visit(fixed.children[index] as HTMLElement, index);
    for (let index = 0; index < cells.children.length; index++) visit(cells.children[index] as HTMLElement, from + index);
  }

  private mark(elements: RowElements, row: number, range: ReturnType<typeof rangeOf>): void {
    const inRows = row >= range.top && row <= range.bottom;
    elements.number.classList.toggle("in", inRows);
    this.eachCell(elements, (cell, column) => {
      const isSelected = inRows && isIn(range, row, column);
      cell.classList.toggle("in", isSelected);
      cell.classList.toggle("in-top", isSelected && row === range.top);
      cell.classList.toggle("in-bottom", isSelected && row === range.bottom);
      cell.classList.toggle("in-left", isSelected && column === range.left);
      cell.classList.toggle("in-right", isSelected && column === range.right);
      const isActive = row === this.selection.active.row && column === this.selection.active.column;
      cell.classList.toggle("now", isActive);
      cell.setAttribute("aria-selected", String(isSelected));
    });
  }

  private idOf({ row, column }: Place): string {
    return `${this.root.id}-${row}-${column}`;
  }

  private show({ row, column }: Place): void {
    this.scroll.show(row * this.rowHeight, (row + 1) * this.rowHeight);
    this.syncBar();
    this.showColumn(column);
  }

  private showColumn(column: number): void {
    this.scroller.scrollLeft = this.places.leftToShow(column, this.scroller.scrollLeft, this.viewWidth);
  }

  private syncBar(): void {
    if (Math.abs(this.scroller.scrollTop - this.scroll.physicalTop) >= 1) {
      const { top } = this.scroll;
      this.scroller.scrollTop = this.scroll.physicalTop;
      // The browser rounds the bar's place; the event that follows is not to move the rows by that.
      this.scroller.addEventListener("scroll", () => this.scroll.moveTo(top), { once: true, passive: true });
    }
  }

  private onWheel(event: WheelEvent): void {
    // A bar that stands for a hundred million pixels would leap over rows.
    if (!this.scroll.isScaled || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? this.rowHeight : 1;
    this.scroll.moveBy(event.deltaY * unit);
    this.syncBar();
    this.request();
  }

  private placeAt(event: MouseEvent): { readonly place: Place; readonly isNumber: boolean } {
    const box = this.layer.getBoundingClientRect();
    const inView = event.clientX - box.left - this.gutter;
    const row = Math.floor((event.clientY - box.top + this.scroll.top) / this.rowHeight);
    const column = this.places.at(inView, this.scroller.scrollLeft);
    return { place: { row, column }, isNumber: event.clientX - box.left < this.gutter };
  }

  private onPointerDown(event: PointerEvent): void {
    if (event.button !== 0 || this.rowCount === 0) return;
    this.root.focus({ preventScroll: true });
    const { place, isNumber } = this.placeAt(event);
    if (place.row >= this.rowCount) return;
    this.isSelecting = isNumber ? "rows" : "cells";
    this.layer.setPointerCapture(event.pointerId);
    if (isNumber) this.select(wholeRow(place.row, this.bounds, event.shiftKey ? this.selection : undefined), false);
    else this.select(lead(this.selection, place, this.bounds, event.shiftKey), event.shiftKey);
  }

  private onPointerMove(event: PointerEvent): void {
    if (this.isSelecting === undefined) return;
    const { place } = this.placeAt(event);
    const row = Math.max(0, Math.min(this.rowCount - 1, place.row));
    const { active } = this.selection;
    if (this.isSelecting === "rows") this.select(wholeRow(row, this.bounds, this.selection));
    else if (row !== active.row || place.column !== active.column) this.select(lead(this.selection, { ...place, row }, this.bounds, true));
  }

  private onContextMenu(event: MouseEvent): void {
    event.preventDefault();
    const { place } = this.placeAt(event);
    if (place.row >= this.rowCount) return;
    // A click beside the selection means the cell under it.
    if (!isIn(rangeOf(this.selection), place.row, place.column)) this.select(lead(this.selection, place, this.bounds, false), false);
    this.listener.onCells(event.clientX, event.clientY);
  }

  private onMenuKey(): void {
    const { active } = this.selection;
    this.show(active);
    const box = document.getElementById(this.idOf(active))?.getBoundingClientRect();
    if (box !== undefined) this.listener.onCells(box.left + 8, box.bottom);
  }

  private onKeyDown(event: KeyboardEvent): void {
    const isMod = event.ctrlKey || event.metaKey;
    const { active } = this.selection;
    const to = placeByKey({ key: event.key, isJump: isMod }, active, this.bounds, this.pageRows);
    if (event.altKey || this.rowCount === 0) return;
    if (to !== undefined) this.select(lead(this.selection, to, this.bounds, event.shiftKey));
    else if (isMod && event.code === "KeyA") this.select(everything(this.bounds), false);
    else if (isMod && event.code === "KeyC") this.listener.onCopy(event.shiftKey);
    else if (event.key === "Enter" && !isMod) this.listener.onOpen(active);
    else if (event.key === " " && !isMod) this.openColumn();
    else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) this.onMenuKey();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
