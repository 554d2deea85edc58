import { DatabaseSync } from 'node:sqlite';

/** One thing that a service did to its data, as its own journal says. */
export interface Effect {
  readonly idempotencyKey: string;
  readonly kind: string;
  /** Rows that it changed; 0 for a person whom the service did not know. */
  readonly count: number;
}

/** The journal of a service that has a SQLite store, oldest first. May be read while the service runs. */
export function readEffects(file: string): readonly Effect[] {
  using db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const rows = db.prepare('select idempotency_key, kind, count from effects order by id').all();
  return rows.map((row) => ({
    idempotencyKey: String(row.idempotency_key),
    kind: String(row.kind),
    count: Number(row.count),
  }));
}
