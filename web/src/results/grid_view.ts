import { Pages } from "./pages.ts";
import { ScaledScroll } from "./scroll.ts";
import { isIn, lead, ORIGIN, type Place, placeByKey, rangeOf, type Selection, everything, wholeColumn, wholeRow } from "./selection.ts";
import type { Cell, ResultColumn, ResultSource, RowWindow } from "./source.ts";
import { fillCell, fillHead } from "./grid_cells.ts";
import { type CharacterWidths, gutterOf, widthOf } from "./widths.ts";

/** What the grid tells of. */
export interface GridListener {
  readonly onSelect: (selection: Selection) => void;
  readonly onFailure: (error: unknown) => void;
  /** The user asks for a cell's whole value. */
  readonly onOpen: (place: Place) => void;
  readonly onCopy: (withNames: boolean) => void;
}

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
  private readonly head = element("div", "r hd");
  private readonly headCells = element("div", "cells");
  private readonly scroller = element("div", "scroller");
  private readonly layer = element("div", "layer");
  private readonly space = element("div", "space");
  private rows: RowElements[] = [];
  private widths: number[] = [];
  private lefts: number[] = [0];
  private gutter = 44;
  private rowHeight = 26;
  private selection: Selection = ORIGIN;
  private isSelecting: "cells" | "rows" | undefined;
  private frame = 0;
  private lastTop = 0;
  private areWidthsFit = false;
  private readonly observer = new ResizeObserver(() => this.resize());

  constructor(
    private readonly root: HTMLElement,
    private readonly source: ResultSource,
    private rowCount: number,
    private readonly listener: GridListener,
    firstRows?: RowWindow,
  ) {
    this.pages = new Pages(source, rowCount, {
      onRows: () => {
        if (!this.areWidthsFit) this.fitAll();
        this.draw();
      },
      onFailure: listener.onFailure,
    });
    if (firstRows !== undefined) this.pages.put(firstRows);
    this.build();
    this.fitAll();
    this.resize();
    this.observer.observe(root);
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
    this.pages.close();
    this.root.replaceChildren();
  }

  private get bounds() {
    return { rows: this.rowCount, columns: this.source.columns.length };
  }

  private get pageRows(): number {
    return Math.max(1, Math.floor((this.scroller.clientHeight) / this.rowHeight) - 1);
  }

  private build(): void {
    const { root } = this;
    root.setAttribute("aria-rowcount", String(this.rowCount + 1));
    root.setAttribute("aria-colcount", String(this.source.columns.length));
    root.setAttribute("aria-multiselectable", "true");
    this.head.setAttribute("role", "row");
    this.head.setAttribute("aria-rowindex", "1");
    const corner = element("div", "rn hd0");
    corner.addEventListener("click", () => this.select(everything(this.bounds), false));
    this.head.append(corner, this.headCells);
    this.source.columns.forEach((column, index) => this.headCells.append(this.headCell(column, index)));
    this.layer.setAttribute("role", "presentation");
    this.space.setAttribute("role", "presentation");
    this.scroller.append(this.layer, this.space);
    root.replaceChildren(this.head, this.scroller);

    this.scroller.addEventListener("scroll", () => {
      this.scroll.follow(this.scroller.scrollTop);
      this.request();
    }, { passive: true });
    this.scroller.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.layer.addEventListener("pointerdown", (event) => this.onPointerDown(event));
    this.layer.addEventListener("pointermove", (event) => this.onPointerMove(event));
    this.layer.addEventListener("pointerup", () => (this.isSelecting = undefined));
    this.layer.addEventListener("dblclick", () => this.listener.onOpen(this.selection.active));
    root.addEventListener("keydown", (event) => this.onKeyDown(event));
  }

  private headCell(column: ResultColumn, index: number): HTMLElement {
    const cell = element("div", column.isNumber ? "h n" : "h");
    cell.setAttribute("role", "columnheader");
    cell.setAttribute("aria-colindex", String(index + 1));
    fillHead(cell, column);
    cell.addEventListener("click", (event) => {
      const from = event.shiftKey ? this.selection : undefined;
      this.select(wholeColumn(index, this.bounds, from), false);
      this.root.focus({ preventScroll: true });
    });
    const edge = element("div", "edge");
    edge.addEventListener("click", (event) => event.stopPropagation());
    edge.addEventListener("dblclick", (event) => {
      event.stopPropagation();
      this.setWidth(index, this.fitOf(index));
    });
    edge.addEventListener("pointerdown", (event) => edge.setPointerCapture(event.pointerId));
    edge.addEventListener("pointermove", (event) => {
      if (edge.hasPointerCapture(event.pointerId)) this.setWidth(index, event.clientX - cell.getBoundingClientRect().left);
    });
    cell.append(edge);
    return cell;
  }

  private fitAll(): void {
    this.widths = this.source.columns.map((_, index) => this.fitOf(index));
    this.areWidthsFit = this.pages.has(0);
    this.place();
  }

  private fitOf(column: number): number {
    const cells: Cell[] = [];
    const from = Math.max(0, Math.floor(this.scroll.top / this.rowHeight));
    for (let row = from; row < Math.min(this.rowCount, from + 200); row++) {
      const cell = this.pages.cell(row, column);
      if (cell !== undefined) cells.push(cell);
    }
    const head = this.source.columns[column];
    return head === undefined ? 0 : widthOf(head, cells, characterWidths());
  }

  private setWidth(column: number, width: number): void {
    this.widths[column] = Math.max(32, Math.min(2000, Math.round(width)));
    this.place();
    for (const row of this.rows) row.row = -1;
    this.draw();
  }

  /** Puts columns side by side. */
  private place(): void {
    this.lefts = [0];
    for (const width of this.widths) this.lefts.push((this.lefts.at(-1) ?? 0) + width);
    this.widths.forEach((width, index) => {
      const cell = this.headCells.children[index];
      if (!(cell instanceof HTMLElement)) return;
      cell.style.left = `${this.lefts[index] ?? 0}px`;
      cell.style.width = `${width}px`;
    });
  }

  private resize(): void {
    this.rowHeight = Number.parseFloat(getComputedStyle(this.root).getPropertyValue("--row")) || 26;
    this.gutter = gutterOf(this.rowCount);
    this.root.style.setProperty("--gutter", `${this.gutter}px`);
    const height = this.scroller.clientHeight;
    this.scroll.resize(this.rowCount * this.rowHeight, height);
    this.space.style.height = `${this.scroll.physicalHeight}px`;
    this.space.style.width = `${(this.lefts.at(-1) ?? 0) + this.gutter}px`;
    // The layer stands still in the window of the scroller, and takes no place of its own.
    this.layer.style.height = `${height}px`;
    this.layer.style.marginBottom = `${-height}px`;
    this.layer.style.width = `${this.scroller.clientWidth}px`;
    const wanted = Math.ceil(height / this.rowHeight) + SPARE_ROWS;
    while (this.rows.length < wanted) this.rows.push(this.makeRow());
    for (const row of this.rows.splice(wanted)) row.root.remove();
    for (const row of this.rows) row.row = -1;
    this.syncBar();
    this.draw();
  }

  private makeRow(): RowElements {
    const root = element("div", "r");
    const number = element("div", "rn");
    const cells = element("div", "cells");
    root.setAttribute("role", "row");
    number.setAttribute("role", "rowheader");
    cells.setAttribute("role", "presentation");
    root.append(number, cells);
    this.layer.append(root);
    return { root, number, cells, row: -1, isFilled: false, from: 0, to: 0 };
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
    const [from, to] = this.columnsInSight(left);
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
    this.markHead(range);
    const { active } = this.selection;
    if (active.row >= first && active.row <= last) this.root.setAttribute("aria-activedescendant", this.idOf(active));
    else this.root.removeAttribute("aria-activedescendant");
  }

  private columnsInSight(left: number): readonly [number, number] {
    const width = this.scroller.clientWidth - this.gutter;
    let from = 0;
    while (from < this.widths.length - 1 && (this.lefts[from + 1] ?? 0) <= left) from++;
    let to = from;
    while (to < this.widths.length && (this.lefts[to] ?? 0) < left + width) to++;
    return [from, to];
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
    const { cells } = elements;
    while (cells.children.length < to - from) cells.append(cellElement());
    while (cells.children.length > to - from) cells.lastChild?.remove();
    for (let column = from; column < to; column++) {
      const cell = cells.children[column - from];
      const head = this.source.columns[column];
      if (!(cell instanceof HTMLElement) || head === undefined) continue;
      cell.id = this.idOf({ row, column });
      cell.setAttribute("aria-colindex", String(column + 1));
      cell.style.left = `${this.lefts[column] ?? 0}px`;
      cell.style.width = `${this.widths[column] ?? 0}px`;
      fillCell(cell, head, this.pages.cell(row, column));
    }
  }

  private mark(elements: RowElements, row: number, range: ReturnType<typeof rangeOf>): void {
    const inRows = row >= range.top && row <= range.bottom;
    elements.number.classList.toggle("in", inRows);
    for (let column = elements.from; column < elements.to; column++) {
      const cell = elements.cells.children[column - elements.from];
      if (!(cell instanceof HTMLElement)) continue;
      const isSelected = inRows && isIn(range, row, column);
      cell.classList.toggle("in", isSelected);
      cell.classList.toggle("in-top", isSelected && row === range.top);
      cell.classList.toggle("in-bottom", isSelected && row === range.bottom);
      cell.classList.toggle("in-left", isSelected && column === range.left);
      cell.classList.toggle("in-right", isSelected && column === range.right);
      const isActive = row === this.selection.active.row && column === this.selection.active.column;
      cell.classList.toggle("now", isActive);
      cell.setAttribute("aria-selected", String(isSelected));
    }
  }

  private markHead(range: ReturnType<typeof rangeOf>): void {
    Array.from(this.headCells.children).forEach((cell, column) => {
      cell.classList.toggle("in", column >= range.left && column <= range.right && this.rowCount > 0);
    });
  }

  private idOf({ row, column }: Place): string {
    return `${this.root.id}-${row}-${column}`;
  }

  private show({ row, column }: Place): void {
    this.scroll.show(row * this.rowHeight, (row + 1) * this.rowHeight);
    this.syncBar();
    const [left, right] = [this.lefts[column] ?? 0, this.lefts[column + 1] ?? 0];
    const width = this.scroller.clientWidth - this.gutter;
    if (left < this.scroller.scrollLeft) this.scroller.scrollLeft = left;
    else if (right > this.scroller.scrollLeft + width) this.scroller.scrollLeft = right - width;
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

  private placeAt(event: PointerEvent): { readonly place: Place; readonly isNumber: boolean } {
    const box = this.layer.getBoundingClientRect();
    const x = event.clientX - box.left - this.gutter + this.scroller.scrollLeft;
    const row = Math.floor((event.clientY - box.top + this.scroll.top) / this.rowHeight);
    let column = this.widths.length - 1;
    while (column > 0 && (this.lefts[column] ?? 0) > x) column--;
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

  private onKeyDown(event: KeyboardEvent): void {
    const isMod = event.ctrlKey || event.metaKey;
    const { active } = this.selection;
    const to = placeByKey({ key: event.key, isJump: isMod }, active, this.bounds, this.pageRows);
    if (event.altKey || this.rowCount === 0) return;
    if (to !== undefined) this.select(lead(this.selection, to, this.bounds, event.shiftKey));
    else if (isMod && event.code === "KeyA") this.select(everything(this.bounds), false);
    else if (isMod && event.code === "KeyC") this.listener.onCopy(event.shiftKey);
    else if (event.key === "Enter" && !isMod) this.listener.onOpen(active);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

interface RowElements {
  readonly root: HTMLElement;
  readonly number: HTMLElement;
  readonly cells: HTMLElement;
  /** The row that it shows. -1: none. */
  row: number;
  isFilled: boolean;
  from: number;
  to: number;
}

function element(name: string, className: string): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

function cellElement(): HTMLElement {
  const cell = element("div", "c");
  cell.setAttribute("role", "gridcell");
  return cell;
}

let measured: CharacterWidths | undefined;

/** Measured once: the fonts are the page's own. */
function characterWidths(): CharacterWidths {
  if (measured !== undefined) return measured;
  const context = document.createElement("canvas").getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const measure = (font: string) => {
    if (context === null) return 8;
    context.font = font;
    return context.measureText("0123456789abcdefghijklmnop").width / 26;
  };
  measured = {
    cell: measure(`12px ${style.getPropertyValue("--font-code")}`) + 0.05,
    name: measure(`500 12px ${style.getPropertyValue("--font-ui")}`) + 0.3,
    type: measure(`10.5px ${style.getPropertyValue("--font-code")}`) + 0.1,
  };
  return measured;
}
