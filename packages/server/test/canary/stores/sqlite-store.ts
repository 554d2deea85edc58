import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';

const DATASET = `
dataset:
  - fides_key: notes
    collections:
      - name: writers
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true, identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: notes
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [system.operations], fides_meta: { primary_key: true } }
          - name: writer_id
            data_categories: [user.unique_id]
            fides_meta: { references: [{ dataset: notes, field: writers.id, direction: from }] }
          - { name: body, data_categories: [user.content.private] }
`;

const SCHEMA = `
create table writers (id text primary key, email text not null);
create table notes (id integer primary key, writer_id text not null references writers (id), body text not null, about blob not null);
create index notes_by_body on notes (body)`;

export async function openSqliteStore({ folder, people }: StoreOptions): Promise<CanaryStore> {
  const file = join(folder, 'notes.db');
  const database = new DatabaseSync(file, { timeout: 30_000 });
  database.exec(`pragma journal_mode = wal; ${SCHEMA}; begin`);
  const writers = database.prepare('insert into writers values (?, ?)');
  const notes = database.prepare('insert into notes (writer_id, body, about) values (?, ?, ?)');
  for (const { userId, email, mark, uuid } of people) {
    writers.run(userId, email);
    for (const body of [`${mark} wrote`, `${mark} wrote again`])
      notes.run(userId, body, Buffer.from(uuid.replaceAll('-', ''), 'hex'));
  }
  database.exec('commit; analyze');
  // An application that stays connected would empty the write-ahead log when it leaves, and hide what was left in it.
  database.close();
  const stop = async () => folder;
  return {
    key: 'notes',
    connection: {
      kind: 'sqlite',
      url: file,
      options: { purge: 'vacuum' },
      residuals: [{ copy: 'backups', for: '30d' }],
    },
    dataset: DATASET,
    async contents() {
      using reader = new DatabaseSync(file, { timeout: 30_000 });
      const all = new Map<string, string>();
      for (const table of ['writers', 'notes'])
        for (const row of reader.prepare(`select * from ${table}`).all())
          all.set(`${table} ${row.id}`, JSON.stringify(row));
      return all;
    },
    stop,
    copies: [],
    [Symbol.asyncDispose]: async () => undefined,
  };
}
