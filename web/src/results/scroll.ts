/**
 * Where a list of any length stands, in a browser that cannot scroll any length.
 *
 * Browsers cap the height of elements at 17 to 33 million pixels. Above `PHYSICAL_MAX` the bar stands for places in
 * proportion, and the wheel, keys and touches move by rows all the same.
 */
export class ScaledScroll {
  /** The place of the upper edge in a list of full height, in pixels. */
  top = 0;
  private total = 0;
  private view = 0;

  get physicalHeight(): number {
    return Math.min(this.total, PHYSICAL_MAX);
  }

  get isScaled(): boolean {
    return this.total > PHYSICAL_MAX;
  }

  /** Where the browser's own bar has to stand. */
  get physicalTop(): number {
    if (!this.isScaled) return this.top;
    const most = this.most;
    return most === 0 ? 0 : (this.top / most) * (PHYSICAL_MAX - this.view);
  }

  resize(totalHeight: number, viewHeight: number): void {
    this.total = totalHeight;
    this.view = viewHeight;
    this.moveTo(this.top);
  }

  moveTo(top: number): void {
    this.top = Math.max(0, Math.min(this.most, top));
  }

  moveBy(pixels: number): void {
    this.moveTo(this.top + pixels);
  }

  /** Follows the browser's bar. A small step is a wheel, a key or a touch, and moves as far; a large one drags the bar. */
  follow(physicalTop: number): void {
    const step = physicalTop - this.physicalTop;
    if (!this.isScaled) this.moveTo(physicalTop);
    else if (Math.abs(step) < this.view) this.moveBy(step);
    else this.moveTo((physicalTop / Math.max(1, PHYSICAL_MAX - this.view)) * this.most);
  }

  /** Moves as little as is needed to have a stretch in sight. */
  show(from: number, to: number): void {
    if (from < this.top) this.moveTo(from);
    else if (to > this.top + this.view) this.moveTo(to - this.view);
  }

  private get most(): number {
    return Math.max(0, this.total - this.view);
  }
}

/** Below what every browser takes, with room for a device's own scale. */
export const PHYSICAL_MAX = 8_000_000;
