import fc from 'fast-check';

/** A table of a random store. Every table has `note` (may be empty) and `code` (may not); some have `email`, by which people are found. */
export interface RandomTable {
  readonly name: string;
  /** Columns of the key; empty: the table has none. */
  readonly key: readonly string[];
  readonly keyType: 'bigint' | 'text';
  readonly hasEmail: boolean;
  readonly onErase: RootWish;
}

export type RootWish = 'delete' | 'mask' | 'keep';
export type Wish = RootWish | 'anonymize' | 'detach';

/** A reference of a random store, held by columns of its own in the child. */
export interface RandomReference {
  readonly name: string;
  readonly child: number;
  readonly parent: number;
  /** Columns of the child, as many as the parent's key has. */
  readonly columns: readonly string[];
  readonly direction: 'from' | 'to' | 'both';
  readonly wish: Wish;
  readonly shared: boolean;
  /** Whether the store itself knows it, and what it does when the parent goes. */
  readonly foreignKey: 'none' | 'no action' | 'restrict' | 'cascade';
}

export type RandomValue = string | null;

/** A row: its columns as text. `id` tells rows apart, even where the table has no key. */
export interface RandomRow {
  readonly id: string;
  readonly table: number;
  readonly values: Readonly<Record<string, RandomValue>>;
}

export interface RandomStore {
  readonly tables: readonly RandomTable[];
  readonly references: readonly RandomReference[];
  readonly rows: readonly RandomRow[];
}

export const EMAILS = [
  'ann@example.com',
  "o'hara@example.com",
  'bob@example.com',
  'cid@example.com',
] as const;

/** Names that PostgreSQL reads only when they are quoted, beside plain ones. */
const TABLE_NAMES = ['people', 'Order', 'user', 'a b', 'lines"x', 'group'];

const tableArbitrary = fc.record({
  keyColumns: fc.constantFrom(1, 1, 1, 2, 0),
  keyType: fc.constantFrom('bigint' as const, 'text' as const),
  hasEmail: fc.boolean(),
  onErase: fc.constantFrom<RootWish>('delete', 'delete', 'delete', 'mask', 'keep'),
  rows: fc.integer({ min: 1, max: 6 }),
});

const referenceArbitrary = fc.record({
  child: fc.nat(),
  parent: fc.nat(),
  direction: fc.constantFrom(
    'from' as const,
    'from' as const,
    'from' as const,
    'to' as const,
    'both' as const,
  ),
  wish: fc.constantFrom<Wish>('delete', 'delete', 'delete', 'mask', 'anonymize', 'detach', 'keep'),
  shared: fc.boolean(),
  foreignKey: fc.constantFrom('no action' as const, 'restrict' as const, 'cascade' as const, 'none' as const),
});

/** Small stores with everything that makes a traversal hard: composite keys, references to themselves, circles, shared rows, several people. */
export const randomStore: fc.Arbitrary<RandomStore> = fc
  .record({
    tables: fc.array(tableArbitrary, { minLength: 2, maxLength: 5 }),
    references: fc.array(referenceArbitrary, { minLength: 1, maxLength: 6 }),
    seed: fc.array(fc.nat({ max: 1_000 }), { minLength: 120, maxLength: 120 }),
  })
  .map(({ tables: drafts, references: wanted, seed }) => {
    let drawn = 0;
    const draw = (below: number) => (seed[drawn++ % seed.length] ?? 0) % below;
    const tables = drafts.map(
      (draft, index): RandomTable => ({
        name: TABLE_NAMES[index] ?? `t${index}`,
        key: ['k1', 'K 2'].slice(0, draft.keyColumns),
        keyType: draft.keyType,
        hasEmail: index === 0 || draft.hasEmail,
        onErase: draft.onErase,
      }),
    );
    const references = wanted.flatMap((draft, index): readonly RandomReference[] => {
      const child = draft.child % tables.length;
      const parent = draft.parent % tables.length;
      const width = tables[parent]?.key.length ?? 0;
      if (width === 0) return [];
      // A duty that lets rows go, or detaches them, is about rows that are found, not about rows that they point at.
      const wish = draft.direction === 'to' && draft.wish === 'detach' ? 'mask' : draft.wish;
      return [
        {
          name: `r${index}`,
          child,
          parent,
          columns: Array.from({ length: width }, (_, part) => `r${index}_${part}`),
          direction: draft.direction,
          wish,
          shared: draft.shared,
          foreignKey:
            draft.foreignKey === 'cascade' && draft.direction === 'to' ? 'no action' : draft.foreignKey,
        },
      ];
    });
    const keys = tables.map((table, index) =>
      Array.from({ length: drafts[index]?.rows ?? 0 }, (_, row) =>
        // The first part repeats, so that only both parts together tell rows apart.
        table.key.map((_column, part) => `${part === 0 && table.key.length > 1 ? row % 2 : row + 1}`),
      ),
    );
    const rows = tables.flatMap((table, index) =>
      Array.from({ length: drafts[index]?.rows ?? 0 }, (_, row): RandomRow => {
        const values: Record<string, RandomValue> = {};
        for (const [part, column] of table.key.entries()) values[column] = keys[index]?.[row]?.[part] ?? null;
        if (table.hasEmail) values.email = draw(5) === 0 ? null : (EMAILS[draw(EMAILS.length)] ?? null);
        for (const reference of references.filter((candidate) => candidate.child === index)) {
          const targets = keys[reference.parent] ?? [];
          const target = draw(4) === 0 ? undefined : targets[draw(Math.max(1, targets.length))];
          for (const [part, column] of reference.columns.entries()) values[column] = target?.[part] ?? null;
        }
        values.note = draw(3) === 0 ? null : `note ${index}.${row}`;
        values.code = `code ${index}.${row}`;
        return { id: `${index}.${row}`, table: index, values };
      }),
    );
    return { tables, references, rows };
  });
