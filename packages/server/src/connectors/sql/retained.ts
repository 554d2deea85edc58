import type { Keep } from '../../catalog/index.ts';
import type { Retained } from '../connector.ts';
import type { Effect } from './effect.ts';
import { type KeySet, rowsOfSet } from './key-set.ts';
import { isOver, keptUntil } from './mask-sql.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlDialect } from './sql-dialect.ts';
import type { SqlTransaction } from './sql-transaction.ts';

interface Duty {
  readonly keep: Keep;
  /** Which rows it keeps something of. */
  readonly applies: string;
}

/** What the effect of a set leaves of its rows, and until when. */
export async function retainedRows(transaction: SqlTransaction, set: KeySet): Promise<readonly Retained[]> {
  const { collection, effect } = set;
  const { dialect } = collection;
  const retained: Retained[] = [];
  for (const { keep, applies } of dutiesOf(effect, dialect)) {
    const until = keptUntil(dialect, keep, 't');
    const end =
      until === undefined
        ? 'null'
        : dialect.printTime(`case when count(*) = count(${until}) then max(${until}) end`);
    const [row] = await transaction.rows(
      `select ${dialect.text('count(*)')}, ${end} ${rowsOfSet(set)} where ${applies}`,
      set.values,
    );
    const count = Number(row?.[0] ?? 0);
    if (count === 0) continue;
    const date = keep.until !== null && 'date' in keep.until ? keep.until.date : null;
    retained.push({
      collection: collection.name,
      count,
      reason: reasonOf(keep),
      until: date ?? row?.[1] ?? null,
      ...(keep.justification === undefined ? {} : { justification: keep.justification }),
    });
  }
  return retained;
}

/** Adds up what several sets retain for the same reason; the latest end counts, and an unknown end is the latest. */
export function sumRetained(all: readonly Retained[]): readonly Retained[] {
  const sums = new Map<string, Retained>();
  for (const entry of all) {
    const name = JSON.stringify([entry.collection, entry.reason]);
    const known = sums.get(name);
    if (known === undefined) {
      sums.set(name, entry);
      continue;
    }
    const until = latest(known.until, entry.until);
    sums.set(name, { ...known, count: known.count + entry.count, until });
  }
  return [...sums.values()];
}

/** Dates of one form sort as text. */
function latest(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null;
  return [a, b].sort()[1] ?? null;
}

function dutiesOf(effect: Effect, dialect: SqlDialect): readonly Duty[] {
  const { action } = effect;
  if (action === undefined || action.kind === 'delete') return [];
  if (action.kind === 'keep') return [{ keep: action.keep, applies: 'true' }];
  const duties = action.kept.map(({ field, keep }): Duty => {
    const column = quoteIdentifier(field.name.split('.')[0] ?? field.name);
    return { keep, applies: `(t.${column} is not null and not ${isOver(dialect, keep, 't')})` };
  });
  // Fields with one duty are counted once for a row.
  const byKeep = new Map<string, Duty>();
  for (const duty of duties) {
    const name = JSON.stringify(duty.keep);
    const known = byKeep.get(name);
    byKeep.set(
      name,
      known === undefined ? duty : { ...known, applies: `(${known.applies} or ${duty.applies})` },
    );
  }
  return [...byKeep.values()];
}

function reasonOf(keep: Keep): string {
  return keep.legalBasis === null ? keep.reason : `${keep.reason} (${keep.legalBasis})`;
}
