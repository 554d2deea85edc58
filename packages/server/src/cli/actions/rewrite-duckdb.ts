import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type DuckDbConnection,
  type DuckDbTable,
  enforceDuckDb,
  SqlRefusedError,
} from '@habeas/contract/consent-duckdb';
import { type ConsentExport, ConsentExportError, openConsentExport } from '@habeas/contract/consent-export';
import { HabeasError } from '../../foundation/index.ts';
import { type CliContext, print } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { readGiven } from '../read-given.ts';

export interface RewriteDuckDbOptions {
  readonly purpose: string;
  readonly organization?: string;
  /** `events=user_id` or `events=user_id:column`. */
  readonly table?: readonly string[];
  readonly openTable?: readonly string[];
  readonly consent?: readonly string[];
  readonly publicKey?: readonly string[];
  readonly database?: string;
  readonly explain?: true;
  readonly json?: true;
}

/** Prints the statement as it may run in DuckDB, by exports that are checked first. Ends with 1 for a statement or an export that is refused. */
export async function rewriteForDuckDb(
  context: CliContext,
  file: string,
  options: RewriteDuckDbOptions,
): Promise<ExitName> {
  const sql = file === '-' ? await context.readInput() : readGiven(context, file);
  try {
    const exports = await openExports(context, options);
    const tables = [
      ...(options.table ?? []).map((text) => tableOf(text, exports)),
      ...(options.openTable ?? []).map((table): DuckDbTable => ({ table, open: true })),
    ];
    const enforced = await onDuckDb(context, options.database, (connection) =>
      enforceDuckDb(sql, { connection, purpose: options.purpose, tables }),
    );
    if (options.json === true) {
      const expires_at = enforced.expiresAt?.toISOString() ?? null;
      print(context, options, {
        json: { sql: enforced.sql, purpose: enforced.purpose, relations: enforced.relations, expires_at },
        lines: () => [],
      });
      return 'done';
    }
    context.terminal.out(enforced.sql.endsWith('\n') ? enforced.sql : `${enforced.sql}\n`);
    if (options.explain === true)
      for (const { schema, name, form, why } of enforced.relations)
        context.terminal.note(`${schema}.${name}: ${form}, because ${why}\n`);
    return 'done';
  } catch (error) {
    if (!(error instanceof SqlRefusedError || error instanceof ConsentExportError)) throw error;
    context.terminal.note(`${error.message}\n`);
    return 'failed';
  }
}

/** By the identity types that they are of. */
async function openExports(
  { folder }: CliContext,
  { consent: files = [], organization, purpose, publicKey: publicKeys = [] }: RewriteDuckDbOptions,
): Promise<ReadonlyMap<string, ConsentExport>> {
  const opened = new Map<string, ConsentExport>();
  for (const one of files) {
    if (organization === undefined || publicKeys.length === 0)
      throw new HabeasError(
        'BAD_INPUT',
        'Say whose exports they have to be: --organization and --public-key.',
      );
    const file = resolve(folder, one);
    const identityType = await identityTypeOf(`${file}.manifest.json`);
    opened.set(
      identityType,
      await openConsentExport({ file, organization, purpose, identityType, publicKeys }),
    );
  }
  return opened;
}

/** What the manifest says; whether it may be believed is looked at when it is opened. */
async function identityTypeOf(file: string): Promise<string> {
  try {
    return String(JSON.parse(await readFile(file, 'utf8')).manifest.identity_type);
  } catch (cause) {
    throw new ConsentExportError(`There is no manifest that can be read at ${file}.`, { cause });
  }
}

const TABLE = /^([^=]+)=([a-z][a-z0-9_]*)(?::(.+))?$/;

function tableOf(text: string, exports: ReadonlyMap<string, ConsentExport>): DuckDbTable {
  const [, table, identity, column = identity] = TABLE.exec(text) ?? [];
  if (table === undefined || identity === undefined || column === undefined)
    throw new HabeasError(
      'BAD_INPUT',
      `--table ${text} is not of the form events=user_id or events=user_id:column.`,
    );
  const consent = exports.get(identity);
  if (consent === undefined)
    throw new HabeasError(
      'BAD_INPUT',
      `There is no export of the identity type ${identity}, by which ${table} names people: name one by --consent.`,
    );
  return { table, column, consent };
}

/** A DuckDB in memory, or on the database in which the statement will run, so that its macros are known. Nothing is written. */
async function onDuckDb<Result>(
  { folder }: CliContext,
  database: string | undefined,
  work: (connection: DuckDbConnection) => Promise<Result>,
): Promise<Result> {
  const { DuckDBInstance } = await loadDuckDb();
  const instance =
    database === undefined
      ? await DuckDBInstance.create(':memory:')
      : await DuckDBInstance.create(resolve(folder, database), { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Many times as large as Habeas itself, and of use only to those who have it. */
async function loadDuckDb(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new HabeasError(
      'BAD_INPUT',
      'DuckDB is not installed beside habeas, and statements are read by its own parser. Run: npm install @duckdb/node-api',
      { cause },
    );
  }
}
