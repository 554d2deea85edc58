/** Many rows of one collection whose values are texts, without an object for each of them. */
export interface TextRows {
  readonly collection: string;
  readonly columns: readonly string[];
  readonly count: number;
  /**
   * The rows one after the other, as PostgreSQL's binary COPY has them. A row: how many values it has (16 bits), and of each in the order of
   * `columns` its length in bytes (32 bits; -1: null), and that many bytes of UTF-8. Numbers are big-endian. They may be used until the
   * next step is asked for.
   */
  readonly bytes: Buffer;
}

/** A row as an item that is collected alone. */
interface TextItem {
  readonly collection: string;
  readonly row: Readonly<Record<string, string | null>>;
}

/** The same as one item for each row. */
export function* itemsOf({ collection, columns, bytes }: TextRows): Generator<TextItem, void> {
  for (let at = 0; at < bytes.length; ) {
    at += 2;
    const values: [string, string | null][] = [];
    for (const column of columns) {
      const length = bytes.readInt32BE(at);
      at += 4;
      values.push([column, length < 0 ? null : bytes.toString('utf8', at, at + length)]);
      at += Math.max(length, 0);
    }
    yield { collection, row: Object.fromEntries(values) };
  }
}
