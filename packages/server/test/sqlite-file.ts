import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A SQLite file of a test's own, as another program sees it. */
export interface SqliteFile {
  readonly file: string;
  run(statements: readonly string[]): void;
  /** Rows as arrays. */
  rows(text: string): readonly (readonly unknown[])[];
  remove(): void;
}

/** Makes a folder; the file is made by the first statement. Foreign keys are not looked at, so that rows come in any order. */
export function createSqliteFile(): SqliteFile {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-sqlite-'));
  const file = join(folder, 'store.db');
  const using = <Result>(act: (database: DatabaseSync) => Result): Result => {
    const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
    try {
      return act(database);
    } finally {
      database.close();
    }
  };
  return {
    file,
    run: (statements) => using((database) => database.exec(statements.join(';\n'))),
    rows: (text) =>
      using((database) => {
        const statement = database.prepare(text);
        statement.setReturnArrays(true);
        return statement.all().map((row) => Object.values(row));
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
