import type { CharacterWidths } from "./widths.ts";

/** Elements of the grid, which draws without components. */
export function element(name: string, className: string): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon of the set, by its path. */
export function sign(className: string, path: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const measured = new Map<number, CharacterWidths>();

/** Measured once for each size of text: the fonts are the page's own. */
export function characterWidths(): CharacterWidths {
  const style = getComputedStyle(document.documentElement);
  const more = Number.parseFloat(style.getPropertyValue("--more")) || 0;
  const known = measured.get(more);
  if (known !== undefined) return known;
  const context = document.createElement("canvas").getContext("2d");
  const measure = (font: string) => {
    if (context === null) return 8;
    context.font = font;
    return context.measureText("0123456789abcdefghijklmnop").width / 26;
  };
  const widths = {
    cell: measure(`${12 + more}px ${style.getPropertyValue("--font-code")}`) + 0.05,
    name: measure(`500 ${12 + more}px ${style.getPropertyValue("--font-ui")}`) + 0.3,
    type: measure(`${10.5 + more}px ${style.getPropertyValue("--font-code")}`) + 0.1,
  };
  measured.set(more, widths);
  return widths;
}

/** A row of the grid: elements that show one row after the other. */
export interface RowElements {
  readonly root: HTMLElement;
  readonly number: HTMLElement;
  /** The cells of the columns that stand still. */
  readonly fixed: HTMLElement;
  readonly cells: HTMLElement;
  /** The row that it shows. -1: none. */
  row: number;
  isFilled: boolean;
  from: number;
  to: number;
}

/** Gives a row so many cells, and no more. */
export function haveCells(parent: HTMLElement, count: number): void {
  while (parent.children.length < count) {
    const cell = element("div", "c");
    cell.setAttribute("role", "gridcell");
    parent.append(cell);
  }
  while (parent.children.length > count) parent.lastChild?.remove();
}
