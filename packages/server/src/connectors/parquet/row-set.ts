/** Numbers of rows within a row group, in order, each once. */
export class RowSet {
  readonly rows: Uint32Array;

  constructor(rows: Iterable<number>) {
    this.rows = Uint32Array.from(new Set(rows)).sort();
  }

  get size(): number {
    return this.rows.length;
  }

  /** Those from `from` on and before `to`. */
  between(from: number, to: number): Uint32Array {
    return this.rows.subarray(this.#firstFrom(from), this.#firstFrom(to));
  }

  #firstFrom(row: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.rows[middle] as number) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
