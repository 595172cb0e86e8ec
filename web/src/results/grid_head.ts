import type { SortKey } from "./arrangement.ts";
import { fillHead } from "./grid_cells.ts";
import { element, sign } from "./grid_dom.ts";
import type { Range } from "./selection.ts";
import type { ResultColumn } from "./source.ts";

/** What a head tells of. Columns are counted as they are shown. */
export interface HeadListener {
  readonly onSelect: (column: number, isExtended: boolean) => void;
  readonly onSelectAll: () => void;
  readonly onWidth: (column: number, width: number) => void;
  readonly onFit: (column: number) => void;
  readonly onSort: (column: number, isAdded: boolean) => void;
  readonly onMenu: (column: number) => void;
  readonly onMove: (column: number, to: number) => void;
}

const UP = "M8 12.5v-9M4.5 7 8 3.5 11.5 7";
const DOWN = "M8 3.5v9M4.5 9 8 12.5 11.5 9";
/** Pixels that a pointer moves before it takes a column with it. */
const DRAG_FROM = 6;

/** The heads of the columns: names, types, order, widths. */
export class GridHead {
  readonly root = element("div", "r hd");
  private readonly cells = element("div", "cells");
  private readonly fixed = element("div", "cells fixed");
  private heads: readonly HTMLElement[] = [];
  private sorted: ReadonlyMap<number, SortKey & { readonly rank: number }> = new Map();
  private ordersAsText: readonly boolean[] = [];
  private drag: { readonly column: number; readonly x: number; isMoving: boolean } | undefined;

  constructor(private readonly listener: HeadListener) {
    this.root.setAttribute("role", "row");
    this.root.setAttribute("aria-rowindex", "1");
    const corner = element("div", "rn hd0");
    corner.title = "Select all";
    corner.addEventListener("click", () => listener.onSelectAll());
    this.root.append(corner, this.cells, this.fixed);
  }

  /** Shows columns in this order, the first `frozen` of them where they stay. */
  setColumns(columns: readonly ResultColumn[], frozen: number): void {
    this.heads = columns.map((column, index) => this.makeHead(column, index));
    this.ordersAsText = columns.map((column) => column.ordersAsText === true);
    this.fixed.replaceChildren(...this.heads.slice(0, frozen));
    this.cells.replaceChildren(...this.heads.slice(frozen));
  }

  /** Takes what has become known of the same columns. The heads stay: one may be under the pointer, or be dragged. */
  hearColumns(columns: readonly ResultColumn[]): void {
    this.ordersAsText = columns.map((column) => column.ordersAsText === true);
    columns.forEach((column, index) => {
      const head = this.heads[index];
      if (head === undefined) return;
      const own = [...head.querySelectorAll(":scope > .sort, :scope > .edge")];
      fillHead(head, column);
      head.append(...own);
    });
  }

  place(lefts: readonly number[], widths: readonly number[], frozen: number): void {
    this.fixed.style.width = `${lefts[frozen] ?? 0}px`;
    this.fixed.hidden = frozen === 0;
    this.heads.forEach((head, index) => {
      head.style.left = `${lefts[index] ?? 0}px`;
      head.style.width = `${widths[index] ?? 0}px`;
    });
  }

  /** `keys`: by the place of the column. */
  setSort(keys: ReadonlyMap<number, SortKey & { readonly rank: number }>): void {
    this.sorted = keys;
    this.heads.forEach((head, index) => {
      const key = keys.get(index);
      head.setAttribute("aria-sort", key === undefined ? "none" : key.isDescending ? "descending" : "ascending");
      if (key !== undefined) this.haveTools(head, index);
      const button = head.querySelector<HTMLElement>(".sort");
      if (button === null) return;
      button.classList.toggle("on", key !== undefined);
      button.replaceChildren(sign("i s", key?.isDescending === true ? DOWN : UP));
      if (key !== undefined && keys.size > 1) button.append(String(key.rank));
      const how = this.ordersAsText[index] === true ? ", as text" : "";
      button.title = key === undefined ? `Sort${how}  Shift adds to the order` : key.isDescending ? `Sorted descending${how}` : `Sorted ascending${how}`;
    });
  }

  mark(range: Range, hasRows: boolean): void {
    this.heads.forEach((head, column) => head.classList.toggle("in", hasRows && column >= range.left && column <= range.right));
  }

  /** Where a column's head stands on the screen. */
  boxOf(column: number): DOMRect | undefined {
    return this.heads[column]?.getBoundingClientRect();
  }

  private makeHead(column: ResultColumn, index: number): HTMLElement {
    const { listener } = this;
    const head = element("div", column.isNumber ? "h n" : "h");
    head.setAttribute("role", "columnheader");
    head.setAttribute("aria-colindex", String(index + 1));
    fillHead(head, column);
    head.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      listener.onSelect(index, false);
      listener.onMenu(index);
    });
    head.addEventListener("pointerdown", (event) => {
      if (event.button === 0) this.drag = { column: index, x: event.clientX, isMoving: false };
    });
    head.addEventListener("pointermove", (event) => this.onMove(head, event));
    head.addEventListener("pointerup", (event) => this.onUp(event));
    head.addEventListener("pointercancel", () => this.endDrag());
    // Of a thousand columns few are ever pointed at.
    head.addEventListener("pointerenter", () => this.haveTools(head, index));
    return head;
  }

  /** A press that does not move selects; one that does takes the column along. */
  private onMove(head: HTMLElement, event: PointerEvent): void {
    if (this.drag === undefined) return;
    if (!this.drag.isMoving && Math.abs(event.clientX - this.drag.x) < DRAG_FROM) return;
    this.drag.isMoving = true;
    head.setPointerCapture(event.pointerId);
    head.classList.add("moving");
    const to = this.columnAt(event.clientX);
    this.heads.forEach((other, index) => other.classList.toggle("drop", index === to && to !== this.drag?.column));
  }

  private onUp(event: PointerEvent): void {
    const { drag } = this;
    this.endDrag();
    if (drag === undefined) return;
    const to = this.columnAt(event.clientX);
    if (!drag.isMoving) this.listener.onSelect(drag.column, event.shiftKey);
    else if (to !== undefined && to !== drag.column) this.listener.onMove(drag.column, to);
  }

  private endDrag(): void {
    this.drag = undefined;
    for (const head of this.heads) head.classList.remove("moving", "drop");
  }

  private columnAt(x: number): number | undefined {
    const at = this.heads.findIndex((head) => {
      const { left, right } = head.getBoundingClientRect();
      return x >= left && x < right;
    });
    return at < 0 ? undefined : at;
  }

  /** Has what sorts a column and what makes it wider in its head. */
  private haveTools(head: HTMLElement, index: number): void {
    if (head.querySelector(".edge") !== null) return;
    head.append(this.sortButton(index), this.edge(head, index));
    this.setSort(this.sorted);
  }

  private sortButton(index: number): HTMLElement {
    const button = element("span", "sort");
    button.addEventListener("pointerdown", (event) => event.stopPropagation());
    button.addEventListener("click", (event) => this.listener.onSort(index, event.shiftKey));
    return button;
  }

  private edge(head: HTMLElement, index: number): HTMLElement {
    const edge = element("div", "edge");
    edge.addEventListener("dblclick", () => this.listener.onFit(index));
    edge.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      edge.setPointerCapture(event.pointerId);
    });
    edge.addEventListener("pointermove", (event) => {
      if (edge.hasPointerCapture(event.pointerId)) this.listener.onWidth(index, event.clientX - head.getBoundingClientRect().left);
    });
    return edge;
  }
}
