import type { RandomReference, RandomRow, RandomStore, RandomValue, Wish } from './random-store.ts';
import { tableOf } from './random-store-sql.ts';

/** One direction of a reference. */
interface Way {
  readonly reference: RandomReference;
  readonly from: number;
  readonly to: number;
  readonly fromColumns: readonly string[];
  readonly toColumns: readonly string[];
  /** Whether the rows that are found hold the reference. */
  readonly foundHolds: boolean;
}

export interface ExpectedErasure {
  /** Ids of rows that are handed over. */
  readonly collected: ReadonlySet<string>;
  /** Id → the row after the erasure; rows that are gone are not there. `erased-…` stands for any hash. */
  readonly after: ReadonlyMap<string, Readonly<Record<string, RandomValue>>>;
  /** Ids of rows that change or go. */
  readonly changed: ReadonlySet<string>;
  /** Whether the store refuses, because rows that nobody named point at rows that had to go. */
  readonly refused: boolean;
}

/** What erasing a person has to do, worked out row by row in memory, with no regard for speed: docs/datasets.md in code. */
export function naiveErasure(store: RandomStore, email: string): ExpectedErasure {
  const ways = store.references.flatMap(waysOf(store));
  const leadsTo = (way: Way, from: RandomRow) =>
    store.rows.filter((row) => row.table === way.to && from.table === way.from && pairsMatch(way, from, row));
  const follows = (way: Way) => wishOf(way) !== 'detach';
  const wishOf = (way: Way): Wish => way.reference.wish;

  // Whose rows are these? Own rows, the emails that they tell, and shared rows that nobody else reaches.
  const emails = new Set([email]);
  const own = new Set<RandomRow>();
  const pending = () => {
    const rows = new Set<RandomRow>();
    for (const row of own)
      for (const way of ways)
        if (follows(way) && way.reference.shared)
          for (const found of leadsTo(way, row)) if (!own.has(found)) rows.add(found);
    return rows;
  };
  let blocked = new Set<RandomRow>();
  for (let size = -1; size !== own.size + emails.size; ) {
    size = own.size + emails.size;
    for (const row of store.rows) if (row.values.email != null && emails.has(row.values.email)) own.add(row);
    for (const row of own)
      for (const way of ways)
        if (follows(way) && !way.reference.shared) for (const found of leadsTo(way, row)) own.add(found);
    for (const row of own) {
      const told = row.values.email;
      const isAmbiguous = store.rows.some(
        (other) => other.table === row.table && other.values.email === told && !own.has(other),
      );
      if (told != null && !isAmbiguous) emails.add(told);
    }
    if (size !== own.size + emails.size) continue;
    const waiting = pending();
    blocked = new Set();
    for (let count = -1; count !== blocked.size; ) {
      count = blocked.size;
      for (const row of waiting) {
        const isReached = store.rows.some(
          (other) =>
            !own.has(other) &&
            (!waiting.has(other) || blocked.has(other)) &&
            ways.some((way) => follows(way) && leadsTo(way, other).includes(row)),
        );
        if (isReached || (row.values.email != null && !emails.has(row.values.email))) blocked.add(row);
      }
    }
    for (const row of waiting) if (!blocked.has(row)) own.add(row);
  }

  // What happens to each row?
  const reachedBy = (row: RandomRow) =>
    ways.filter((way) => [...own].some((from) => leadsTo(way, from).includes(row)));
  const isRoot = (row: RandomRow) => row.values.email != null && emails.has(row.values.email);
  const actions = new Map<RandomRow, 'keep' | 'stay' | 'delete' | 'mask'>();
  for (const row of own) {
    const wishes = new Set<Wish>(reachedBy(row).map(wishOf));
    if (isRoot(row)) wishes.add(tableOf(store, row.table).onErase);
    actions.set(row, wishes.has('keep') ? 'keep' : wishes.has('delete') ? 'delete' : 'mask');
  }
  const emptied = (row: RandomRow): ReadonlySet<string> => {
    const action = actions.get(row);
    if (action === 'keep' || action === 'delete') return new Set();
    const cut = reachedBy(row)
      .filter((way) => way.foundHolds)
      .filter(
        (way) =>
          wishOf(way) === 'detach' || wishOf(way) === 'anonymize' || (!own.has(row) && way.reference.shared),
      );
    // A row that stays lets go of what it shares, and of what is only detached.
    const letGo = own.has(row)
      ? ways.filter(
          (way) =>
            way.from === row.table &&
            !way.foundHolds &&
            (way.reference.shared || ['detach', 'anonymize'].includes(wishOf(way))),
        )
      : [];
    return new Set([...cut.flatMap((way) => way.toColumns), ...letGo.flatMap((way) => way.fromColumns)]);
  };
  // A reference that is only detached says nothing of the row that it points at.
  const says = (way: Way) => way.foundHolds || wishOf(way) !== 'detach';
  const found = new Set([...own, ...blocked, ...store.rows.filter((row) => reachedBy(row).some(says))]);
  const pointsAt = (child: RandomRow, parent: RandomRow, reference: RandomReference) =>
    reference.child === child.table &&
    reference.parent === parent.table &&
    reference.columns.every((column, part) => {
      const value = emptied(child).has(column) ? null : child.values[column];
      return value != null && value === parent.values[tableOf(store, parent.table).key[part] ?? ''];
    });
  const known = store.references.filter((reference) => reference.foreignKey !== 'none');
  for (let stays = true; stays; ) {
    stays = false;
    for (const row of own) {
      if (actions.get(row) !== 'delete') continue;
      const isNeeded = [...found].some(
        (other) =>
          actions.get(other) !== 'delete' && known.some((reference) => pointsAt(other, row, reference)),
      );
      if (isNeeded) {
        actions.set(row, 'stay');
        stays = true;
      }
    }
  }

  // The store afterwards.
  const after = new Map<string, Readonly<Record<string, RandomValue>>>();
  const changed = new Set<string>();
  for (const row of store.rows) {
    const action = actions.get(row);
    if (action === 'delete') {
      changed.add(row.id);
      continue;
    }
    const values: Record<string, RandomValue> = { ...row.values };
    if (found.has(row)) for (const column of emptied(row)) values[column] = null;
    if (action === 'mask' || action === 'stay') {
      if ('email' in values) values.email = null;
      values.note = null;
      values.code = 'erased-';
    }
    if (Object.keys(values).some((column) => values[column] !== row.values[column])) changed.add(row.id);
    after.set(row.id, values);
  }
  const refused = store.rows.some(
    (row) =>
      actions.get(row) === 'delete' &&
      store.rows.some(
        (other) => after.has(other.id) && known.some((reference) => pointsAt(other, row, reference)),
      ),
  );
  return { collected: new Set([...own, ...blocked].map((row) => row.id)), after, changed, refused };
}

function waysOf(store: RandomStore): (reference: RandomReference) => readonly Way[] {
  return (reference) => {
    const key = tableOf(store, reference.parent).key;
    const down: Way = {
      reference,
      from: reference.parent,
      to: reference.child,
      fromColumns: key,
      toColumns: reference.columns,
      foundHolds: true,
    };
    const up: Way = {
      reference,
      from: reference.child,
      to: reference.parent,
      fromColumns: reference.columns,
      toColumns: key,
      foundHolds: false,
    };
    return [...(reference.direction !== 'to' ? [down] : []), ...(reference.direction !== 'from' ? [up] : [])];
  };
}

function pairsMatch(way: Way, from: RandomRow, to: RandomRow): boolean {
  return way.toColumns.every((column, part) => {
    const value = to.values[column];
    return value != null && value === from.values[way.fromColumns[part] ?? ''];
  });
}
