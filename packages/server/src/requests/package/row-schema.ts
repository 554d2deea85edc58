/** Which JSON types the values of a column have. */
type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

/** What is known of the rows of one collection: column → types. Written as it is into JSON. */
export type ColumnTypes = Readonly<Record<string, readonly JsonType[]>>;

/** Learns the types of columns from rows, one after the other; holds nothing of the rows. */
export class RowShape {
  readonly #types = new Map<string, Set<JsonType>>();
  readonly #seen = new Map<string, number>();
  #rows = 0;

  add(row: Readonly<Record<string, unknown>>): void {
    this.#rows += 1;
    for (const [column, value] of Object.entries(row)) {
      const type = typeOf(value);
      if (type === undefined) continue;
      const types = this.#types.get(column);
      if (types === undefined) this.#types.set(column, new Set([type]));
      else types.add(type);
      this.#seen.set(column, (this.#seen.get(column) ?? 0) + 1);
    }
  }

  /** Rows whose values are texts; of each column, how many are null. */
  addTexts(
    { columns, count }: { readonly columns: readonly string[]; readonly count: number },
    nulls: readonly number[],
  ): void {
    this.#rows += count;
    for (const [at, column] of columns.entries()) {
      const empty = nulls[at] ?? 0;
      const types = this.#types.get(column) ?? new Set();
      if (empty > 0) types.add('null');
      if (empty < count) types.add('string');
      this.#types.set(column, types);
      this.#seen.set(column, (this.#seen.get(column) ?? 0) + count);
    }
  }

  get types(): ColumnTypes {
    return Object.fromEntries([...this.#types].map(([column, types]) => [column, [...types].sort()]));
  }

  /** Columns that every row has. */
  get required(): readonly string[] {
    return [...this.#types.keys()].filter((column) => this.#seen.get(column) === this.#rows);
  }
}

/** JSON Schema (2020-12) of a file of rows: what each row has, and of which types. Every row of the file fits it. */
export function rowSchema(collection: {
  readonly name: string;
  readonly types: ColumnTypes;
  readonly required: readonly string[];
}): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: collection.name,
    type: 'array',
    items: {
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(collection.types).map(([column, types]) => [
          column,
          { type: types.length === 1 ? types[0] : types },
        ]),
      ),
      required: collection.required,
      additionalProperties: false,
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** As JSON.stringify writes it; undefined for what it leaves out. */
function typeOf(value: unknown): JsonType | undefined {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'object') return 'object';
  if (typeof value !== 'number') return undefined;
  // A number that is not finite is written as null.
  if (!Number.isFinite(value)) return 'null';
  return Number.isInteger(value) ? 'integer' : 'number';
}
