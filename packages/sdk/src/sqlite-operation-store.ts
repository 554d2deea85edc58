import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { OperationRpc, OperationState, OperationStore, StoredOperation } from './operation-store.ts';

export interface SqliteOperationStoreOptions {
  /** (Default: `./.habeas-operations.sqlite`) */
  readonly path?: string;
}

export const DEFAULT_OPERATIONS_PATH = './.habeas-operations.sqlite';

const BUSY_MILLISECONDS = 5_000;

const SCHEMA = `
  create table if not exists secret (id integer primary key check (id = 1), fingerprint_key blob not null) strict;
  create table if not exists operation (
    name text primary key,
    idempotency_key text not null unique,
    rpc text not null,
    dry_run integer not null,
    fingerprint text not null,
    state text not null,
    request text,
    result text,
    report text,
    created_at integer not null
  ) strict;
  create index if not exists operation_open on operation (created_at)
    where state in ('QUEUED', 'RUNNING') or report is not null;
  create index if not exists operation_age on operation (created_at);
`;

const COLUMNS =
  'name, idempotency_key, rpc, dry_run, fingerprint, state, request, result, report, created_at';

/** Keeps operations in a SQLite file that only this user can read. Throws what SQLite throws when the file cannot be used. */
export function sqliteOperationStore(options: SqliteOperationStoreOptions = {}): OperationStore {
  const path = options.path ?? DEFAULT_OPERATIONS_PATH;
  // Open operations hold identities, so the file is made for its owner alone before SQLite writes to it.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const db = new DatabaseSync(path, { timeout: BUSY_MILLISECONDS });
  // With a write-ahead log each commit survives the end of the process, kill -9 too, without waiting for the disk. A power cut may take
  // the last ones: then Habeas makes its call again and the handler runs again, which it must be safe for anyway.
  // Identities must not stay in freed pages.
  db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on;');
  db.exec(SCHEMA);
  const insert = db.prepare(
    `insert into operation (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (idempotency_key) do nothing`,
  );
  const byKey = db.prepare(`select ${COLUMNS} from operation where idempotency_key = ?`);
  const byName = db.prepare(`select ${COLUMNS} from operation where name = ?`);
  const open = db.prepare(
    `select ${COLUMNS} from operation where state in ('QUEUED', 'RUNNING') or report is not null order by created_at`,
  );
  const update = db.prepare(
    `update operation set state = coalesce(?, state), request = case ? when 1 then ? else request end,
     result = case ? when 1 then ? else result end, report = case ? when 1 then ? else report end where name = ?`,
  );
  const forget = db.prepare(
    `delete from operation where created_at < ? and state not in ('QUEUED', 'RUNNING') and report is null`,
  );
  return {
    fingerprintKey: fingerprintKey(db),
    begin(operation) {
      insert.run(
        operation.name,
        operation.idempotencyKey,
        operation.rpc,
        Number(operation.dryRun),
        operation.fingerprint,
        operation.state,
        toJson(operation.request),
        toJson(operation.result),
        toJson(operation.report),
        operation.createdAt.getTime(),
      );
      const row = byKey.get(operation.idempotencyKey);
      if (row === undefined) throw new Error(`${path} does not keep the operations that are written to it.`);
      return fromRow(row);
    },
    find(name) {
      const row = byName.get(name);
      return row === undefined ? undefined : fromRow(row);
    },
    findByKey(key) {
      const row = byKey.get(key);
      return row === undefined ? undefined : fromRow(row);
    },
    change(name, { state, request, result, report }) {
      update.run(
        state ?? null,
        Number(request !== undefined),
        toJson(request),
        Number(result !== undefined),
        toJson(result),
        Number(report !== undefined),
        toJson(report),
        name,
      );
    },
    open: () => open.all().map(fromRow),
    forget(time) {
      forget.run(time.getTime());
    },
    close: () => db.close(),
  };
}

function fingerprintKey(db: DatabaseSync): Uint8Array {
  db.prepare('insert into secret (id, fingerprint_key) values (1, ?) on conflict do nothing').run(
    randomBytes(32),
  );
  const key = db.prepare('select fingerprint_key from secret').get()?.fingerprint_key;
  if (!(key instanceof Uint8Array)) throw new Error('The operations file has no fingerprint key.');
  return key;
}

function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

function fromRow(row: Record<string, SQLOutputValue>): StoredOperation {
  const parsed = <Value>(text: SQLOutputValue | undefined): Value | null =>
    typeof text === 'string' ? (JSON.parse(text) as Value) : null;
  return {
    name: String(row.name),
    idempotencyKey: String(row.idempotency_key),
    rpc: String(row.rpc) as OperationRpc,
    dryRun: row.dry_run === 1,
    fingerprint: String(row.fingerprint),
    state: String(row.state) as OperationState,
    request: parsed(row.request),
    result: parsed(row.result),
    report: parsed(row.report),
    createdAt: new Date(Number(row.created_at)),
  };
}
