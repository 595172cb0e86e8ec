/** Columns side by side: how wide each is, and where it begins. They are counted as they are shown. */
export class ColumnPlaces {
  widths: readonly number[] = [];
  /** Where each begins, and behind them where the last one ends. */
  lefts: readonly number[] = [0];
  private frozen = 0;

  set(widths: readonly number[], frozen: number): void {
    const lefts = [0];
    for (const width of widths) lefts.push((lefts.at(-1) ?? 0) + width);
    this.widths = widths;
    this.lefts = lefts;
    this.frozen = frozen;
  }

  get total(): number {
    return this.lefts.at(-1) ?? 0;
  }

  /** The width of the columns that stand still. */
  get fixed(): number {
    return this.lefts[this.frozen] ?? 0;
  }

  /** The columns that move and are in sight: the first, and one past the last. `left`: how far they have moved. */
  inSight(left: number, width: number): readonly [number, number] {
    let from = this.frozen;
    while (from < this.widths.length - 1 && (this.lefts[from + 1] ?? 0) <= left + this.fixed) from++;
    let to = from;
    while (to < this.widths.length && (this.lefts[to] ?? 0) < left + width) to++;
    return [from, to];
  }

  /** The column at a distance from the left edge of what is seen. */
  at(inView: number, left: number): number {
    const x = inView < this.fixed ? inView : inView + left;
    let column = this.widths.length - 1;
    while (column > 0 && (this.lefts[column] ?? 0) > x) column--;
    return column;
  }

  /** How far columns have to have moved for one of them to be in sight, from how far they have by now. */
  leftToShow(column: number, left: number, width: number): number {
    const [begin, end] = [this.lefts[column] ?? 0, this.lefts[column + 1] ?? 0];
    if (column < this.frozen) return left;
    if (begin < left + this.fixed) return begin - this.fixed;
    return end > left + width ? end - width : left;
  }
}
