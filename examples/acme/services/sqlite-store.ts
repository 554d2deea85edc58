import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SEED } from '../people.ts';

/** Collection → rows. */
export type Counts = Readonly<Record<string, number>>;

export interface OpenStoreOptions {
  /** The SQLite file; made if it is not there. */
  readonly file: string;
  readonly schema: string;
  /** How many people the store holds at the beginning. */
  readonly people: number;
  /** Throws away what is there, even if it is the right number. (Default: false) */
  readonly fresh?: boolean;
  /** Writes the first rows, inside a transaction. */
  readonly fill: (db: DatabaseSync) => void;
}

const BUSY_MILLISECONDS = 5_000;

/** What was done, once per idempotency key; a test reads from it that nothing is missing and nothing was done twice. */
const EFFECTS = `
  create table effects (
    id integer primary key,
    idempotency_key text not null,
    kind text not null,
    -- How many rows it changed, in all and by table (JSON).
    count integer not null,
    counts text not null,
    at text not null
  ) strict;
  create index effects_key on effects (idempotency_key, kind);
  create table seed (mark text not null) strict;
`;

/**
 * Opens a service's store. It is made and filled in one transaction, so that after a crash it is there as a whole or not
 * at all; the same people are not written twice. Every commit is on the disk when it returns.
 */
export function openStore(options: OpenStoreOptions): DatabaseSync {
  const mark = `seed ${SEED}, ${options.people} people`;
  let db = openFile(options.file);
  const found = findMark(db);
  if (found === mark && options.fresh !== true) return db;
  if (found !== undefined) {
    db.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${options.file}${suffix}`, { force: true });
    db = openFile(options.file);
  }
  inTransaction(db, () => {
    db.exec(options.schema);
    db.exec(EFFECTS);
    options.fill(db);
    db.prepare('insert into seed (mark) values (?)').run(mark);
  });
  return db;
}

/**
 * Runs `work`, which changes rows and counts them, unless it was done before with this key; then gives the counts of
 * that time. The rows and the journal change in one transaction: however the process ends, both are there or neither.
 */
export function applyOnce(
  db: DatabaseSync,
  options: { readonly idempotencyKey: string; readonly kind: string; readonly work: () => Counts },
): Counts {
  const { idempotencyKey, kind, work } = options;
  return inTransaction(db, () => {
    const done = db
      .prepare('select counts from effects where idempotency_key = ? and kind = ?')
      .get(idempotencyKey, kind);
    if (done !== undefined) return JSON.parse(String(done.counts)) as Counts;
    const counts = work();
    const count = Object.values(counts).reduce((sum, rows) => sum + rows, 0);
    db.prepare('insert into effects (idempotency_key, kind, count, counts, at) values (?, ?, ?, ?, ?)').run(
      idempotencyKey,
      kind,
      count,
      JSON.stringify(counts),
      new Date().toISOString(),
    );
    return counts;
  });
}

/** Without what was looked for and not there. */
export function counted(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([, rows]) => rows > 0));
}

function inTransaction<Result>(db: DatabaseSync, work: () => Result): Result {
  db.exec('begin immediate');
  try {
    const result = work();
    db.exec('commit');
    return result;
  } catch (error) {
    db.exec('rollback');
    throw error;
  }
}

function openFile(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_MILLISECONDS });
  // What is erased must not stay in free pages of the file.
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;');
  db.exec('pragma foreign_keys = on');
  return db;
}

function findMark(db: DatabaseSync): string | undefined {
  const table = db.prepare("select 1 from sqlite_schema where name = 'seed'").get();
  if (table === undefined) return undefined;
  return String(db.prepare('select mark from seed').get()?.mark);
}
